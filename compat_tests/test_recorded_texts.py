"""What Keras 2.2.4 printed, warned of and raised, entry by entry."""

from __future__ import annotations

import ast
import pathlib
import re
from typing import Any

import numpy as np
import pytest

from compat_tests import golden, texts

TEXTS = golden.load_texts()

# Entries that need what kjax does not have yet. Each is run and must fail; one that passes has to leave.
LATER: dict[str, str] = {}

# Entries where kjax means to differ; each has a test of its own below.
DIFFERENT = {
    "err_optimizer_kwarg",
    "err_not_numpy_list",
    "err_y_none",
    "err_set_weights_count",
    "err_reshape",
    "err_predict_empty",
    "err_load_missing",
}

# Words that a message without shapes, numbers or names must still have.
WORDS = {
    "err_loss_none": ("loss",),
    "err_compile_no_loss": ("loss",),
    "err_pop_empty": ("layers",),
    "err_set_weights_shape": ("weight", "shape"),
}

STRUCTURE = ("verbose1_", "verbose2_", "callback_", "summary_mlp_fit_mnist_script")


def entries(names: list[str]) -> list[Any]:
    """Parameters for the entries, those of LATER as strict expected failures."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=f"needs {LATER[name]}"))
        if name in LATER
        else name
        for name in names
        if name not in DIFFERENT
    ]


PRINTED = [name for name in TEXTS if not name.startswith(STRUCTURE) and "error_type" not in TEXTS[name]]
LOGGED = [name for name in TEXTS if name.startswith(STRUCTURE)]
RAISED = [name for name in TEXTS if "error_type" in TEXTS[name]]
TERMINAL = [name for name in TEXTS if "tty" in TEXTS[name]]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources write files where they run."""
    monkeypatch.chdir(tmp_path)


def finished(name: str, *, terminal: bool = False) -> texts.Outcome:
    """Runs an entry that must not raise, and compares its warnings."""
    outcome = texts.run(TEXTS[name]["source"], terminal=terminal)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.warnings == TEXTS[name]["warnings"]
    return outcome


def comparable(name: str, stdout: str) -> str:
    """The text without the few places where Theano's words, not Keras's, were recorded."""
    if name == "repr_misc":
        # The reprs of model.input and model.output are the backend's.
        return re.sub(r"^(\(None, 20\) \(None, 3\) 99 2 True) .*$", r"\1", stdout, flags=re.MULTILINE)
    if name == "layer_names":
        return stdout.replace(":0'", "'")
    if name == "train_on_batch_return":
        # A session of TensorFlow returned numpy.float32, Theano an array without axes.
        return stdout.replace("numpy.float32'>", "numpy.ndarray'>")
    return stdout


@pytest.mark.parametrize("name", entries(PRINTED))
def test_printed(name: str) -> None:
    stdout = finished(name).stdout
    assert comparable(name, stdout) == comparable(name, TEXTS[name]["stdout"])


@pytest.mark.parametrize("name", entries(LOGGED))
def test_logged(name: str) -> None:
    stdout = finished(name).stdout
    assert texts.structure(stdout) == texts.structure(TEXTS[name]["stdout"])


@pytest.mark.parametrize("name", entries(TERMINAL))
def test_logged_on_a_terminal(name: str) -> None:
    stdout = finished(name, terminal=True).stdout
    assert "\r" in stdout
    assert texts.structure(stdout) == texts.structure(TEXTS[name]["tty"])


@pytest.mark.parametrize("name", entries(RAISED))
def test_raised(name: str) -> None:
    recorded = TEXTS[name]
    outcome = texts.run(recorded["source"])
    assert outcome.error is not None, f"Keras raised {recorded['error_type']}: {recorded['error']}"
    message = str(outcome.error)
    assert type(outcome.error).__name__ == recorded["error_type"], message
    missing = texts.missing_facts(recorded["error"], message)
    assert not missing, f"{message!r} does not tell {sorted(missing)} of {recorded['error']!r}"
    for word in WORDS.get(name, ()):
        assert word in message.lower()
    assert outcome.stdout == recorded["stdout"]
    assert outcome.warnings == recorded["warnings"]


def test_learning_rate_is_another_name_of_lr() -> None:
    outcome = texts.run("optimizer = " + TEXTS["err_optimizer_kwarg"]["source"])
    assert outcome.error is None
    assert outcome.names["optimizer"].get_config()["lr"] == pytest.approx(0.1, rel=1e-6)


def test_nested_lists_are_data() -> None:
    source = TEXTS["err_not_numpy_list"]["source"]
    assert texts.run(source).error is None
    lines = source.splitlines()
    prepared = "\n".join([*lines[:-1], "w = model.get_weights()"])
    as_list = prepared + "\nmodel.fit(x.tolist(), y, shuffle=False, verbose=0); as_list = model.get_weights()"
    both = as_list + "\nmodel.set_weights(w); model.fit(x, y, shuffle=False, verbose=0); as_array = model.get_weights()"
    outcome = texts.run(both)
    assert outcome.error is None
    for a, b in zip(outcome.names["as_list"], outcome.names["as_array"], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("err_y_none", ("y",)),
        # One array came, four are the weights.
        ("err_set_weights_count", ("1", "4")),
        ("err_reshape", ("(6,)", "(4,2)")),
        ("err_predict_empty", ("layers",)),
    ],
)
def test_a_clear_value_error(name: str, words: tuple[str, ...]) -> None:
    outcome = texts.run(TEXTS[name]["source"])
    assert type(outcome.error) is ValueError
    # Spaces inside of shapes do not matter, those between words do.
    compact = re.sub(r",\s+(?=\d|None|\))", ",", str(outcome.error))
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", compact), outcome.error


def test_a_missing_file_is_named_without_the_flags_of_the_library() -> None:
    error = texts.run(TEXTS["err_load_missing"]["source"]).error
    assert isinstance(error, OSError)
    assert error.errno == 2
    assert "none.h5" in str(error)


class TestReading:
    """The helpers themselves, on the recorded texts."""

    def test_every_entry_is_in_one_place(self) -> None:
        assert sorted(PRINTED + LOGGED + RAISED) == sorted(TEXTS)
        assert set(LATER) | DIFFERENT <= set(TEXTS)
        assert not set(LATER) & DIFFERENT

    @pytest.mark.parametrize("name", LOGGED)
    def test_recorded_logs_are_understood(self, name: str) -> None:
        lines = texts.structure(TEXTS[name]["stdout"])
        assert not any("ETA" in line for line in lines)
        assert not any(re.search(r"\d/step", line) for line in lines)

    @pytest.mark.parametrize("name", TERMINAL)
    def test_a_terminal_shows_what_a_file_holds(self, name: str) -> None:
        # But for the empty line that stands in a file before a bar, because a bar there cannot be redrawn.
        on_terminal = [line for line in texts.structure(TEXTS[name]["tty"]) if line]
        assert on_terminal == [line for line in texts.structure(TEXTS[name]["stdout"]) if line]

    def test_a_wrong_bar_is_noticed(self) -> None:
        with pytest.raises(AssertionError):
            texts.structure("32/96 [==========>...................] - ETA: 0s - loss: 1.0000")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("err_fit_lengths", {"96", "90"}),
            ("err_input_ndim", {"dense_1_input", "2", "(96,20,1)"}),
            ("err_target_shape", {"dense_2", "(3,)", "(2,)"}),
            ("err_class_weight_missing", {"class_weight", "{1,2}"}),
            ("err_unknown_optimizer", {"foo"}),
            ("err_layer_kwarg", {"foo"}),
            ("err_concat_shapes", {"Concatenate", "(None,3,2)", "(None,4,3)"}),
            ("err_duplicate_names", {"d", "2"}),
            ("err_model_disconnected", {"input_2"}),
            ("err_model_nonkeras", {"Layer"}),
            ("err_layer_input_axis", {"0", "dense_1", "-1", "4", "(None,5)"}),
        ],
    )
    def test_facts(self, name: str, expected: set[str]) -> None:
        assert texts.facts(TEXTS[name]["error"]) == expected

    def test_a_missing_fact_is_noticed(self) -> None:
        assert texts.missing_facts(TEXTS["err_fit_lengths"]["error"], "96 inputs") == {"90"}

    def test_a_config_is_recorded_as_python(self) -> None:
        lines = TEXTS["repr_misc"]["stdout"].splitlines()
        assert ast.literal_eval(lines[1])["name"] == "sequential_1"
