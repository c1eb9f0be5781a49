"""The examples run, and what they measure is what they say: results are tested, not exit codes."""

from __future__ import annotations

import importlib
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

matplotlib_image = pytest.importorskip("matplotlib.image", reason="the examples draw with matplotlib")

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
OPTIMIZERS = {"SGD", "momentum", "Nesterov", "Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "Nadam"}


Run = tuple[Any, pathlib.Path]


def load(name: str) -> Any:
    """An example as a module, with its folder on the path as when it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        return importlib.import_module(name)


def run(name: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What `main` returned, and the folder of its figures."""
    out = tmp_path_factory.mktemp(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KJAX_DATASETS", str(tmp_path_factory.mktemp("no_data")))
        return load(name).main(["--quick", "--out", str(out)]), out


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("mnist_mlp", tmp_path_factory)


def check_figures(folder: pathlib.Path, *names: str) -> None:
    """The figures are these, and something is drawn on each."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for name in names:
        pixels = matplotlib_image.imread(folder / name)
        assert min(pixels.shape[:2]) > 300
        assert pixels[..., :3].std() > 0.02, f"{name} is blank"


def test_one_layer_learns_the_gates_but_xor_needs_two(tmp_path_factory: pytest.TempPathFactory) -> None:
    accuracy, out = run("logic_gates", tmp_path_factory)
    assert {gate: accuracy[gate] for gate in ("AND1", "OR1", "NAND1", "XOR2")} == dict.fromkeys(
        ("AND1", "OR1", "NAND1", "XOR2"), 1.0
    )
    assert accuracy["XOR1"] <= 0.75
    check_figures(out, "logic_gates.png")


def test_slopes_and_vanishing_gradients(tmp_path_factory: pytest.TempPathFactory) -> None:
    result, out = run("activations", tmp_path_factory)
    bounds = {"sigmoid": 0.25, "hard_sigmoid": 0.2, "tanh": 1, "softsign": 1, "linear": 1, "relu": 1, "elu": 1}
    assert {name: result["steepest"][name] for name in bounds} == pytest.approx(bounds, rel=1e-5)
    assert result["steepest"]["selu"] == pytest.approx(1.0507 * 1.6733, rel=0.05)

    norms = result["norms"]
    assert all(line.shape == (20,) and np.isfinite(line).all() for line in norms.values())
    for start in ("glorot_normal", "lecun_normal", "he_normal"):
        assert (100 * norms["sigmoid", start][9:] < norms["relu", "he_normal"][9:]).all()
    assert 0.1 < norms["relu", "he_normal"][19] / norms["relu", "he_normal"][0] < 30
    assert norms["relu", "glorot_normal"][19] < 0.01 * norms["relu", "glorot_normal"][0]
    assert 0.1 < norms["selu", "lecun_normal"][19] / norms["selu", "lecun_normal"][0] < 30
    check_figures(out, "activations.png", "vanishing_gradient.png")


def test_depth_of_the_measured_gradient_is_that_of_a_network_of_layers() -> None:
    """One program measures all depths; three layers written out give the same number."""
    import jax
    import jax.numpy as jnp

    example = load("activations")
    kernels = 0.2 * np.random.randn(example.DEEPEST, example.UNITS, example.UNITS).astype("float32")
    x, y = (np.random.randn(8, example.UNITS).astype("float32") for _ in range(2))

    def loss(first: Any) -> Any:
        h = jnp.tanh(jnp.tanh(jnp.tanh(x @ first) @ kernels[1]) @ kernels[2])
        return jnp.mean((h - y) ** 2)

    measured = example.first_gradient(jnp.tanh)(jnp.arange(1, 5), kernels, x, y)
    assert float(measured[2]) == pytest.approx(float(jnp.linalg.norm(jax.grad(loss)(kernels[0]))), rel=1e-4)


def test_cross_entropy_frees_a_saturated_sigmoid(tmp_path_factory: pytest.TempPathFactory) -> None:
    result, out = run("losses", tmp_path_factory)
    assert list(result) == ["0", "-2", "-4", "-6"]
    for text, row in result.items():
        p = 1 / (1 + np.exp(-float(text)))
        assert row["slopes"] == pytest.approx([2 * (p - 1) * p * (1 - p), p - 1], rel=1e-3)
    assert result["-6"]["steps"][1] < 10 < 100 < result["-6"]["steps"][0]
    check_figures(out, "losses.png")


def test_small_batches_beat_the_whole_batch_after_the_same_epochs(tmp_path_factory: pytest.TempPathFactory) -> None:
    runs, out = run("descent", tmp_path_factory)
    assert [runs[name]["steps"] for name in ("batch", "mini-batch", "stochastic")] == [5, 160, 5000]
    starts = [r["loss"][0] for r in runs.values()]
    assert starts == pytest.approx([starts[0]] * 3, rel=1e-5)
    for r in runs.values():
        assert r["loss"][-1] < r["loss"][0]
        assert len(r["seconds"]) == len(r["loss"]) == 6
        assert (np.diff(r["seconds"]) > 0).all()
    assert runs["mini-batch"]["loss"][-1] < 0.7 * runs["batch"]["loss"][-1]
    assert runs["stochastic"]["loss"][-1] < 0.7 * runs["batch"]["loss"][-1]
    check_figures(out, "descent.png")


def test_every_optimizer_descends(tmp_path_factory: pytest.TempPathFactory) -> None:
    result, out = run("optimizer_race", tmp_path_factory)
    assert set(result["surface"]) == set(result["digits"]) == OPTIMIZERS
    for start, end in result["surface"].values():
        assert start == pytest.approx(41.25, rel=1e-6)
        assert 0 <= end < 0.2 * start
    best = min(result["surface"].values(), key=lambda heights: heights[-1])
    assert best[-1] < 0.01
    starts = [curve[0] for curve in result["digits"].values()]
    assert starts == pytest.approx([starts[0]] * len(starts), rel=1e-5)
    for name, curve in result["digits"].items():
        assert curve[-1] < curve[1] < curve[0], name
    check_figures(out, "race_surface.png", "race_digits.png")


def test_the_mlp_reads_digits(mlp: Run) -> None:
    result, out = mlp
    assert result["accuracy"] > 0.92
    counts = result["confusion"]
    assert counts.sum(axis=1).tolist() == [200] * 10
    assert counts.trace() / counts.sum() == pytest.approx(result["accuracy"], abs=1e-6)
    check_figures(out, "mnist_confusion.png", "mnist_mistakes.png")


def test_the_handwritten_step_gets_as_far_as_the_model(mlp: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    result, out = run("mnist_jax", tmp_path_factory)
    assert result["last_loss"] < 0.3 * result["first_loss"]
    assert result["accuracy"] == pytest.approx(mlp[0]["accuracy"], abs=0.02)
    check_figures(out, "mnist_jax.png")


def test_a_session_learns_digits_and_large_first_weights_hold_it_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    result, out = run("mnist_tensorflow1", tmp_path_factory)
    assert result["scaled_loss"] < 5 < 20 < result["large_loss"]
    assert result["scaled_accuracy"] > max(0.9, result["large_accuracy"])
    assert result["large_accuracy"] > 0.5
    check_figures(out, "mnist_tensorflow1.png")


def test_mnist_is_taken_where_it_can_be_had(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = load("_common")

    def parts(marks: int) -> Any:
        return tuple((np.full((n, 28, 28), marks, "uint8"), np.zeros(n, "uint8")) for n in (3, 2))

    def nowhere() -> Any:
        raise OSError("The data set mnist was not found.\nTried: a list of places")

    monkeypatch.setattr(common.drawn_digits, "load_data", lambda **sizes: parts(9))
    monkeypatch.setattr(common.mnist, "load_data", lambda: parts(1))
    name, (x_train, _), (x_test, _) = common.digits(quick=False)
    assert (name, x_train.max(), len(x_train), len(x_test)) == ("MNIST", 1, 3, 2)

    monkeypatch.setattr(common.mnist, "load_data", nowhere)
    capsys.readouterr()
    name, (x_train, _), _ = common.digits(quick=False)
    assert "not MNIST" in name
    assert x_train.max() == 9
    printed = capsys.readouterr().out
    assert printed.startswith(
        "MNIST was found nowhere and could not be downloaded.\nData: drawn digits (not MNIST), 3 "
    )


def test_the_command_line(tmp_path: pathlib.Path) -> None:
    """Run as a user does, in a process of its own, from the root of the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-W", "error", "examples/logic_gates.py", "--quick", "--out", str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {row[0] + row[1]: row[-1] for row in rows[2:7]}["XOR2"] == "100%"
    check_figures(tmp_path / "new", "logic_gates.png")


def test_every_example_is_listed_and_documented() -> None:
    """README names each program, and each says in its docstring what to expect."""
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    programs = [path for path in sorted(EXAMPLES.glob("*.py")) if not path.name.startswith("_")]
    assert len(programs) == 8
    for path in programs:
        assert f"`python examples/{path.name}`: " in listed
        assert len(load(path.stem).__doc__) > 300
