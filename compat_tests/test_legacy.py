"""Each row of the tables of old spellings: the old call is the new call, and tells so at the user's line."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import golden
from kjax import legacy, regularizers
from kjax._core import arguments
from kjax.legacy import _convert

# To a type checker the old calls are errors.
layers: Any = kjax.layers
models: Any = kjax.models
constraints: Any = kjax.constraints

TEXTS = golden.load_texts()

DENSE_1 = "init='uniform', activation='relu', W_regularizer=l2(0.1), b_regularizer=l2(0.2), bias=False"
DENSE_2 = (
    "kernel_initializer='uniform', activation='relu', kernel_regularizer=l2(0.1), bias_regularizer=l2(0.2), "
    "use_bias=False"
)

# The old call, and the same in Keras 2.
LAYERS = [
    ("Dense(output_dim=3, input_dim=4)", "Dense(units=3, input_dim=4)"),
    (f"Dense(3, {DENSE_1})", f"Dense(3, {DENSE_2})"),
    (
        "Dense(3, W_constraint=max_norm(1.), b_constraint=non_neg())",
        "Dense(3, kernel_constraint=max_norm(1.), bias_constraint=non_neg())",
    ),
    ("Dense(4, 3)", "Dense(3, input_dim=4)"),
    (
        "Dense(4, 3, 'he_normal', 'tanh', name='d')",
        "Dense(3, input_dim=4, kernel_initializer='he_normal', activation='tanh', name='d')",
    ),
    ("Dense(3, 'uniform')", "Dense(3, kernel_initializer='uniform')"),
    ("Dense(3, 'zero', 'relu')", "Dense(3, kernel_initializer='zero', activation='relu')"),
    ("Dense(3, input_shape=(4,), input_dtype='float16')", "Dense(3, input_shape=(4,), dtype='float16')"),
    ("Activation('relu', input_dtype='float16')", "Activation('relu', dtype='float16')"),
    ("Dropout(p=0.25)", "Dropout(rate=0.25)"),
    ("SpatialDropout1D(p=0.25)", "SpatialDropout1D(0.25)"),
    *(
        (f"SpatialDropout{n}D({old})", f"SpatialDropout{n}D({new})")
        for n in (2, 3)
        for old, new in [
            ("p=0.25", "rate=0.25"),
            ("0.25, dim_ordering='th'", "0.25, data_format='channels_first'"),
            ("0.25, dim_ordering='tf'", "0.25, data_format='channels_last'"),
            ("0.25, 'th'", "0.25, 'channels_first'"),
            ("0.25, dim_ordering='default'", "0.25"),
        ]
    ),
    ("Flatten(input_dtype='float16')", "Flatten(dtype='float16')"),
    ("Reshape(dims=(2, 3))", "Reshape((2, 3))"),
    ("Reshape(2, 3)", "Reshape((2, 3))"),
    ("Permute((2, 1), input_dtype='float16')", "Permute((2, 1), dtype='float16')"),
    ("RepeatVector(2, input_dtype='float16')", "RepeatVector(2, dtype='float16')"),
    ("Masking(1., input_dtype='float16')", "Masking(1., dtype='float16')"),
    ("Lambda(scale, (3,), {'by': 2})", "Lambda(scale, output_shape=(3,), arguments={'by': 2})"),
    ("ActivityRegularization(0.1, input_dtype='float16')", "ActivityRegularization(0.1, dtype='float16')"),
    ("LeakyReLU(0.1, input_dtype='float16')", "LeakyReLU(0.1, dtype='float16')"),
    ("ELU(0.1, input_dtype='float16')", "ELU(0.1, dtype='float16')"),
    ("ThresholdedReLU(0.1, input_dtype='float16')", "ThresholdedReLU(0.1, dtype='float16')"),
    ("PReLU((3,))", "PReLU(input_shape=(3,))"),
    ("PReLU(init='one')", "PReLU(alpha_initializer='one')"),
    (
        "PReLU('one', [np.ones(3)], [1])",
        "PReLU(alpha_initializer='one', weights=[np.ones(3)], shared_axes=[1])",
    ),
    ("GaussianNoise(sigma=0.5)", "GaussianNoise(stddev=0.5)"),
    ("GaussianDropout(p=0.5)", "GaussianDropout(rate=0.5)"),
    ("AlphaDropout(p=0.5)", "AlphaDropout(rate=0.5)"),
    (
        "BatchNormalization(gamma_init='zero', beta_init='one')",
        "BatchNormalization(gamma_initializer='zero', beta_initializer='one')",
    ),
    ("BatchNormalization(mode=0, axis=1)", "BatchNormalization(axis=1)"),
    ("BatchNormalization(1e-4)", "BatchNormalization(epsilon=1e-4)"),
    ("BatchNormalization(1e-4, 0, 1, 0.9)", "BatchNormalization(axis=1, momentum=0.9, epsilon=1e-4)"),
    ("BatchNormalization((3,))", "BatchNormalization(input_shape=(3,))"),
]

# Calls that mean today what they say, and pass without a word.
SILENT = [
    "Dense(3)",
    "Dense(3, 'relu')",
    "Dense(units=3, activation='relu', use_bias=False)",
    "Dropout(0.5, (None, 1))",
    "Reshape((2, 3))",
    "Reshape((6,))",
    "SpatialDropout2D(0.5, 'channels_first')",
    "BatchNormalization(1)",
    "BatchNormalization(-1, 0.9)",
    "BatchNormalization(epsilon=1e-4)",
    "PReLU('zeros')",
    "PReLU('zeros', None)",
    "Lambda(scale, (3,))",
    "GaussianNoise(0.1)",
]


def scale(x: Any, by: float = 1) -> Any:
    return x * by


def names() -> dict[str, Any]:
    makers = (regularizers.l2, constraints.max_norm, constraints.non_neg)
    return {**vars(layers), "scale": scale, "np": np, **{maker.__name__: maker for maker in makers}} | {
        "max_norm": constraints.max_norm,
        "non_neg": constraints.non_neg,
    }


def config_of(source: str) -> dict[str, Any]:
    layer = eval(source, names())
    config = layer.get_config()
    if "name=" not in source:
        config.pop("name")
    config["weights"] = repr(layer._initial_weights)
    return config


@pytest.mark.parametrize(("old", "new"), LAYERS)
def test_the_old_call_is_the_new_call(old: str, new: str) -> None:
    name = old.partition("(")[0]
    told = f"Update your `{name}` call to the Keras 2 API: `{name}("
    gone = f"The `mode` argument of `{name}` no longer exists."
    with pytest.warns(UserWarning, match="Keras 2 API|no longer exists") as caught:
        config = config_of(old)
    assert config == config_of(new)
    expected = {
        "BatchNormalization(mode=0, axis=1)": [gone],
        "BatchNormalization(1e-4, 0, 1, 0.9)": [gone, told],
    }
    heads = expected.get(old, [told])
    assert [str(w.message)[: len(head)] for w, head in zip(caught, heads, strict=True)] == heads


@pytest.mark.parametrize("source", SILENT)
def test_todays_calls_pass_without_a_word(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config_of(source)


def test_every_row_is_tested() -> None:
    """Each old name of each table is in a call above."""
    sources = [old for old, _ in LAYERS]
    for owner, table in legacy.layers.TABLES.items():
        if owner in ("InputLayer", "MaxNorm", "MinMaxNorm", "Layer.add_weight"):
            continue
        calls = [old for old in sources if old.startswith(owner + "(")]
        assert calls, owner
        own = [name for name in table.names if name != "input_dtype"]
        missing = [name for name in own if not any(f"{name}=" in call for call in calls)]
        assert not missing, f"{owner}: {missing}"


def test_input_layer() -> None:
    with pytest.warns(UserWarning, match=r'`InputLayer\(input_shape=\(3,\), dtype="int32"\)`'):
        old = layers.InputLayer(input_shape=(3,), input_dtype="int32")
    assert old.get_config()["dtype"] == "int32"


def test_max_norm() -> None:
    with pytest.warns(UserWarning, match=r"`MaxNorm\(max_value=3\)`"):
        old = constraints.MaxNorm(m=3)
    assert old.get_config() == constraints.MaxNorm(3).get_config()


def test_min_max_norm() -> None:
    with pytest.warns(UserWarning, match="MinMaxNorm"):
        old = constraints.MinMaxNorm(low=0.2, high=0.4, rate=0.5)
    assert old.get_config() == constraints.MinMaxNorm(0.2, 0.4, 0.5).get_config()


def test_texts_are_the_recorded_ones() -> None:
    (_, of_dense), (_, of_fit) = TEXTS["warn_keras1_api"]["warnings"]
    with pytest.warns(UserWarning, match=f"^{re.escape(of_dense)}$") as caught:
        dense = layers.Dense(output_dim=3, input_dim=4, init="uniform")
    model = models.Sequential([dense])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=f"^{re.escape(of_fit)}$") as caught_in_fit:
        model.fit(np.ones((4, 4)), np.ones((4, 3)), nb_epoch=1, verbose=0)
    assert len(caught) == len(caught_in_fit) == 1


def test_the_warning_is_at_the_users_line() -> None:
    with pytest.warns(UserWarning, match="`Dense") as caught:
        layers.Dense(output_dim=3)
    first = inspect.getsourcelines(test_the_warning_is_at_the_users_line)[1]
    assert (caught[0].filename, caught[0].lineno) == (__file__, first + 2)


def test_the_warning_is_at_the_line_of_a_subclass() -> None:
    class Mine(layers.Dense):
        def __init__(self) -> None:
            super().__init__(output_dim=3)

    with pytest.warns(UserWarning, match="`Dense") as caught:
        assert Mine().units == 3
    assert caught[0].filename == __file__
    assert caught[0].lineno == inspect.getsourcelines(Mine)[1] + 2


def test_both_spellings_at_once_are_refused() -> None:
    with pytest.raises(TypeError, match=r"`units`.*`output_dim`"):
        layers.Dense(units=3, output_dim=3)
    with pytest.raises(TypeError, match="two values for the argument `kernel_initializer`"):
        layers.Dense(3, "uniform", kernel_initializer="zero")
    with pytest.raises(TypeError, match="two values for the argument `init`"):
        layers.Dense(3, "uniform", init="zero")


def test_long_values_are_cut_short() -> None:
    with pytest.warns(UserWarning, match="`Dropout") as caught:
        layers.Dropout(p=0.5, noise_shape=(None, 1, 1, 1, 1))
    assert str(caught[0].message).endswith("`Dropout(noise_shape=(None, 1, ..., rate=0.5)`")
    assert _convert._written("f", (np.ones(2), "a text of any length"), {}) == 'f(array, "a text of any length")'


def test_weights_of_a_layer_of_the_user() -> None:
    class Mine(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((input_shape[-1], 2), initializer="one", name="w")
            self.v = self.add_weight((2,), "one", "v", False)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs @ self.w

    layer = Mine()
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.w.numpy(), np.ones((3, 2)))
    assert [w.trainable for w in (layer.w, layer.v)] == [True, False]


def test_model_of_inputs_and_outputs() -> None:
    x = layers.Input((3,))
    y = layers.Dense(2)(x)
    with pytest.warns(UserWarning, match=r"Update your `Model` call to the Keras 2 API: `Model\(inputs=.*, outputs="):
        model = models.Model(input=x, output=y)
    assert model.inputs == [x]
    assert model.outputs == [y]


class Sized:
    """A source of batches that knows its batch size, as `ImageDataGenerator.flow` gives."""

    batch_size = 8

    def __iter__(self) -> Any:
        raise AssertionError("nothing has to be read")


class Indexed:
    """A source of numbered batches."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return [np.zeros((4, 2)), np.zeros((4, 2))], np.zeros(4)


def batches(size: int) -> Any:
    for i in itertools.count():
        yield np.full((size, 2), i), np.full((size, 1), i)


def called(method: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What a method of `Model` receives for a call."""
    args, kwargs = arguments._converters[f"Model.{method}"](args, kwargs)
    return inspect.signature(getattr(models.Model, method)).bind(None, *args, **kwargs).arguments


@pytest.mark.parametrize(
    ("source", "size"),
    [
        (Sized(), 8),
        (Indexed(), 4),
        (batches(5), 5),
        (({"a": np.zeros((6, 1))} for _ in range(3)), 6),
        ((np.zeros((7, 1)) for _ in range(3)), 7),
    ],
)
def test_samples_become_batches(source: Any, size: int) -> None:
    with pytest.warns(UserWarning, match=r"Update your `fit_generator` call.*steps_per_epoch=4"):
        given = called("fit_generator", source, samples_per_epoch=4 * size - 1, nb_epoch=2, max_q_size=3, nb_worker=2)
    assert {k: given[k] for k in ("steps_per_epoch", "epochs", "max_queue_size", "workers")} == {
        "steps_per_epoch": 4, "epochs": 2, "max_queue_size": 3, "workers": 2,
    }  # fmt: skip
    with pytest.warns(UserWarning, match="steps=2"):
        assert called("predict_generator", source, val_samples=2 * size)["steps"] == 2
    with pytest.warns(UserWarning, match="steps=2"):
        assert called("evaluate_generator", source, 2 * size, nb_worker=1)["steps"] == 2


def test_counting_a_batch_takes_none_away() -> None:
    with pytest.warns(UserWarning, match="fit_generator"):
        given = called("fit_generator", batches(5), samples_per_epoch=10, nb_epoch=1)
    assert [int(next(given["generator"])[0][0, 0]) for _ in range(3)] == [0, 1, 2]


def test_samples_of_validation() -> None:
    old = {"samples_per_epoch": 16, "nb_epoch": 1, "nb_val_samples": 10}
    with pytest.warns(UserWarning, match="fit_generator"):
        assert called("fit_generator", Sized(), validation_data=batches(5), **old)["validation_steps"] == 2
    with pytest.warns(UserWarning, match="fit_generator"):
        given = called("fit_generator", Sized(), validation_data=(np.zeros(3), np.zeros(3)), **old)
    assert "validation_steps" not in given
    with pytest.warns(UserWarning, match="fit_generator"):
        given = called("fit_generator", Sized(), 16, 1, 0, [], batches(5), 10, pickle_safe=True)
    assert (given["steps_per_epoch"], given["validation_steps"], given["use_multiprocessing"]) == (2, 2, True)


def test_a_call_of_mixed_spelling_counts_batches() -> None:
    with pytest.warns(UserWarning, match="fit_generator"):
        given = called("fit_generator", Sized(), 16, epochs=2, max_q_size=1)
    assert (given["steps_per_epoch"], given["epochs"]) == (16, 2)
    with pytest.raises(TypeError, match=r"`steps_per_epoch`.*`samples_per_epoch`"):
        called("fit_generator", Sized(), steps_per_epoch=3, samples_per_epoch=3)


def test_orders_of_keras_2_pass_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = called("fit_generator", Sized(), 16, 2, 0, None, None, None, {0: 1.0}, 7)
        assert (given["class_weight"], given["max_queue_size"]) == ({0: 1.0}, 7)
        assert called("fit_generator", Sized(), 16, 2, 0, None, None, None, 3)["validation_freq"] == 3
        given = called("evaluate_generator", Sized(), 16, 7, 2)
        assert (given["steps"], given["max_queue_size"], given["workers"]) == (16, 7, 2)
        assert called("predict_generator", Sized(), 16, [])["callbacks"] == []


def test_sample_weight_mode_came_fourth() -> None:
    with pytest.warns(UserWarning, match=r'sample_weight_mode="temporal"'):
        given = called("compile", "sgd", "mse", [], "temporal")
    assert given["sample_weight_mode"] == "temporal"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert called("compile", "sgd", "mse", [], [1.0])["loss_weights"] == [1.0]


def test_generators_train_as_in_keras_1() -> None:
    def fit(**kwargs: Any) -> dict[str, list[float]]:
        np.random.seed(1)
        model = models.Sequential([layers.Dense(1, input_dim=2)])
        model.compile("sgd", "mse")
        return model.fit_generator(batches(5), verbose=0, **kwargs).history

    with pytest.warns(UserWarning, match="fit_generator"):
        old = fit(samples_per_epoch=15, nb_epoch=2)
    assert old == fit(steps_per_epoch=3, epochs=2)


def test_every_owner_is_one_that_asks() -> None:
    """A row for a name that nothing looks up would never act."""
    for owner in [*legacy.layers.TABLES, *legacy.models.TABLES]:
        name, _, method = owner.partition(".")
        home = next(m for m in (layers, models, constraints) if hasattr(m, name))
        function = getattr(getattr(home, name), method or "__init__")
        assert re.search(r"accepts_old_names", function.__code__.co_qualname), owner
