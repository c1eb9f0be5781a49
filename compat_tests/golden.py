"""Replays the runs of Keras 2.2.4 in `recorded/` and compares what kjax computes with what Keras computed."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FOLDER = pathlib.Path(__file__).parent / "recorded"
GROUPS = ("optimizers", "losses", "activations", "layers", "rnn")
TOLERANCE = 2e-4


@dataclass(frozen=True)
class Case:
    """One recorded run: what was written (`meta`), and every array that went in or came out."""

    group: str
    name: str
    head: str
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(repr=False)

    def series(self, prefix: str, count: int) -> list[np.ndarray]:
        """The arrays `prefix0`, `prefix1`, ..."""
        return [self.arrays[f"{prefix}{i}"] for i in range(count)]

    @property
    def debiased(self) -> bool:
        """Whether the moving averages were recorded with zero-debiasing, which kjax leaves out."""
        return "zero-debiased" in self.meta["note"]


@dataclass
class Replay:
    """What kjax gave for a case."""

    weights_set: list[np.ndarray]
    pred0: list[np.ndarray]
    history: dict[str, list[float]]
    epoch: list[int]
    params: dict[str, Any]
    weights: list[np.ndarray]
    weight_names: list[str]
    pred1: list[np.ndarray]
    evaluate: Any
    metrics_names: list[str]
    layers: list[list[str]]
    optimizer: str
    optimizer_config: dict[str, Any]
    optimizer_state: list[np.ndarray]


def translate(source: str) -> str:
    """The same source with kjax in the place of keras."""
    source = re.sub(r"\bfrom keras\b", "from kjax", source)
    return re.sub(r"^import keras$", "import kjax as keras", source, flags=re.MULTILINE)


@functools.cache
def load(group: str) -> dict[str, Case]:
    """Every case of a group by name."""
    recorded = json.loads((FOLDER / f"{group}.json").read_text())
    with np.load(FOLDER / f"{group}.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return {
        name: Case(
            group,
            name,
            recorded["head"],
            meta,
            {key.removeprefix(name + "/"): value for key, value in arrays.items() if key.startswith(name + "/")},
        )
        for name, meta in recorded["cases"].items()
    }


def load_texts() -> dict[str, dict[str, Any]]:
    """The recorded texts by name: `source`, and `stdout`, `tty`, `warnings`, `error_type`, `error`."""
    return json.loads((FOLDER / "text.json").read_text())


def all_cases() -> list[Case]:
    """Every case of every group."""
    return [case for group in GROUPS for case in load(group).values()]


def namespace(head: str) -> dict[str, Any]:
    """The names that a recorded source finds."""
    names: dict[str, Any] = {"np": np}
    exec(translate(head), names)
    exec(translate("import keras"), names)
    return names


# Cases in which rounding grows until it decides the result, and the number of epochs that come before: only those can
# be compared. (Weights that differ by 1e-7 at the start end up to 1.0 apart; a test shows it.)
CHAOTIC = {"loss_mape_sw": 2}


def replay(case: Case) -> Replay:
    """Builds the case's model in kjax, gives it the recorded weights, trains it as Keras was told to."""
    meta = case.meta
    names = namespace(case.head)
    names.update({name: case.arrays[f"extra_{name}"] for name in meta["extra"]})
    exec(translate(meta["build"]), names)
    model = names["model"]
    model.set_weights(case.series("w0_", meta["n_w"]))
    weights_set = model.get_weights()
    exec(translate(meta["compile"]), names)

    x = _one_or_list(case.series("x", meta["n_x"]))
    y = _one_or_list(case.series("y", meta["n_y"]))
    fit_extra = eval(f"dict({translate(meta['fit_extra'])})", names)
    batch = meta["batch_size"]
    pred0 = _as_list(model.predict(x, batch_size=batch))
    history = model.fit(x, y, batch_size=batch, epochs=meta["epochs"], shuffle=False, verbose=0, **fit_extra)
    weights = model.get_weights()
    state = model.optimizer.get_weights()
    if case.debiased:
        _put_recorded_averages(case, model)
    return Replay(
        weights_set=weights_set,
        pred0=pred0,
        history={key: list(history.history[key]) for key in history.history},
        epoch=list(history.epoch),
        params=dict(history.params),
        weights=weights,
        weight_names=[weight.name for weight in model.weights],
        pred1=_as_list(model.predict(x, batch_size=batch)),
        evaluate=model.evaluate(x, y, batch_size=batch, verbose=0),
        metrics_names=list(model.metrics_names),
        layers=[[layer.name, type(layer).__name__] for layer in model.layers],
        optimizer=type(model.optimizer).__name__,
        optimizer_config=model.optimizer.get_config(),
        optimizer_state=state,
    )


def check(case: Case, got: Replay | None = None) -> float:
    """Compares all that a case recorded; returns the largest deviation, relative to max(1, |value|)."""
    meta = case.meta
    got = replay(case) if got is None else got
    assert got.layers == meta["layers"]
    assert got.weight_names == [with_suffix(name) for name in meta["weight_names"]]
    assert got.metrics_names == meta["metrics_names"]
    assert got.optimizer == meta["optimizer"]
    assert got.epoch == meta["history_epoch"]
    assert got.params == meta["history_params"]
    # Keys and their order: scripts print the dictionary and zip it with metrics_names.
    assert list(got.history) == list(meta["history"])
    assert np.ndim(got.evaluate) == (0 if meta["evaluate_is_scalar"] else 1)

    deviations = [deviation(a, b, "set_weights") for a, b in _pairs(case, got.weights_set, "w0_", "n_w")]
    deviations += [deviation(a, b, "pred0") for a, b in _pairs(case, got.pred0, "pred0_", "n_pred")]
    for key, recorded in meta["history"].items():
        epochs = slice(CHAOTIC.get(case.name))
        deviations.append(deviation(np.array(got.history[key])[epochs], np.array(recorded)[epochs], f"history[{key}]"))
    if case.name in CHAOTIC:
        return max(deviations)
    averages = moving_averages(case) if case.debiased else set()
    for index, (a, b) in enumerate(_pairs(case, got.weights, "w1_", "n_w")):
        if index not in averages:
            deviations.append(deviation(a, b, f"weight {index} after training"))
    deviations += [deviation(a, b, "pred1") for a, b in _pairs(case, got.pred1, "pred1_", "n_pred")]
    deviations.append(deviation(np.atleast_1d(got.evaluate), np.array(meta["evaluate"]), "evaluate"))
    for index, (a, b) in enumerate(_pairs(case, got.optimizer_state, "opt_", "n_opt")):
        deviations.append(deviation(a, b, f"optimizer state {index}"))
    deviations.append(config_deviation(got.optimizer_config, meta["optimizer_config"]))
    return max(deviations)


def deviation(got: Any, recorded: Any, what: str, tolerance: float = TOLERANCE) -> float:
    """Largest |got - recorded| / max(1, |recorded|); fails where it passes the tolerance or shapes differ."""
    got, recorded = np.asarray(got), np.asarray(recorded)
    assert got.shape == recorded.shape, f"{what}: shape {got.shape}, recorded {recorded.shape}"
    if not recorded.size:
        return 0.0
    ours, wanted = got.astype("float64"), recorded.astype("float64")
    # Two recorded runs diverge. Whether an entry is then inf or NaN hangs on the order of a sum, so that
    # either will do there; a number that Keras had must be a number here.
    finite = np.isfinite(wanted)
    same = np.array_equal(np.isfinite(ours), finite)
    assert same, f"{what}: deviates, other entries are finite than the recorded ones"
    if not finite.any():
        return 0.0
    ours, wanted = ours[finite], wanted[finite]
    largest = float(np.max(np.abs(ours - wanted) / np.maximum(1.0, np.abs(wanted))))
    assert largest <= tolerance, f"{what}: deviates by {largest:.3g}, allowed are {tolerance:.3g}"
    return largest


def config_deviation(got: dict[str, Any], recorded: dict[str, Any]) -> float:
    """Compares two configs: the same keys, the same words, numbers to float32's last digits."""
    assert got.keys() == recorded.keys()
    largest = 0.0
    for key, value in recorded.items():
        if isinstance(value, float):
            largest = max(largest, deviation(got[key], value, f"optimizer config {key}", tolerance=1e-6))
        else:
            assert got[key] == value, f"optimizer config {key}"
    return largest


def with_suffix(name: str) -> str:
    """The variable's name as TensorFlow printed it, `:0` at its end; Theano printed it bare."""
    return name if name.endswith(":0") else name + ":0"


def moving_averages(case: Case) -> set[int]:
    """Places in `get_weights()` of the moving averages, which come last within their layer there."""
    model_order = [with_suffix(name) for name in case.meta["weight_names"]]
    by_layer = [layer for layer, _ in case.meta["layers"]]
    layer_order = sorted(model_order, key=lambda name: by_layer.index(name.split("/")[0]))
    return {index for index, name in enumerate(layer_order) if "/moving_" in name}


def _put_recorded_averages(case: Case, model: Any) -> None:
    """Puts the recorded moving averages in place of ours, so that all else that follows can be compared."""
    averages = moving_averages(case)
    recorded = case.series("w1_", case.meta["n_w"])
    ours = model.get_weights()
    model.set_weights([recorded[i] if i in averages else ours[i] for i in range(len(ours))])


def _pairs(case: Case, got: list[np.ndarray], prefix: str, count: str) -> list[tuple[Any, Any]]:
    recorded = case.series(prefix, case.meta[count])
    assert len(got) == len(recorded), f"{prefix}: {len(got)} arrays, recorded are {len(recorded)}"
    return list(zip(got, recorded, strict=True))


def _one_or_list(arrays: list[np.ndarray]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
