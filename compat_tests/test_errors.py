"""Bad input to the methods of a model: the exception, the facts in its message, and weights that stay as they were."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kjax import callbacks
from kjax.layers import Dense, Input, concatenate
from kjax.models import Model, Sequential

SPARSE = "sparse_categorical_crossentropy"
X = np.random.RandomState(0).rand(12, 4).astype("float32")
Y = np.random.RandomState(1).rand(12, 2).astype("float32")
X3, Y1 = X[:, :3], Y[:, :1]
C = np.arange(12) % 3
ONE_HOT = np.eye(2, dtype="float32")[C % 2]
FOUR = (X, Y, X, Y)

Case = tuple[str, Callable[[Any], Any], type[Exception], tuple[str, ...]]


def one(loss: str = "mse") -> Sequential:
    """Four features in; two numbers out, or three classes."""
    last = Dense(3, activation="softmax", input_dim=4) if loss == SPARSE else Dense(2, input_dim=4)
    model = Sequential([last])
    model.compile("sgd", loss)
    return model


def two() -> Model:
    """Inputs `a` (4) and `b` (3), outputs `o` (1) and `p` (2)."""
    a, b = Input((4,), name="a"), Input((3,), name="b")
    model = Model([a, b], [Dense(1, name="o")(a), Dense(2, name="p")(concatenate([a, b]))])
    model.compile("sgd", "mse")
    return model


def with_nan(array: Any, *places: tuple[int, ...]) -> np.ndarray:
    array = np.array(array, "float32")
    for place in places:
        array[place] = np.nan
    return array


def yields(*items: Any) -> Iterator[Any]:
    yield from items


def endless() -> Iterator[Any]:
    while True:
        yield X, Y


def fails() -> Iterator[Any]:
    raise KeyError("lost.csv")
    yield X, Y


def check(model: Model, call: Callable[[Any], Any], kind: type[Exception], facts: tuple[str, ...]) -> None:
    """The call raises exactly `kind`, tells the facts, and changes no weight."""
    before = model.get_weights()
    with pytest.raises(kind) as caught:
        call(model)
    assert caught.type is kind
    for fact in facts:
        assert fact in str(caught.value), str(caught.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def params(*cases: Case) -> Any:
    return pytest.mark.parametrize(("call", "kind", "facts"), [pytest.param(*c[1:], id=c[0]) for c in cases])


def fit(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda model: model.fit(*args, verbose=0, **kwargs)


def stream(*items: Any) -> Callable[[Any], Any]:
    return lambda model: model.fit_generator(yields(*items), steps_per_epoch=1, verbose=0)


@params(
    ("evaluate lengths", lambda m: m.evaluate(X, Y[:5], verbose=0), ValueError, ("12", "5")),
    ("train_on_batch lengths", lambda m: m.train_on_batch(X, Y[:5]), ValueError, ("12", "5")),
    ("test_on_batch lengths", lambda m: m.test_on_batch(X, Y[:5]), ValueError, ("12", "5")),
    ("predict shape", lambda m: m.predict(X3), ValueError, ("dense_1_input", "(4,)", "(3,)")),
    ("predict_on_batch rank", lambda m: m.predict_on_batch(X[..., None]), ValueError, ("2 dim", "(12, 4, 1)")),
    ("a single sample", lambda m: m.predict(X[0]), ValueError, ("dense_1_input", "(4,)", "(1,)")),
    ("a number", lambda m: m.predict(3.0), ValueError, ("dense_1_input", "3.0")),
    ("nothing", lambda m: m.predict(None), ValueError, ("dense_1_input",)),
    ("texts", fit(np.array([["a"] * 4] * 12), Y), ValueError, ("dense_1_input", "<U1", "'a'")),
    ("objects", fit(np.array([["a", 1, 2, 3]] * 12, object), Y), ValueError, ("dense_1_input", "(12, 4)", "'a'")),
    ("ragged rows", fit([[1, 2, 3, 4], [1, 2]], Y[:2]), ValueError, ("dense_1_input", "inhomogeneous")),
    ("complex numbers", fit(X.astype(complex), Y), ValueError, ("dense_1_input", "complex128")),
    ("dates", fit(X.astype("datetime64[s]"), Y), ValueError, ("dense_1_input", "datetime64[s]")),
    ("text targets", fit(X, np.array([["a", "b"]] * 12)), ValueError, ("target dense_1", "<U1")),
    ("empty fit", fit(X[:0], Y[:0]), ValueError, ("empty", "0 samples")),
    ("empty lists", fit([], []), ValueError, ("empty", "0 samples")),
    ("empty predict", lambda m: m.predict(X[:0]), ValueError, ("empty", "0 samples")),
    ("empty evaluate", lambda m: m.evaluate(X[:0], Y[:0]), ValueError, ("empty", "0 samples")),
    ("nan in x", fit(with_nan(X, (3, 1), (5, 0)), Y), ValueError, ("dense_1_input", "2 of 48", "(3, 1)")),
    ("nan in y", fit(X, with_nan(Y, (4, 1))), ValueError, ("target dense_1", "1 of 24", "(4, 1)")),
    ("nan in a batch", lambda m: m.train_on_batch(with_nan(X, (3, 1)), Y), ValueError, ("1 of 48", "(3, 1)")),
    ("nan to validate on", fit(X, Y, validation_data=(with_nan(X, (3, 1)), Y)), ValueError, ("1 of 48", "(3, 1)")),
    ("nan among objects", fit(with_nan(X, (3, 1)).astype(object), Y), ValueError, ("1 of 48", "(3, 1)")),
)
def test_arrays(call: Any, kind: Any, facts: Any) -> None:
    check(one(), call, kind, facts)


@params(
    ("lengths of inputs", fit([X, X3[:6]], [Y1, Y]), ValueError, ("(x)", "(12, 4)", "(6, 3)")),
    ("lengths of targets", fit([X, X3], [Y1, Y[:6]]), ValueError, ("(y)", "(12, 1)", "(6, 2)")),
    ("lengths of weights", fit([X, X3], [Y1, Y], sample_weight=[Y[:, 0], Y[:5, 0]]), ValueError, ("(12,)", "(5,)")),
    ("one input for two", lambda m: m.predict(X), ValueError, ("2", "(12, 4)", "'a'", "'b'")),
    ("three inputs for two", lambda m: m.predict([X, X3, X]), ValueError, ("2 array(s)", "3 arrays")),
    ("no inputs for two", lambda m: m.predict([]), ValueError, ("2 array(s)", "0 arrays")),
    ("one target for two", fit([X, X3], Y), ValueError, ("2", "(12, 2)", "'o'", "'p'")),
    ("key missing in x", lambda m: m.predict({"a": X}), ValueError, ('"b"', "'a'")),
    ("key wrong in y", fit([X, X3], {"o": Y1, "q": Y}), ValueError, ('"p"', "'o'")),
    ("one weight for two", fit([X, X3], [Y1, Y], sample_weight=np.ones(12)), TypeError, ("2", "sample_weight")),
    ("key wrong in weights", fit([X, X3], [Y1, Y], sample_weight={"z": Y[:, 0]}), ValueError, ("'o'", "'p'", "z")),
    ("classes without output", fit([X, X3], [Y1, Y], class_weight={0: 1.0}), ValueError, ("'o'", "class_weight")),
    ("loss key", lambda m: m.compile("sgd", {"z": "mse"}), ValueError, ('"z"', "'o'", "'p'")),
    ("losses short", lambda m: m.compile("sgd", ["mse"]), ValueError, ("2 outputs", "['mse']")),
    ("loss_weights short", lambda m: m.compile("sgd", "mse", loss_weights=[1.0]), ValueError, ("2", "[1.0]")),
    ("loss_weights key", lambda m: m.compile("sgd", "mse", loss_weights={"z": 1}), ValueError, ('"z"', "'o'")),
    ("loss_weights number", lambda m: m.compile("sgd", "mse", loss_weights=2.0), TypeError, ("2.0", "2 entries")),
    ("loss_weights texts", lambda m: m.compile("sgd", "mse", loss_weights=["a", 1]), ValueError, ('"o"', "'a'")),
    ("metrics key", lambda m: m.compile("sgd", "mse", metrics={"z": "mae"}), ValueError, ('"z"', "'o'")),
    ("metrics short", lambda m: m.compile("sgd", "mse", metrics=[["mae"]]), ValueError, ("2 outputs", "mae")),
)
def test_several_inputs_and_outputs(call: Any, kind: Any, facts: Any) -> None:
    check(two(), call, kind, facts)


@params(
    ("negative", fit(X, C - 1), ValueError, ("-1", "3 classes", "0 to 2")),
    ("too large", fit(X, C + 1), ValueError, ("number 3", "3 classes", "0 to 2")),
    ("no whole number", fit(X, C + 0.5), ValueError, ("dense_1", "0.5", "0 to 2")),
    ("evaluate", lambda m: m.evaluate(X, C + 1, verbose=0), ValueError, ("number 3", "0 to 2")),
    ("to validate on", fit(X, C, validation_data=(X, C + 1)), ValueError, ("number 3", "0 to 2")),
    ("from a generator", stream((X, C + 1)), ValueError, ("number 3", "0 to 2")),
    ("nan from a generator", stream((X, with_nan(C, (2,)))), ValueError, ("nan", "0 to 2")),
)
def test_class_numbers(call: Any, kind: Any, facts: Any) -> None:
    check(one(SPARSE), call, kind, facts)


@params(
    ("short", fit(X, Y, sample_weight=np.ones(5)), ValueError, ("5", "12")),
    ("a column", lambda m: m.evaluate(X, Y, sample_weight=np.ones((12, 1))), ValueError, ("(12, 1)", "temporal")),
    ("texts", fit(X, Y, sample_weight=np.array(["a"] * 12)), ValueError, ("sample_weight of dense_1", "<U1")),
    ("a number", fit(X, Y, sample_weight=2.0), ValueError, ("sample_weight of dense_1", "2.0")),
    ("nan", fit(X, Y, sample_weight=with_nan(np.ones(12), (3,))), ValueError, ("sample_weight", "1 of 12", "(3,)")),
    ("class without weight", fit(X, ONE_HOT, class_weight={1: 2.0}), ValueError, ("class_weight", "{0}")),
    ("list for classes", fit(X, ONE_HOT, class_weight=[1.0, 2.0]), ValueError, ("dictionary", "[1.0, 2.0]")),
    ("word for classes", fit(X, ONE_HOT, class_weight="auto"), ValueError, ("dictionary", "'auto'")),
    ("text as weight", fit(X, ONE_HOT, class_weight={0: "a", 1: 1.0}), ValueError, ("class_weight", "{0: 'a'}")),
    ("nan as weight", fit(X, ONE_HOT, class_weight={0: np.nan, 1: 1.0}), ValueError, ("class_weight", "{0: nan}")),
)
def test_weights(call: Any, kind: Any, facts: Any) -> None:
    check(one(), call, kind, facts)


@params(
    *(
        (f"{name} {value!r}", fit(X, Y, **{name: value}), kind, (f"`{name}`", str(value)))
        for name, values, kind in (
            ("batch_size", (0, -3), ValueError),
            ("batch_size", (2.5, "a", np.nan, np.inf, {}), TypeError),
            ("epochs", (-1,), ValueError),
            ("epochs", (1.5, "3", None), TypeError),
            ("initial_epoch", (-1,), ValueError),
            ("steps_per_epoch", (0, -2), ValueError),
            ("steps_per_epoch", ("2", np.nan), TypeError),
            ("validation_batch_size", (-1,), ValueError),
            ("validation_split", (1.0, -0.1, 2), ValueError),
            ("validation_split", ("a", None), TypeError),
            ("validation_freq", (0,), ValueError),
            ("validation_freq", ("a", 1.5), TypeError),
        )
        for value in values
    ),
    ("predict batch_size", lambda m: m.predict(X, batch_size=0), ValueError, ("`batch_size`", "0")),
    ("evaluate batch_size", lambda m: m.evaluate(X, Y, batch_size=-1), ValueError, ("`batch_size`", "-1")),
    ("one sample to split", fit(X[:1], Y[:1], validation_split=0.5), ValueError, ("0.5", "1 samples")),
    ("validation_data of 4", fit(X, Y, validation_data=(*FOUR,)), ValueError, ("validation_data", "4 items")),
    ("validation_data an array", fit(X, Y, validation_data=X), ValueError, ("validation_data", "12 items")),
    ("validation_data shape", fit(X, Y, validation_data=(X3, Y)), ValueError, ("dense_1_input", "(4,)", "(3,)")),
    ("validation_data lengths", fit(X, Y, validation_data=(X, Y[:4])), ValueError, ("12", "4")),
    ("a number as callback", fit(X, Y, callbacks=[3]), TypeError, ("`callbacks`", "3")),
    ("a bare callback", fit(X, Y, callbacks=callbacks.History()), TypeError, ("`callbacks`", "list")),
    ("a class as callback", fit(X, Y, callbacks=[callbacks.History]), TypeError, ("History()",)),
    ("y beside a generator", fit(endless(), Y, steps_per_epoch=1), ValueError, ("`y`",)),
    ("split of a generator", fit(endless(), validation_split=0.5, steps_per_epoch=1), ValueError, ("0.5",)),
)
def test_options(call: Any, kind: Any, facts: Any) -> None:
    check(one(), call, kind, facts)


@params(
    ("None", stream(None), ValueError, ("(x, y)", "NoneType")),
    ("a number", stream(3), ValueError, ("(x, y)", "int 3")),
    ("a text", stream("ab"), ValueError, ("(x, y)", "str ab")),
    ("inputs alone", stream((X,)), ValueError, ("(x, y)", "tuple")),
    ("an array", stream(X), ValueError, ("(x, y)", "ndarray")),
    ("four arrays", stream(FOUR), ValueError, ("(x, y)", "tuple")),
    ("a wrong shape", stream((X3, Y)), ValueError, ("dense_1_input", "(4,)", "(3,)")),
    ("wrong lengths", stream((X, Y[:3])), ValueError, ("12", "3")),
    ("no samples", stream((X[:0], Y[:0])), ValueError, ("0 samples",)),
    ("no batch", stream(), ValueError, ("no batch",)),
    ("its own failure", lambda m: m.fit_generator(fails(), steps_per_epoch=1), KeyError, ("lost.csv",)),
    ("an empty list", lambda m: m.fit_generator([]), ValueError, ("no batch",)),
    ("no source", lambda m: m.fit_generator(3, steps_per_epoch=1), TypeError, ("generator", "int 3")),
    ("None as source", lambda m: m.fit_generator(None, steps_per_epoch=1), TypeError, ("generator", "NoneType")),
    ("not called", lambda m: m.fit_generator(endless, steps_per_epoch=1), TypeError, ("endless", "Call")),
    ("fit without steps", lambda m: m.fit_generator(endless()), ValueError, ("`steps_per_epoch",)),
    ("evaluate without steps", lambda m: m.evaluate_generator(endless()), ValueError, ("`steps",)),
    ("predict without steps", lambda m: m.predict_generator(endless()), ValueError, ("`steps",)),
    ("validation without steps", fit(X, Y, validation_data=endless()), ValueError, ("`validation_steps",)),
    ("fit with 0 steps", lambda m: m.fit_generator(endless(), 0), ValueError, ("`steps_per_epoch`", "0")),
    ("evaluate garbage", lambda m: m.evaluate_generator(yields(5), 1), ValueError, ("(x, y)", "int 5")),
    ("predict texts", lambda m: m.predict_generator(yields("a"), 1), ValueError, ("dense_1_input", "<U1")),
    ("predict None", lambda m: m.predict_generator(yields(None), 1), ValueError, ("NoneType",)),
)
def test_sources_of_batches(call: Any, kind: Any, facts: Any) -> None:
    check(one(), call, kind, facts)


def test_a_source_that_ends_early_warns_and_stops() -> None:
    model = one()
    with pytest.warns(UserWarning, match="ran out of data.* 1 of 3"):
        model.fit_generator(yields((X, Y)), steps_per_epoch=3, verbose=0)


METHODS: dict[str, Callable[[Any], Any]] = {
    "fit": fit(X, Y),
    "evaluate": lambda m: m.evaluate(X, Y),
    "train_on_batch": lambda m: m.train_on_batch(X, Y),
    "test_on_batch": lambda m: m.test_on_batch(X, Y),
    "fit_generator": stream((X, Y)),
    "evaluate_generator": lambda m: m.evaluate_generator(yields((X, Y)), 1),
    "metrics_names": lambda m: m.metrics_names,
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("built", [True, False])
def test_uncompiled(name: str, built: bool) -> None:
    model = Sequential([Dense(2, input_dim=4) if built else Dense(2)])
    check(model, METHODS[name], RuntimeError, ("compile", "optimizer, loss"))


@params(
    ("metrics_names", lambda m: m.metrics_names, RuntimeError, ("not been built",)),
    ("count_params", lambda m: m.count_params(), RuntimeError, ("sequential_1", "build")),
    ("layer count_params", lambda m: m.layers[0].count_params(), RuntimeError, ("dense_1", "build")),
    ("to_jax", lambda m: m.to_jax(), RuntimeError, ("not been built",)),
    ("output", lambda m: m.output, AttributeError, ("sequential_1", "output")),
    ("output_shape", lambda m: m.output_shape, AttributeError, ("sequential_1", "output shape")),
    ("build", lambda m: m.build(), ValueError, ("input_shape",)),
    ("set_weights", lambda m: m.set_weights([np.ones((4, 2))]), ValueError, ("sequential_1", "1", "0", "(4, 2)")),
)
def test_unbuilt(call: Any, kind: Any, facts: Any) -> None:
    model = Sequential([Dense(2)])
    model.compile("sgd", "mse")
    check(model, call, kind, facts)


@pytest.mark.parametrize("name", ["fit", "evaluate", "train_on_batch", "fit_generator"])
def test_no_layers(name: str) -> None:
    model = Sequential()
    model.compile("sgd", "mse")
    check(model, METHODS[name], ValueError, ("no layers", "add"))


@pytest.mark.parametrize("name", ["fit", "train_on_batch", "fit_generator"])
def test_a_model_trains_after_a_refusal(name: str) -> None:
    model = one()
    check(model, fit(X3, Y), ValueError, ("(3,)",))
    before = model.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        METHODS[name](model)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
