"""Recurrent layers against their formulas in float64, against today's Keras, and against each other."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import kjax
from compat_tests import recurrence, today
from compat_tests.layers_helper import assert_same, assert_same_as_today, layer_numbers, round_trip
from compat_tests.recurrence import BATCH, FEATURES, MASK, STEPS, UNITS, X
from kjax import backend as K
from kjax.backend import _recurrent
from kjax.layers import (
    GRU,
    LSTM,
    RNN,
    Dense,
    Embedding,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    Masking,
    Recurrent,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from kjax.models import Model, Sequential

pytestmark = pytest.mark.optimized

# Each layer, and the kind of its formula.
KINDS = {
    "simple": lambda **kwargs: SimpleRNN(UNITS, **kwargs),
    "gru": lambda **kwargs: GRU(UNITS, **kwargs),
    "gru_after": lambda **kwargs: GRU(UNITS, reset_after=True, **kwargs),
    "lstm": lambda **kwargs: LSTM(UNITS, **kwargs),
}
STATES = {"simple": 1, "gru": 1, "gru_after": 1, "lstm": 2}


def built(kind: str, **kwargs: Any) -> Any:
    """A layer with random weights, biases too."""
    layer = KINDS[kind](**kwargs)
    layer(X)
    random = np.random.RandomState(5)
    layer.set_weights([random.normal(0, 0.6, w.shape).astype("float32") for w in layer.weights])
    return layer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"go_backwards": True}, {"unroll": True}, {"masked": True}, {"masked": True, "go_backwards": True}],
    ids=str,
)
def test_formula(kind: str, kwargs: dict[str, Any]) -> None:
    kwargs = dict(kwargs)
    mask = MASK if kwargs.pop("masked", False) else None
    layer = built(kind, return_sequences=True, return_state=True, **kwargs)
    first = [np.random.RandomState(i).normal(size=(BATCH, UNITS)).astype("float32") for i in range(STATES[kind])]
    outputs, *states = layer(X, initial_state=first, mask=None if mask is None else jnp.asarray(mask))
    wanted, last = recurrence.run(kind, layer.get_weights(), X, first, mask, kwargs.get("go_backwards", False))
    np.testing.assert_allclose(outputs, wanted, 1e-5, 1e-6)
    for state, other in zip(states, last, strict=True):
        np.testing.assert_allclose(state, other, 1e-5, 1e-6)


def test_mask_and_unroll() -> None:
    looped = built("lstm", return_sequences=True)
    unrolled = built("lstm", return_sequences=True, unroll=True)
    mask = jnp.asarray(MASK)
    np.testing.assert_allclose(looped(X, mask=mask), unrolled(X, mask=mask), 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SimpleRNN", {}),
        ("GRU", {"recurrent_activation": "sigmoid", "reset_after": True}),
        ("GRU", {"recurrent_activation": "sigmoid", "reset_after": False}),
        ("LSTM", {"recurrent_activation": "sigmoid"}),
        ("LSTM", {"recurrent_activation": "sigmoid", "activation": "softsign", "go_backwards": True}),
    ],
    ids=str,
)
def test_same_as_today(kind: str, options: dict[str, Any]) -> None:
    keras = today.keras()
    ours = getattr(kjax.layers, kind)(UNITS, return_sequences=True, **options)
    theirs = getattr(keras.layers, kind)(UNITS, return_sequences=True, **options)
    assert_same_as_today(ours, theirs, X, weights=False)


class Plain(LSTMCell):
    """An LSTM cell that goes the general way, since its `call` is its own."""

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        return super().call(inputs, states, training=training)


class PlainGRU(GRUCell):
    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        return super().call(inputs, states, training=training)


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize(("fast", "plain"), [(LSTMCell, Plain), (GRUCell, PlainGRU)])
def test_the_fast_way_is_the_general_way(fast: Any, plain: Any, implementation: int) -> None:
    options = {"dropout": 0.3, "recurrent_dropout": 0.4, "implementation": implementation}
    one = RNN(fast(UNITS, **options), return_sequences=True)
    other = RNN(plain(UNITS, **options), return_sequences=True)
    one(X)
    other(X)
    other.set_weights(one.get_weights())
    assert one.cell.has_sequence
    assert not other.cell.has_sequence
    mask = jnp.asarray(MASK)
    # The same keys are drawn from, so even what is dropped is the same.
    numbers = [layer_numbers(layer, X, training=True, mask=mask) for layer in (one, other)]
    assert_same(numbers[0], numbers[1])
    without = layer_numbers(one, X, mask=mask)
    assert np.abs(without.outputs[0] - numbers[0].outputs[0]).max() > 1e-3


@pytest.mark.parametrize("kind", _recurrent.STEPS)
def test_gradients_are_those_of_the_plain_loop(kind: str) -> None:
    random = np.random.RandomState(1)
    columns = {"simple": 1, "gru": 3, "gru_after": 4, "lstm": 4}[kind] * UNITS
    gates = {"simple": 1, "gru": 3, "gru_after": 3, "lstm": 4}[kind]

    def draw(*shape: int) -> Any:
        return jnp.asarray(random.normal(size=shape).astype("float32"))

    loop = _recurrent.Loop(kind, kjax.activations.tanh, kjax.activations.sigmoid)
    short = loop._replace(sequences=False)
    states = tuple(draw(BATCH, UNITS) for _ in range(STATES[kind]))
    arguments = (draw(STEPS, BATCH, columns), states, draw(UNITS, gates * UNITS))
    skip = jnp.asarray(~MASK.T[..., None])
    masks = [jnp.asarray(random.randint(0, 2, (BATCH, UNITS)).astype("float32")) for _ in range(gates)]

    def gradients(run: Any) -> Any:
        def loss(arguments: Any, masks: Any, skip: Any) -> Any:
            outputs, last = run(loop, *arguments, masks, skip)[:2]
            last = run(short, *arguments, masks, skip)[1] if skip is None else last
            return jnp.sum(jnp.sin(outputs)) + sum(jnp.sum(jnp.cos(state * 2)) for state in last)

        def steepness(arguments: Any) -> Any:
            return sum(jnp.sum(g**2) for g in jax.tree.leaves(jax.grad(loss)(arguments, masks, skip)))

        cases = [(None, None), (masks[:1], None), (masks, skip)]
        return [jax.grad(loss)(arguments, *case) for case in cases], jax.grad(steepness)(arguments)

    got, wanted = (jax.jit(lambda run=run: gradients(run))() for run in (_recurrent.run, _recurrent._plain))
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5 * max(1.0, float(jnp.abs(b).max())))


def test_one_mask_for_all_steps() -> None:
    layer = SimpleRNN(
        FEATURES,
        "linear",
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        return_sequences=True,
        dropout=0.5,
    )
    outputs = layer_numbers(layer, np.ones_like(X), training=True).outputs[0]
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (outputs == outputs[:, :1]).all()


def test_initial_bias() -> None:
    for layer, forget in ((LSTM(UNITS), 1.0), (LSTM(UNITS, unit_forget_bias=False), 0.0)):
        layer.build((None, None, FEATURES))
        np.testing.assert_array_equal(layer.get_weights()[2], np.repeat([0.0, forget, 0.0, 0.0], UNITS))
    assert [w.shape for w in built("gru_after").weights][2] == (2, 3 * UNITS)


# -- states ------------------------------------------------------------------------------------------------------------


def test_stateful() -> None:
    model = Sequential([LSTM(UNITS, stateful=True, batch_input_shape=(BATCH, 2, FEATURES)), Dense(1)])
    whole = Sequential([LSTM(UNITS, input_shape=(4, FEATURES)), Dense(1)])
    whole.set_weights(model.get_weights())
    model.predict(X[:, :2], batch_size=BATCH)
    continued = model.predict(X[:, 2:4], batch_size=BATCH)
    np.testing.assert_allclose(continued, whole.predict(X[:, :4]), 1e-5, 1e-6)
    assert model.stateful
    model.reset_states()
    layer: Any = model.layers[0]
    np.testing.assert_array_equal(K.get_value(layer.states[1]), np.zeros((BATCH, UNITS)))
    model.compile("sgd", "mse")
    both = np.concatenate([X[:, :2], X[:, 2:4]])
    model.fit(both, np.zeros((2 * BATCH, 1)), batch_size=BATCH, shuffle=False, verbose=0)
    assert np.abs(K.get_value(layer.states[0])).max() > 0
    given = np.full((BATCH, UNITS), 0.5, "float32")
    layer.reset_states([given, given])
    np.testing.assert_array_equal(K.get_value(layer.states[0]), given)


def test_what_reset_states_refuses() -> None:
    layer = LSTM(UNITS, stateful=True, batch_input_shape=(BATCH, 2, FEATURES))
    layer(X[:, :2])
    with pytest.raises(ValueError, match=f"{layer.name} expects 2 states, but it received 1"):
        layer.reset_states([np.zeros((BATCH, UNITS))])
    with pytest.raises(ValueError, match=rf"State 1 .*expected shape=\({BATCH}, {UNITS}\), found shape=\(1, 1\)"):
        layer.reset_states([np.zeros((BATCH, UNITS)), np.zeros((1, 1))])
    with pytest.raises(AttributeError, match="must be stateful"):
        LSTM(UNITS).reset_states()
    with pytest.raises(ValueError, match="batch size"):
        Sequential([LSTM(UNITS, stateful=True, input_shape=(2, FEATURES))])


def encoder_and_decoder() -> Model:
    source, target = Input((None, FEATURES)), Input((STEPS, FEATURES))
    _, h, c = LSTM(UNITS, return_state=True)(source)
    return Model([source, target], LSTM(UNITS, return_sequences=True)(target, initial_state=[h, c]))


def test_states_of_another_layer() -> None:
    model = encoder_and_decoder()
    encoder, decoder = (layer for layer in model.layers if isinstance(layer, LSTM))
    other = X[::-1].copy()
    zeros = [np.zeros((BATCH, UNITS), "float32")] * 2
    _, last = recurrence.run("lstm", encoder.get_weights(), X, zeros)
    wanted, _ = recurrence.run("lstm", decoder.get_weights(), other, last)
    np.testing.assert_allclose(model.predict([X, other]), wanted, 1e-5, 1e-6)
    connections = model.get_config()["layers"][-1]["inbound_nodes"]
    assert [place[:3] for place in connections[0]][1:] == [[encoder.name, 0, 1], [encoder.name, 0, 2]]
    copied = Model.from_config(model.get_config())
    copied.set_weights(model.get_weights())
    np.testing.assert_array_equal(copied.predict([X, other]), model.predict([X, other]))


def test_states_of_variables() -> None:
    h = K.variable(np.full((BATCH, UNITS), 0.25))
    x = Input(batch_shape=(BATCH, STEPS, FEATURES))
    layer = GRU(UNITS)
    model = Model(x, layer(x, initial_state=h))
    wanted, _ = recurrence.run("gru", layer.get_weights(), X, [h.numpy()])
    np.testing.assert_allclose(model.predict(X, batch_size=BATCH), wanted[:, -1], 1e-5, 1e-6)


def test_states_that_do_not_fit() -> None:
    x, h = Input((STEPS, FEATURES)), Input((UNITS,))
    with pytest.raises(ValueError, match="2 states but was passed 1 initial states"):
        LSTM(UNITS)(x, initial_state=h)
    with pytest.raises(ValueError, match=r"not compatible with `cell.state_size`"):
        GRU(UNITS + 1)(x, initial_state=h)
    with pytest.raises(ValueError, match="mix of Keras tensors"):
        LSTM(UNITS)(x, initial_state=[h, np.zeros((BATCH, UNITS), "float32")])
    with pytest.raises(ValueError, match="Cannot unroll a RNN"):
        LSTM(UNITS, unroll=True)(Input((None, FEATURES)))


# -- cells of one's own ------------------------------------------------------------------------------------------------


class Minimal(Layer):
    """The cell of Keras's documents, with a constant."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        self.units = units
        self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        (_, features), *constants = input_shape if isinstance(input_shape, list) else [input_shape]
        self.kernel = self.add_weight(shape=(features, self.units), initializer="uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")
        self.extra = None
        if constants:
            self.extra = self.add_weight(shape=(constants[0][-1], self.units), initializer="uniform", name="extra")
        self.built = True

    def call(self, inputs: Any, states: Any, constants: Any = None) -> Any:
        output = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent)
        if constants is not None:
            output = output + K.dot(constants[0], self.extra)
        return output, [output]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def test_cell_of_the_user() -> None:
    x, constant = Input((STEPS, FEATURES)), Input((2,))
    layer = RNN(Minimal(UNITS))
    model = Model([x, constant], layer(x, constants=constant))
    given = np.random.RandomState(2).normal(size=(BATCH, 2)).astype("float32")
    w, u, v = (weight.astype("float64") for weight in layer.get_weights())
    h = np.zeros((BATCH, UNITS))
    for t in range(STEPS):
        h = X[:, t] @ w + h @ u + given @ v
    np.testing.assert_allclose(model.predict([X, given]), h, 1e-5, 1e-6)
    copied = Model.from_config(model.get_config(), custom_objects={"Minimal": Minimal})
    copied.set_weights(model.get_weights())
    np.testing.assert_array_equal(copied.predict([X, given]), model.predict([X, given]))
    model.compile("sgd", "mse")
    model.fit([X, given], np.zeros((BATCH, UNITS)), verbose=0)
    assert not np.array_equal(layer.get_weights()[2], v.astype("float32"))
    with pytest.raises(ValueError, match="does not support constants"):
        RNN(LSTMCell(2))(x, constants=constant)


def test_stacked_cells() -> None:
    cells = [LSTMCell(UNITS), GRUCell(3), SimpleRNNCell(4)]
    layer = RNN(cells, return_sequences=True, return_state=True)
    outputs, *states = layer(X)
    assert isinstance(layer.cell, StackedRNNCells)
    assert layer.cell.state_size == (UNITS, UNITS, 3, 4)
    all_weights = weights = layer.get_weights()
    x = X
    wanted: list[Any] = []
    for kind, units in (("lstm", UNITS), ("gru", 3), ("simple", 4)):
        zeros = [np.zeros((BATCH, units))] * STATES[kind]
        x, last = recurrence.run(kind, weights[:3], x, zeros)
        weights = weights[3:]
        wanted = [*wanted, *last]
    np.testing.assert_allclose(outputs, x, 1e-5, 1e-6)
    for state, other in zip(states, wanted, strict=True):
        np.testing.assert_allclose(state, other, 1e-5, 1e-6)
    names = [weight.name for weight in layer.weights]
    assert names[0] == f"{layer.name}/kernel:0"
    assert names[3] == f"{layer.name}/kernel_1:0"
    assert len(set(names)) == 9
    round_trip(layer)
    with pytest.warns(UserWarning, match="natural order of states"):
        reverse = StackedRNNCells([LSTMCell(UNITS), GRUCell(3), SimpleRNNCell(4)], reverse_state_order=True)
    assert reverse.state_size == (4, 3, UNITS, UNITS)
    assert reverse.get_config()["reverse_state_order"]
    turned = RNN(reverse, return_state=True)
    turned.build(X.shape)
    turned.set_weights(all_weights)
    for state, other in zip(turned(X)[1:], [states[i] for i in (3, 2, 0, 1)], strict=True):
        np.testing.assert_allclose(state, other, 1e-6, 1e-6)


def test_what_is_not_a_cell() -> None:
    with pytest.raises(ValueError, match="`state_size`"):
        RNN(Dense(2))
    with pytest.raises(ValueError, match="`call`"):
        StackedRNNCells([object()])


class OldStyle(Recurrent):
    """A layer as they were written before there were cells."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="uniform")
        super().build(input_shape)

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        return [K.constant(2.0)]

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        return K.dot(inputs, self.w)

    def step(self, inputs: Any, states: Any) -> Any:
        h = states[0] / states[1] + inputs
        return h, [h]


def test_layer_with_a_step_of_its_own() -> None:
    layer = OldStyle(UNITS, return_sequences=True)
    outputs = layer(X)
    h, (w,) = np.zeros((BATCH, UNITS)), layer.get_weights()
    for t in range(STEPS):
        h = h / 2 + X[:, t] @ w
        np.testing.assert_allclose(outputs[:, t], h, 1e-5, 1e-6)


# -- as layers of a model ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_config(kind: str) -> None:
    layer = KINDS[kind](
        return_sequences=True,
        dropout=0.1,
        recurrent_dropout=0.2,
        kernel_regularizer="l2",
        recurrent_constraint="max_norm",
        activity_regularizer="l1",
        name="own",
    )
    made = round_trip(layer)
    assert made.units == UNITS
    assert made.activation is kjax.activations.tanh
    assert made.get_config()["recurrent_dropout"] == 0.2
    assert "cell" not in made.get_config()
    round_trip(RNN(layer.cell, go_backwards=True))


def test_penalties_and_constraints() -> None:
    model = Sequential(
        [GRU(UNITS, input_shape=(STEPS, FEATURES), kernel_regularizer="l2", recurrent_constraint="unit_norm")]
    )
    model.compile("sgd", "mse")
    w = model.get_weights()[0]
    y = model.predict(X)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(0.01 * np.sum(w**2), rel=1e-4)
    model.fit(X, y + 1, verbose=0)
    np.testing.assert_allclose(np.linalg.norm(model.get_weights()[1], axis=0), 1, 1e-4)


def test_frozen() -> None:
    layer = LSTM(UNITS, input_shape=(STEPS, FEATURES), trainable=False)
    model = Sequential([layer, Dense(1)])
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(X, np.zeros((BATCH, 1)), verbose=0)
    assert len(model.trainable_weights) == 2
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", [
    lambda **kwargs: kjax.layers.LSTM(2, **kwargs),
    lambda **kwargs: kjax.layers.ConvLSTM2D(2, 1, **kwargs),
    lambda **kwargs: kjax.layers.Bidirectional(kjax.layers.GRU(2), **kwargs),
    lambda **kwargs: kjax.layers.TimeDistributed(kjax.layers.Dense(2), **kwargs),
])  # fmt: skip
def test_made_frozen(make: Any) -> None:
    """With `trainable=False` from the start, a layer around others has all weights, none of them trained."""
    shape = (2, 3, 4, 4, 1) if isinstance(make(), kjax.layers.ConvLSTM2D) else (2, 3, 4)
    free, frozen = make(), make(trainable=False)
    for layer in (free, frozen):
        layer.build(shape)
    assert frozen.trainable_weights == []
    assert [w.shape for w in frozen.weights] == [w.shape for w in free.weights] != []
    again = type(frozen).from_config(frozen.get_config())
    again.build(shape)
    again.set_weights(frozen.get_weights())
    again.trainable = True
    assert len(again.trainable_weights) == len(free.weights)


def test_masks_travel() -> None:
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    model = Sequential([Embedding(5, 3, mask_zero=True), LSTM(UNITS, return_sequences=True), GRU(UNITS)])
    whole, short = model.predict(ids), model.predict(ids[:1, :2])
    np.testing.assert_allclose(whole[:1], short, 1e-5, 1e-6)
    padded = np.concatenate([X, np.zeros((BATCH, 3, FEATURES), "float32")], axis=1)
    masked = Sequential([Masking(input_shape=(None, FEATURES)), SimpleRNN(UNITS)])
    np.testing.assert_allclose(masked.predict(padded), masked.predict(X), 1e-5, 1e-6)


def test_sizes_of_zero() -> None:
    for make in (SimpleRNN, GRU, LSTM):
        with pytest.raises(ValueError, match="at least 1"):
            make(0)


def test_old_configs() -> None:
    config = LSTM(UNITS).get_config()
    assert LSTM.from_config({**config, "implementation": 0}).implementation == 1
    assert SimpleRNN.from_config({**SimpleRNN(UNITS).get_config(), "implementation": 0}).units == UNITS
    with pytest.warns(UserWarning, match="`implementation=0` has been deprecated"):
        assert GRU(UNITS, implementation=0).implementation == 1
