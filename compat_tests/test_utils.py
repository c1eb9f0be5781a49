"""Labels, lists, objects by name, and the progress bar character by character."""

from __future__ import annotations

import io
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import golden, texts
from kjax._core import progbar
from kjax.utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    generic_utils,
    get_custom_objects,
    normalize,
    np_utils,
    print_summary,
    serialize_keras_object,
    to_categorical,
)

TEXTS = golden.load_texts()

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
DRAWN = re.compile(
    r"(?:\n|\x08*\r) *(\d+)/(\d+) \[[=>.]*\] - (?:ETA: 0s|0s (\d+)(us|ms|s)/step)"
    r"((?: - \w+: [-\d.e]+)*) *(?(3)\n)"
)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progbar, "time", types.SimpleNamespace(time=clock.time))
    return clock


def bars(text: str) -> Iterator[list[re.Match[str]]]:
    """The drawings in a recorded text, bar by bar."""
    bar: list[re.Match[str]] = []
    for drawn in DRAWN.finditer(text):
        if bar and int(drawn[1]) <= int(bar[-1][1]):
            yield bar
            bar = []
        bar.append(drawn)
    yield bar


def redraw(bar: list[re.Match[str]], clock: Clock) -> None:
    """Draw a recorded bar anew: at each of its drawings the averages and the time that it shows."""
    begin = clock.now
    drawn_again = Progbar(int(bar[0][2]))
    totals: dict[str, float] = {}
    seen = 0
    for drawn in bar:
        current = int(drawn[1])
        # The recorded pace gives the time of the last drawing. Any will do for those before.
        clock.now = begin + int(drawn[3]) * UNITS[drawn[4]] * current if drawn[3] else clock.now + 1e-4 * current
        drawn_again.interval = 0
        values = []
        for name, shown in re.findall(r" - (\w+): (\S+)", drawn[5]):
            total = float(shown) * current if name in totals or not seen else float(shown) * (current - seen)
            values.append((name, (total - totals.get(name, 0.0)) / (current - seen)))
            totals[name] = total
        drawn_again.update(current, values)
        seen = current


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        (name, stream)
        for name, entry in TEXTS.items()
        for stream in ("stdout", "tty")
        if name.startswith("verbose1_") and stream in entry
    ],
)
def test_bar_is_drawn_to_the_letter(name: str, stream: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = TEXTS[name][stream]
    recorded = recorded.replace("\r\n", "\n")
    for bar in bars(recorded):
        output = texts.Terminal() if stream == "tty" else io.StringIO()
        monkeypatch.setattr(sys, "stdout", output)
        redraw(bar, clock)
        assert output.getvalue() == recorded[bar[0].start() : bar[-1].end()]


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("verbose2_")])
def test_line_is_written_to_the_letter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in TEXTS[name]["stdout"].splitlines() if line.startswith(" - ")]
    assert lines
    for line in lines:
        values = [(k, float(v)) for k, v in re.findall(r" - (\w+): (\S+)", line)]
        bar = Progbar(96, verbose=2)
        bar.update(32, values)
        bar.update(96, values)
        assert capsys.readouterr().out == line + "\n"


def test_many_batches_at_once_average_as_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    values = np.random.RandomState(3).rand(10)
    single, chunked = Progbar(320, interval=1e9), Progbar(320, interval=1e9)
    for i, value in enumerate(values):
        single.update(32 * (i + 1), [("loss", value)])
    chunked.update(128, [("loss", values[:4].mean())])
    chunked.collect(288, [("loss", values[4:9].mean())])
    chunked.add(32, [("loss", values[9])])
    ends = [line for line in capsys.readouterr().out.splitlines() if line.startswith("320/320")]
    assert len(ends) == 2
    assert {line.split(" - ")[-1] for line in ends} == {f"loss: {values.mean():.4f}"}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1, "1s"), (59.9, "59s"), (61, "1:01"), (3600, "60:00"), (3661, "1:01:01"), (90000, "25:00:00")],
)
def test_remaining_time(seconds: float, shown: str, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(2)
    clock.now += seconds
    bar.update(1)
    assert capsys.readouterr().out.endswith(f" - ETA: {shown}")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(2.4, "2s/step"), (1, "1s/step"), (0.0123, "12ms/step"), (0.000999, "999us/step"), (0, "0us/step")],
)
def test_pace(seconds: float, shown: str, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(10)
    clock.now += 10 * seconds
    bar.update(10)
    assert capsys.readouterr().out == f"\n10/10 [{'=' * 30}] - {10 * seconds:.0f}s {shown}\n"


def test_draws_no_more_often_than_the_interval(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(100, interval=0.05)
    for i in range(1, 101):
        clock.now += 0.011
        bar.update(i)
    drawn = re.findall(r"(\d+)/100", capsys.readouterr().out)
    assert drawn == [str(i) for i in (*range(1, 100, 5), 100)]


def test_stateful_values_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(2, stateful_metrics=["count"], interval=0)
    bar.update(1, [("count", 3), ("loss", 1.0)])
    bar.update(2, [("count", 8), ("loss", 2.0)])
    assert capsys.readouterr().out.endswith(" - count: 8 - loss: 1.5000\n")


def test_unknown_target(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(None)
    clock.now += 0.5
    bar.update(5, [("loss", 1.0)])
    assert capsys.readouterr().out == "\n      5/Unknown - 0s 100ms/step - loss: 1.0000"


def test_silent(capsys: pytest.CaptureFixture[str]) -> None:
    Progbar(1, verbose=0).update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "bar", "line"), [(-0.9, "-0.9000", "-9.0000e-01"), (5e-4, "5.0000e-04", "5.0000e-04")]
)
def test_how_values_are_written(value: float, bar: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, shown in ((1, bar), (2, line)):
        Progbar(1, verbose=verbose).update(1, [("loss", value)])
        assert capsys.readouterr().out.endswith(f" - loss: {shown}\n")


def test_to_categorical() -> None:
    one_hot = to_categorical([1, 0, 3])
    assert one_hot.dtype == np.float32
    np.testing.assert_array_equal(one_hot, np.eye(4)[[1, 0, 3]])
    np.testing.assert_array_equal(to_categorical([[1], [0]], 3, dtype="int8"), np.eye(3)[[1, 0]])
    assert to_categorical(np.zeros((2, 5, 1))).shape == (2, 5, 1)
    assert to_categorical(np.zeros((2, 5)), 4).shape == (2, 5, 4)
    assert to_categorical(np.array(["2", "0"])).shape == (2, 3)
    assert to_categorical(2).shape == (3,)
    assert to_categorical([], 3).shape == (0, 3)
    assert np_utils.to_categorical is to_categorical


@pytest.mark.parametrize(
    ("labels", "classes", "error", "facts"),
    [
        ([0, -1], None, ValueError, "negative.*-1"),
        ([0, 1.5], None, ValueError, r"whole numbers.*1\.5"),
        ([0, float("nan")], None, ValueError, "whole numbers.*nan"),
        ([0, float("inf")], None, ValueError, "whole numbers.*inf"),
        (["cat", "dog"], None, ValueError, "whole numbers.*cat"),
        ([0, 10], 10, IndexError, "Label 10 .* 10 classes.*num_classes=11"),
        ([], None, ValueError, "num_classes"),
    ],
)
def test_to_categorical_refuses(labels: list[Any], classes: int | None, error: type, facts: str) -> None:
    with pytest.raises(error, match=facts):
        to_categorical(labels, classes)


def test_to_categorical_equals_todays_keras() -> None:
    keras = pytest.importorskip("keras", reason="compares with today's Keras")
    labels = np.random.RandomState(0).randint(0, 7, (4, 5, 1))
    np.testing.assert_array_equal(to_categorical(labels, 7), keras.utils.to_categorical(labels, 7))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalize(order: int, axis: int) -> None:
    x = np.random.RandomState(0).randn(3, 4)
    x[1] = x[:, 2] = 0
    got = normalize(x, axis=axis, order=order)
    lengths = (np.abs(got) ** order).sum(axis) ** (1 / order)
    np.testing.assert_allclose(lengths, (np.abs(x).sum(axis) > 0).astype(float), atol=1e-12)


def test_normalize_of_one_vector_has_two_dimensions() -> None:
    np.testing.assert_allclose(normalize([3.0, 4.0]), [[0.6, 0.8]])


def double(x: float) -> float:
    return 2 * x


class Scale:
    def __init__(self, by: float = 1.0) -> None:
        self.by = by

    def get_config(self) -> dict[str, Any]:
        return {"by": self.by}


def test_objects_by_name() -> None:
    module = {"double": double, "Scale": Scale, "twice": double, "np": np, "pi": 3.14}
    assert serialize_keras_object(None) is None
    assert serialize_keras_object(double) == "double"
    assert serialize_keras_object(Scale(2.0)) == {"class_name": "Scale", "config": {"by": 2.0}}
    assert deserialize_keras_object(None) is None
    assert deserialize_keras_object("twice", module_objects=module) is double
    assert deserialize_keras_object(serialize_keras_object(Scale(2.0)), module).by == 2.0
    assert deserialize_keras_object("mine", module, custom_objects={"mine": double}) is double
    with CustomObjectScope({"own": double}), custom_object_scope({"other": Scale}):
        assert deserialize_keras_object("own") is double
        assert get_custom_objects() == {"own": double, "other": Scale}
    assert get_custom_objects() == {}
    with pytest.raises(ValueError, match="Unknown thing: own"):
        deserialize_keras_object("own", module, printable_module_name="thing")
    with pytest.raises(ValueError, match="pi"):
        deserialize_keras_object("pi", module)
    with pytest.raises(ValueError, match="serialize"):
        serialize_keras_object(3)


def test_lists() -> None:
    assert generic_utils.to_list(1) == [1]
    assert generic_utils.to_list((1, 2)) == [(1, 2)]
    assert generic_utils.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert generic_utils.unpack_singleton([1]) == 1
    assert generic_utils.unpack_singleton([1, 2]) == [1, 2]
    assert generic_utils.is_all_none((None, None))
    assert generic_utils.is_all_none(None)
    assert not generic_utils.is_all_none([None, 0])
    a, b = object(), object()
    assert generic_utils.object_list_uid([a, b]) != generic_utils.object_list_uid([b, a])
    assert generic_utils.object_list_uid(a) == generic_utils.object_list_uid([a])
    with pytest.raises(ValueError, match=r"losses.*\['c'\].*\['a', 'b'\]"):
        generic_utils.check_for_unexpected_keys("losses", {"a": 1, "c": 2}, ["b", "a"])
    generic_utils.check_for_unexpected_keys("losses", {"a": 1}, ["b", "a"])


def test_slices() -> None:
    x, y = np.arange(5), np.arange(10).reshape(5, 2)
    np.testing.assert_array_equal(generic_utils.slice_arrays(x, 1, 3), [1, 2])
    np.testing.assert_array_equal(generic_utils.slice_arrays(x, [4, 0]), [4, 0])
    first, nothing = generic_utils.slice_arrays([y, None], 3)
    np.testing.assert_array_equal(first, y[3:])
    assert nothing is None
    assert generic_utils.slice_arrays(None) == [None]
    with pytest.raises(ValueError, match="stop"):
        generic_utils.slice_arrays(x, [1], 2)


def test_has_arg() -> None:
    def function(a: int, b: int = 1, **rest: int) -> None: ...

    assert generic_utils.has_arg(function, "b")
    assert not generic_utils.has_arg(function, "c")
    assert generic_utils.has_arg(function, "c", accept_all=True)
    assert not generic_utils.has_arg(double, "c", accept_all=True)
    assert generic_utils.has_arg(Scale, "by")


def test_print_summary_asks_the_model() -> None:
    class Model:
        def summary(self, line_length: int, positions: list[float], print_fn: Any) -> None:
            print_fn(f"{line_length} {positions}")

    lines: list[str] = []
    print_summary(Model(), 40, [0.5, 1.0], lines.append)
    assert lines == ["40 [0.5, 1.0]"]


def test_what_tf_keras_added() -> None:
    utils: Any = kjax.utils
    utils.set_random_seed(3)
    drawn = np.random.rand()
    utils.set_random_seed(3)
    assert np.random.rand() == drawn
    np.testing.assert_array_equal(utils.to_ordinal([0, 2, 1], 4), [[0, 0, 0], [1, 1, 0], [1, 0, 0]])
    for parts in ((1,), (1, 2), (1, 2, 3)):
        assert utils.unpack_x_y_sample_weight(utils.pack_x_y_sample_weight(*parts)) == (*parts, None, None)[:3]
    assert utils.pad_sequences([[1], [2, 3]]).tolist() == [[0, 1], [2, 3]]
    assert utils.img_to_array(np.zeros((2, 3))).shape == (2, 3, 1)


def test_registered_classes_are_found() -> None:
    with kjax.utils.CustomObjectScope():

        @kjax.utils.register_keras_serializable("mine")
        class Doubling(kjax.layers.Layer):
            def call(self, x: Any) -> Any:
                return x * 2

        assert kjax.utils.get_registered_name(Doubling) == "mine>Doubling"
        assert kjax.utils.get_registered_object("mine>Doubling") is Doubling
        for name in ("Doubling", "mine>Doubling"):
            assert isinstance(kjax.layers.deserialize({"class_name": name, "config": {}}), Doubling)


def test_settings_without_effect() -> None:
    from kjax import mixed_precision as mixed
    from kjax.compat.tensorflow import distribute

    with pytest.warns(UserWarning, match="has no effect"):
        mixed.set_global_policy("mixed_float16")
    assert (mixed.global_policy().name, mixed.global_policy().compute_dtype) == ("mixed_float16", "float32")
    mixed.set_global_policy("float32")
    strategy = distribute.MirroredStrategy()
    with strategy.scope():
        model = kjax.models.Sequential([kjax.layers.Dense(1, input_shape=(2,))])
    assert (strategy.num_replicas_in_sync, model.count_params()) == (1, 3)
    assert kjax.optimizers.legacy.Adam is kjax.optimizers.experimental.Adam is kjax.optimizers.Adam
