"""What `fit` and its like accept as data: arrays of all kinds, tables, dictionaries, generators, sequences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import Rows, close, data, forward, in_order, linear, losses, same_bits, start, train
from kjax.layers import Dense, Input, concatenate
from kjax.models import Model, Sequential

X, Y = data()
WANTED = train(X, Y, [list(range(10))])[0]


@pytest.mark.parametrize(
    "form",
    [
        lambda a: a,
        lambda a: [a],
        lambda a: (a,),
        lambda a: a.tolist(),
        lambda a: a.astype("float64"),
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        jnp.asarray,
        lambda a: [jnp.asarray(a)],
        lambda a: a.astype(object),
        lambda a: list(a.astype("float64")),
    ],
    ids=["array", "list", "tuple", "nested", "f64", "fortran", "strided", "jax", "list-jax", "object", "rows"],
)
def test_forms_of_one_array(form: Any, request: pytest.FixtureRequest) -> None:
    model = linear()
    if "rows" in request.node.name:  # a list of arrays is a list of inputs, in Keras too
        with pytest.raises(ValueError, match=r"Expected to see 1 array\(s\), but .* list of 10 arrays"):
            model.fit(form(X), Y, verbose=0)
        return
    model.fit(form(X), form(Y), verbose=0)
    close(model.get_weights(), WANTED)
    np.testing.assert_allclose(model.predict(form(X)), forward(model.get_weights(), X), 1e-5, 1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int32", "bool", "float16", "uint16"])
def test_types_of_numbers(dtype: str) -> None:
    x = (np.arange(30).reshape(10, 3) % 2 * 1).astype(dtype)
    y = (np.arange(10) % 3).astype(dtype)
    model = linear()
    model.fit(x, y, verbose=0)
    close(model.get_weights(), train(x.astype("float32"), y.astype("float32")[:, None], [list(range(10))])[0])


def test_bytes_do_not_overflow() -> None:
    x = np.full((4, 3), 250, "uint8")
    np.testing.assert_allclose(linear().predict(x), forward(start(), x.astype("float32")), rtol=1e-5)


def test_targets_of_one_dimension() -> None:
    for y in (Y[:, 0], Y[:, 0].tolist(), jnp.asarray(Y[:, 0])):
        model = linear()
        model.fit(X, y, verbose=0)
        close(model.get_weights(), WANTED)


def test_inputs_of_one_dimension() -> None:
    model = linear(1)
    np.testing.assert_allclose(model.predict(np.arange(4.0)), forward(start(1), np.arange(4.0)[:, None]), 1e-5)
    np.testing.assert_allclose(model.predict([1.0, 2.0]), forward(start(1), np.array([[1.0], [2.0]])), 1e-5)


def test_tables() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: `pip install pandas`")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"], index=range(100, 110))
    model = linear()
    model.fit(frame, pandas.Series(Y[:, 0], index=range(10)[::-1]), verbose=0, sample_weight=pandas.Series(np.ones(10)))
    close(model.get_weights(), WANTED)
    model.fit(frame, frame[["a"]], verbose=0, validation_data=(frame, frame["b"]))
    assert model.predict(frame[["a", "b", "c"]]).shape == (10, 1)


def test_a_dictionary_by_name_of_input() -> None:
    model = linear()
    model.fit({"dense_1_input": X}, {"dense_1": Y}, verbose=0)
    close(model.get_weights(), WANTED)


def two_by_two() -> Model:
    a, b = Input((3,), name="a"), Input((2,), name="b")
    joined = concatenate([a, b])
    model = Model([a, b], [Dense(1, name="p")(joined), Dense(2, name="q")(b)])
    random = np.random.RandomState(0)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5])
    return model


A, B = X, data(10, 2, seed=8)[0]
P, Q = Y, data(10, 2, seed=9)[0]


def test_several_inputs_and_outputs() -> None:
    model = two_by_two()
    kernel, bias, kernel2, bias2 = (w.astype("float64") for w in model.get_weights())
    p, q = np.hstack([A, B]) @ kernel + bias, B @ kernel2 + bias2
    got = model.predict({"b": B, "a": A}, batch_size=3)
    close(got, [p, q])
    lp, lq = ((p - P) ** 2).mean(), ((q - Q) ** 2).mean()
    assert model.metrics_names == ["loss", "p_loss", "q_loss"]
    for x, y in (([A, B], [P, Q]), ((A, B), (P, Q)), ({"a": A, "b": B}, {"q": Q, "p": P}), ([A.tolist(), B], [P, Q])):
        np.testing.assert_allclose(model.evaluate(x, y, 4, verbose=0), [lp + 0.5 * lq, lp, lq], rtol=1e-5)
    slope = B.T @ (q - Q) / 10 * 0.5  # d/dw of 0.5 * mean over 2 columns and 10 rows
    model.fit({"a": A, "b": B}, {"p": P, "q": Q}, verbose=0)
    np.testing.assert_allclose(model.get_weights()[2], kernel2 - 0.01 * slope, rtol=1e-4)


def test_weights_by_output() -> None:
    weight = np.arange(10.0)
    results = []
    for given in ({"q": weight}, [None, weight]):
        model = two_by_two()
        results.append(model.evaluate([A, B], [P, Q], sample_weight=given, verbose=0))
    plain = two_by_two().evaluate([A, B], [P, Q], verbose=0)
    assert results[0] == results[1]
    assert results[0][1] == plain[1]
    assert results[0][2] != plain[2]


# -- sources of batches ----------------------------------------------------------------------------------------------


def endless(batch_size: int = 4, weights: bool = False) -> Iterator[Any]:
    while True:
        for rows in in_order(10, batch_size):
            yield (X[rows], Y[rows], np.ones(len(rows))) if weights else (X[rows], Y[rows])


class Batches:
    """Random access, as `keras.utils.Sequence` has it."""

    def __init__(self, batch_size: int = 4, empty: bool = False) -> None:
        self.rows, self.ends = [] if empty else in_order(10, batch_size), 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Any:
        return X[self.rows[i]], Y[self.rows[i]]

    def on_epoch_end(self) -> None:
        self.ends += 1


class Iterable:
    """Batches without a length, anew at each `iter`, as a data set of another library."""

    def __iter__(self) -> Iterator[Any]:
        return ((X[rows], Y[rows]) for rows in in_order(10, 4))


@pytest.mark.parametrize("how", ["generator", "weighted", "sequence", "iterable"])
@pytest.mark.parametrize("method", ["fit", "fit_generator"])
def test_training_on_batches(how: str, method: str) -> None:
    source: Any = {
        "generator": endless(),
        "weighted": endless(weights=True),
        "sequence": Batches(),
        "iterable": Iterable(),
    }[how]
    steps = 3 if "e" in how and how in ("generator", "weighted") else None
    model = linear()
    history = getattr(model, method)(source, steps_per_epoch=steps, epochs=2, shuffle=False, verbose=0)
    weights, _ = train(X, Y, in_order(10, 4, 2))
    close(model.get_weights(), weights)
    np.testing.assert_allclose(history.history["loss"][0], train(X, Y, in_order(10, 4))[1], rtol=1e-5)
    assert history.params["steps"] == (None if how == "iterable" else 3)


def test_testing_and_predicting_on_batches() -> None:
    model = linear()
    loss, wanted = losses(start(), X, Y).mean(), forward(start(), X)
    for source, steps in ((endless, 3), (Batches, None), (Iterable, None)):
        for name in ("evaluate", "evaluate_generator"):
            np.testing.assert_allclose(getattr(model, name)(source(), steps=steps, verbose=0), loss, rtol=1e-5)
        for name in ("predict", "predict_generator"):
            close([getattr(model, name)(source(), steps=steps)], [wanted])
    close([model.predict_generator(iter([X[:3], X[3:]]), steps=2)], [wanted])
    close([model.predict_generator(([X[r]] for r in in_order(10, 4)), steps=3)], [wanted])


def test_validation_on_batches() -> None:
    for source, steps in ((endless(), 3), (Batches(), None), ((X, Y), None)):
        model = linear()
        history = model.fit_generator(Batches(), validation_data=source, validation_steps=steps, verbose=0, epochs=2)
        np.testing.assert_allclose(history.history["val_loss"][-1], losses(model.get_weights(), X, Y).mean(), rtol=1e-5)
    model = linear()
    history = model.fit(X, Y, validation_data=endless(), validation_steps=3, verbose=0)
    np.testing.assert_allclose(history.history["val_loss"], losses(model.get_weights(), X, Y).mean(), rtol=1e-5)


def test_fractions_of_steps_are_one_batch_more() -> None:
    model, watched = linear(), Rows()
    half: Any = 2.5
    model.fit_generator(endless(), steps_per_epoch=half, verbose=0, callbacks=[watched])
    assert [n for name, n in watched.calls if name == "batch_end"] == [0, 1, 2]


def test_a_sequence_is_shuffled_by_batches_and_told_of_epochs() -> None:
    source = Batches()
    linear().fit_generator(source, epochs=3, verbose=0, max_queue_size=1)
    assert source.ends >= 2
    np.random.seed(1)
    first = linear()
    first.fit(Batches(), epochs=3, verbose=0)
    np.random.seed(1)
    second = linear()
    second.fit(Batches(), epochs=3, verbose=0)
    unshuffled = linear()
    unshuffled.fit(Batches(), epochs=3, verbose=0, shuffle=False)
    assert same_bits(first.get_weights(), second.get_weights())
    assert not same_bits(first.get_weights(), unshuffled.get_weights())


def test_an_ended_generator_ends_the_training_with_a_warning() -> None:
    model, watched = linear(), Rows()
    source = (batch for batch, _ in zip(endless(), range(5), strict=False))
    with pytest.warns(UserWarning, match="ran out of data; interrupting training after 2 of 3 batches"):
        history = model.fit_generator(source, steps_per_epoch=3, epochs=4, verbose=0, callbacks=[watched])
    assert history.epoch == [0, 1]
    assert watched.calls[-1] == ("train_end", -1)
    close(model.get_weights(), train(X, Y, in_order(10, 4, 2)[:5])[0])
    source = (batch for batch, _ in zip(endless(), range(3), strict=False))
    with pytest.warns(UserWarning, match="after 0 of 3 batches"):
        assert model.fit_generator(source, steps_per_epoch=3, epochs=4, verbose=0).epoch == [0]
    for name, result in (("evaluate", 1), ("predict", 8)):
        source = (batch for batch, _ in zip(endless(), range(2), strict=False))
        with pytest.warns(UserWarning, match="after 2 of 5 batches"):
            assert np.size(getattr(model, name)(source, steps=5, verbose=0)) == result


@pytest.mark.parametrize("source", [iter([]), Batches(empty=True), ()], ids=["iterator", "sequence", "tuple"])
def test_an_empty_source_is_refused(source: Any) -> None:
    for run in (
        lambda m: m.fit_generator(source, steps_per_epoch=2, verbose=0),
        lambda m: m.evaluate_generator(source, steps=2),
        lambda m: m.predict_generator(source, steps=2),
    ):
        with pytest.raises(ValueError, match="empty: it gave no batch"):
            run(linear())


def test_an_exception_in_a_generator_reaches_the_caller() -> None:
    def failing() -> Iterator[Any]:
        yield X, Y
        raise OSError("the disk is gone")

    for run in (
        lambda m: m.fit_generator(failing(), steps_per_epoch=3, verbose=0),
        lambda m: m.fit(failing(), steps_per_epoch=3, verbose=0),
        lambda m: m.evaluate_generator(failing(), steps=3),
        lambda m: m.predict_generator(failing(), steps=3),
        lambda m: m.fit(X, Y, validation_data=failing(), validation_steps=3, verbose=0),
    ):
        model = linear()
        with pytest.raises(OSError, match="the disk is gone"):
            run(model)
        assert np.isfinite(model.evaluate(X, Y, verbose=0))


def test_threads_end_with_the_training() -> None:
    linear().fit_generator(endless(), steps_per_epoch=2, verbose=0)
    for thread in threading.enumerate():
        if thread.name == "kjax-feed":
            thread.join(timeout=5)
    assert not [thread for thread in threading.enumerate() if thread.name == "kjax-feed"]


def test_a_model_is_built_by_the_first_batch() -> None:
    results = []
    for how in ("fit", "generator"):
        np.random.seed(3)
        model = Sequential([Dense(1)])
        model.compile("sgd", "mse")
        if how == "fit":
            model.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
        else:
            model.fit_generator(iter([(X, Y)]), steps_per_epoch=1, verbose=0)
        results.append(model.get_weights())
    close(results[0], results[1], 1e-6)
