"""What stands around models, as Keras 0 and 1 had it: queues, labels, data sets, wrappers for scikit-learn."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from kjax import backend as K
from kjax import layers, regularizers
from kjax._core import notices
from kjax.layers import convolutional
from kjax.legacy import saving
from kjax.legacy._convert import Table
from kjax.utils import conv_utils, generic_utils, io_utils, layer_utils, np_utils, vis_utils

_LOAD = Table(
    names={"nb_words": "num_words"},
    renamed="The `{old}` argument in `load_data` has been renamed `{new}`.",
)

_WRAPPER = Table(names={"nb_epoch": "epochs"})

TABLES = {
    "GeneratorEnqueuer": Table(names={"generator": "sequence", "pickle_safe": "use_multiprocessing"}),
    "to_categorical": Table(names={"nb_classes": "num_classes"}),
    "imdb.load_data": dataclasses.replace(
        _LOAD,
        removed={"test_split": "The reviews come in two halves since Keras 1: `test_split` is ignored."},
    ),
    "reuters.load_data": _LOAD,
    "BaseWrapper": _WRAPPER,
    "BaseWrapper.set_params": _WRAPPER,
}


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """Class numbers of predicted probabilities: the largest of several, or whether a single one exceeds 0.5."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.array([1 if p > 0.5 else 0 for p in y_pred.ravel()])


def categorical_probas_to_classes(p: Any) -> np.ndarray:
    """The number of the largest probability of each row."""
    return np.argmax(p, axis=1)


def binary_logloss(p: Any, y: Any) -> np.ndarray:
    """`-mean(y log(p) + (1 - y) log(1 - p))`, with probabilities kept from 0 and 1."""
    p, y = np.clip(p, 1e-15, 1 - 1e-15), np.asarray(y)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def multiclass_logloss(P: Any, Y: Any) -> float:
    """The mean of `-log` of the probability that each row gives to its class number in `Y`."""
    return float(np.mean([-np.log(row[int(label)]) for row, label in zip(P, Y, strict=True)]))


def accuracy(p: Any, y: Any) -> float:
    """Share of equal entries."""
    return float(np.mean(np.asarray(p) == np.asarray(y)))


def convert_kernel(kernel: np.ndarray, dim_ordering: str | None = None) -> np.ndarray:
    """A kernel of Theano turned to correlate, as TensorFlow's do; and back.

    Arguments:
        kernel: of 2 or 3 dimensions of space.
        dim_ordering: whether space comes last (`'th'`) or first (`'tf'`, as in layers here).

    Raises:
        ValueError: for another number of axes or another order.
    """
    if not 4 <= kernel.ndim <= 5:
        raise ValueError(f"Invalid kernel shape: {kernel.shape}. It needs four axes or five.")
    if dim_ordering not in (None, "th", "tf"):
        raise ValueError(f"Invalid dim_ordering: {dim_ordering!r}. It is 'th' or 'tf'.")
    space = range(2, kernel.ndim) if dim_ordering == "th" else range(kernel.ndim - 2)
    return np.flip(kernel, tuple(space)).copy()


def get_from_module(
    identifier: Any, module_params: Any, module_name: str, instantiate: bool = False, kwargs: Any = None
) -> Any:
    """What a name stands for in a module's `globals()`; an object as it is.

    Arguments:
        identifier: a name, a dictionary with `'name'` and arguments, or an object.
        module_params: objects by name.
        module_name: what a message calls such an object.
        instantiate: whether to call what is found, with `kwargs`.

    Raises:
        ValueError: for an unknown name.
    """
    if isinstance(identifier, dict):
        kwargs = {key: value for key, value in identifier.items() if key != "name"}
        return get_from_module(identifier["name"], module_params, module_name, True, kwargs)
    if not isinstance(identifier, str):
        return identifier
    if module_params.get(identifier) is None:
        raise ValueError(f"Invalid {module_name}: {identifier}")
    return module_params[identifier](**(kwargs or {})) if instantiate else module_params[identifier]


def layer_from_config(config: Any, custom_objects: Any = None) -> Any:
    """The layer that a config describes."""
    return layers.deserialize(config, custom_objects)


def plot(model: Any, to_file: Any = "model.png", show_shapes: bool = False, show_layer_names: bool = True) -> Any:
    """`plot_model`, as Keras 1 called it."""
    notices.warn("`plot` is now called `plot_model`.")
    return vis_utils.plot_model(model, to_file, show_shapes, show_layer_names)


def _l1_l2(name: str) -> Any:
    """A maker of a penalty on a layer's output: today the same as one on weights."""

    def make(l1: float = 0.01, l2: float = 0.01) -> Any:
        return regularizers.L1L2(l1, l2)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = "`l1 * sum(abs(x)) + l2 * sum(x ** 2)`; today's `l1_l2`."
    return make


class EigenvalueRegularizer:
    """`k` times the greatest singular value of a matrix, found by nine products with its covariance.

    Arguments:
        k: the factor.

    Raises:
        ValueError: when called on what is no matrix.
    """

    def __init__(self, k: float) -> None:
        self.k = k

    def __call__(self, x: Any) -> Any:
        if K.ndim(x) != 2:
            raise ValueError(f"EigenvalueRegularizer is only available for tensors of rank 2. Found rank {K.ndim(x)}.")
        vector = K.sum(K.transpose(x) * 0, axis=1, keepdims=True) + 1.0
        for _ in range(9):
            vector = K.dot(K.transpose(x), K.dot(x, vector))
        turned = K.dot(K.transpose(x), K.dot(x, vector))
        return self.k * K.sqrt(K.sum(turned * vector) / K.sum(vector * vector))

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"k": self.k}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """The penalty that `get_config` described."""
        return cls(**config)


# Old names of functions and classes, by the module that has them.
NAMES = {
    np_utils: {
        function.__name__: function
        for function in (
            probas_to_classes, categorical_probas_to_classes, binary_logloss, multiclass_logloss, accuracy,
            convert_kernel, conv_utils.conv_output_length, conv_utils.conv_input_length,
        )
    },
    generic_utils: {"get_from_module": get_from_module},
    convolutional: {"conv_output_length": conv_utils.conv_output_length},
    layer_utils: {"layer_from_config": layer_from_config},
    io_utils: {"HDF5_OBJECT_HEADER_LIMIT": 64512},
    saving: {"HDF5_OBJECT_HEADER_LIMIT": 64512},
    vis_utils: {"plot": plot},
    regularizers: {
        "l1l2": _l1_l2("l1l2"),
        "activity_l1l2": _l1_l2("activity_l1l2"),
        "activity_l1": regularizers.l1,
        "activity_l2": regularizers.l2,
        "WeightRegularizer": regularizers.L1L2,
        "ActivityRegularizer": regularizers.L1L2,
        "L1L2Regularizer": regularizers.L1L2,
        "EigenvalueRegularizer": EigenvalueRegularizer,
    },
}  # fmt: skip


def install_names() -> None:
    """Let modules have the functions and classes that they had."""
    for module, names in NAMES.items():
        for name, value in names.items():
            setattr(module, name, value)
    for name, value in NAMES[regularizers].items():
        regularizers.registry.register(value, name)
