"""Checking what a user feeds: arrays of the right number, shape, type and length, or one clear error.

Everything is checked before any work is done. What leaves here is a list of numpy (or device) arrays, one for each
name, of at least two dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from kjax._core import config, notices
from kjax._core.graph import Tensor
from kjax.backend.sparse import is_scipy_sparse
from kjax.engine._plan import OutputPlan

Dims = tuple[int | None, ...]


def whole(value: Any, name: str, least: int = 1) -> int:
    """An argument that counts something, as an int.

    Raises:
        TypeError: if it is no whole number.
        ValueError: if it is less than `least`.
    """
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "buif" or number != np.floor(number) or np.isinf(number):
        raise TypeError(f"`{name}` must be a whole number. Found: {value!r}")
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}. Found: {value}")
    return int(value)


def steps(value: Any, name: str) -> int:
    """A number of batches. Keras counted up to it, so that a fraction means one batch more."""
    fraction = isinstance(value, (float, np.floating)) and math.isfinite(value)
    return whole(math.ceil(value) if fraction else value, name)


def batch_size(value: Any, name: str = "batch_size") -> int:
    """A batch size; 32 for None."""
    return 32 if value is None else whole(value, name)


def standardize(
    data: Any, names: Sequence[str], shapes: Sequence[Dims | None], what: str, finite: bool = False
) -> list[Any]:
    """Bring `data` into a list with one array for each of `names`.

    Arguments:
        data: an array, a list of arrays, a dictionary by name, a DataFrame, or nested lists of numbers.
        shapes: the shape expected of each array, None where anything goes.
        what: `'input'`, `'target'`: what messages call it.
        finite: refuse NaN.

    Raises:
        ValueError: for a wrong number, shape or type of array.
    """
    items = _by_name(data, names, what)
    arrays = [as_array(item, f"{what} {name}") for item, name in zip(items, names, strict=True)]
    arrays = [_with_last_axis(array, shape) for array, shape in zip(arrays, shapes, strict=True)]
    for array, name, shape in zip(arrays, names, shapes, strict=True):
        if array.shape[0] == 0:
            raise ValueError(f"The data is empty: {what} {name} has 0 samples. Expected at least one.")
        if shape is not None:
            _check_shape(array.shape, shape, name, what)
        if finite:
            _check_finite(array, name, what)
    return arrays


def _with_last_axis(array: Any, shape: Dims | None) -> Any:
    """An array of numbers, one a sample; or one a place, as class numbers are since tf.keras: with an axis for them."""
    lacks = shape is not None and shape[-1] == 1 and array.ndim == len(shape) - 1
    return array[..., None] if array.ndim == 1 or lacks else array


def _by_name(data: Any, names: Sequence[str], what: str) -> list[Any]:
    if not names:
        if data is None or (isinstance(data, (list, tuple, Mapping)) and not data):
            return []
        raise ValueError(
            f"Error when checking model {what}: expected no data, but got: {str(data)[:200]}. The tensors that the "
            "model was made with are its data."
        )
    if data is None:
        raise ValueError(
            f"No data was given for {what} of the model. Expected {len(names)} array(s), for: {', '.join(names)}."
        )
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(f'No data provided for "{missing[0]}". Need data for each key in: {list(names)}')
        return [data[name] for name in names]
    if isinstance(data, (list, tuple)) and is_list_of_arrays(data, len(names)):
        if len(data) != len(names):
            raise ValueError(
                f"Error when checking model {what}: the list of Numpy arrays that you are passing to your model is not "
                f"the size the model expected. Expected to see {len(names)} array(s), but instead got the following "
                f"list of {len(data)} arrays: {str(data)[:200]}... If these are the samples of one {what}, pass "
                "`np.array(data)`."
            )
        return list(data)
    if len(names) != 1:
        raise ValueError(
            f"The model expects {len(names)} {what} arrays, but only received one array. "
            f"Found: array with shape {np.shape(data)}. Expected a list with one array for each of: {list(names)}"
        )
    return [data]


def is_list_of_arrays(data: Any, expected: int) -> bool:
    """Whether `data` is a list of arrays, one for each name; else it is itself the data, written as nested lists."""
    if not isinstance(data, (list, tuple)) or not data:
        return isinstance(data, (list, tuple)) and expected > 1
    first = data[0]
    if hasattr(first, "shape") and not isinstance(first, np.generic):
        return True
    return expected > 1 and len(data) == expected


def as_array(item: Any, what: str) -> Any:
    """An array of numbers with at least one dimension, left where it is (on the host, or on the device).

    A sparse matrix of scipy is made dense.

    Raises:
        ValueError: if it holds objects, texts, or rows of different lengths.
    """
    if isinstance(item, jax.Array):
        return item
    if is_scipy_sparse(item):
        item = item.toarray()
    elif hasattr(item, "to_numpy"):
        item = item.to_numpy()
    elif hasattr(item, "numpy") and not isinstance(item, np.ndarray):
        item = item.numpy()
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise ValueError(f"The data for {what} cannot become an array: {error}") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(config.floatx())
        except (TypeError, ValueError):
            raise ValueError(
                f"The data for {what} is an array of Python objects of shape {array.shape}, not of numbers. Its first "
                f"item is {_first(array)!r}. Rows of different lengths must be padded, texts turned into numbers."
            ) from None
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"The data for {what} has dtype {array.dtype}, and numbers were expected. Its first item is "
            f"{_first(array)!r}. Convert it with `astype('float32')`, or encode texts as numbers."
        )
    if array.ndim == 0:
        raise ValueError(
            f"The data for {what} is a single number ({array}). An array with one row a sample was expected."
        )
    return array


def _first(array: np.ndarray) -> Any:
    return array.flat[0] if array.size else None


def _check_shape(shape: Sequence[int], expected: Dims, name: str, what: str) -> None:
    if len(shape) != len(expected):
        raise ValueError(
            f"Error when checking {what}: expected {name} to have {len(expected)} dimensions, but got array with shape "
            f"{tuple(shape)}"
        )
    if any(want not in (None, got) for got, want in zip(shape[1:], expected[1:], strict=True)):
        hint = ""
        if what == "target" and expected[-1] == 1:
            hint = " For class numbers use this loss; for one-hot targets use 'categorical_crossentropy'."
        elif what == "target" and shape[-1] == 1:
            hint = (
                " If the targets are class numbers, use 'sparse_categorical_crossentropy', or make them one-hot with "
                "`to_categorical`."
            )
        raise ValueError(
            f"Error when checking {what}: expected {name} to have shape {tuple(expected[1:])} but got array with shape "
            f"{tuple(shape[1:])}.{hint}"
        )


def _check_finite(array: Any, name: str, what: str) -> None:
    if not np.issubdtype(array.dtype, np.floating):
        return
    # A sum is NaN if any item is: cheaper than a mask as large as the data.
    total = np.sum(array) if isinstance(array, np.ndarray) else np.asarray(array.sum())
    if np.isnan(total) and np.isnan(array := np.asarray(array)).any():
        where = np.argwhere(np.isnan(array))[0]
        raise ValueError(
            f"The data for {what} {name} contains NaN: {int(np.isnan(array).sum())} of {array.size} values, the first "
            f"at {tuple(int(i) for i in where)}. Training on it would turn every weight into NaN. Remove or fill them."
        )


def check_lengths(inputs: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any] = ()) -> int:
    """The number of samples, the same in all arrays.

    Raises:
        ValueError: if it is not, or if there are none.
    """
    groups = (inputs, [t for t in targets if t is not None], [w for w in weights if w is not None])
    sets = [{array.shape[0] for array in group} for group in groups]
    kinds = ("input arrays (x)", "target arrays (y)", "sample_weight arrays")
    for found, group, what in zip(sets, groups, kinds, strict=True):
        if len(found) > 1:
            shapes = [tuple(array.shape) for array in group]
            raise ValueError(f"All {what} should have the same number of samples. Got array shapes: {shapes}")
    of_inputs, of_targets, of_weights = sets
    if of_inputs and of_targets and of_inputs != of_targets:
        raise ValueError(
            "Input arrays should have the same number of samples as target arrays. "
            f"Found {min(of_inputs)} input samples and {min(of_targets)} target samples."
        )
    if of_weights and of_targets and of_weights != of_targets:
        raise ValueError(
            "Sample_weight arrays should have the same number of samples as target arrays. "
            f"Got {min(of_weights)} sample weights and {min(of_targets)} target samples."
        )
    count = min(of_inputs or of_targets or {0})
    if count == 0:
        raise ValueError("The data is empty: it has 0 samples. Expected at least one.")
    return count


def cut_to_first(inputs: Sequence[Any]) -> list[Any]:
    """What is predicted from: as many samples of each array as the first has, of which the others may have more."""
    count = inputs[0].shape[0] if inputs else 0
    return [x[:count] if x.shape[0] > count > 0 else x for x in inputs]


def check_classes(target: Any, output: OutputPlan) -> None:
    """Refuse class numbers that a sparse loss cannot look up.

    Raises:
        ValueError: naming the number and the range.
    """
    if output.classes is None or target is None:
        return
    labels = np.asarray(target)
    if labels.dtype.kind == "f" and (odd := labels[labels != np.floor(labels)]).size:
        raise ValueError(
            f"The targets for {output.name} hold {odd[0]:g}, which is no class number: whole numbers from 0 to "
            f"{output.classes - 1} were expected."
        )
    low, high = float(labels.min()), float(labels.max())
    if low < 0 or high >= output.classes:
        bad = low if low < 0 else high
        raise ValueError(
            f"The targets for {output.name} hold the class number {bad:g}, but there are {output.classes} classes: "
            f"class numbers from 0 to {output.classes - 1} were expected."
        )


def standardize_weights(
    sample_weight: Any, class_weight: Any, targets: Sequence[Any], outputs: Sequence[OutputPlan]
) -> list[Any]:
    """One array of weights, or None, for each target. Sample weights win over class weights, as in Keras 2.2.

    Raises:
        ValueError: for a wrong shape, an unknown name, or classes without a weight.
    """
    names = [output.name for output in outputs]
    by_sample = _weights_by_output(sample_weight, names, "sample_weight")
    by_class = _weights_by_output(class_weight, names, "class_weight")
    result: list[Any] = []
    for sample, classes, target, output in zip(by_sample, by_class, targets, outputs, strict=True):
        if output.temporal and target is not None and len(target.shape) < 3:
            raise ValueError(
                f'`sample_weight_mode="temporal"` needs targets with a time dimension, but those of output '
                f'"{output.name}" have the shape {tuple(target.shape)}.'
            )
        if sample is not None and classes is not None:
            notices.warn("Found both `sample_weight` and `class_weight`: `class_weight` argument will be ignored.")
        if sample is not None:
            result.append(_sample_weight(sample, target, output))
        else:
            if classes is not None and target is None:
                raise ValueError(f"`class_weight` needs targets that are fed; those of {output.name} are a tensor.")
            result.append(None if classes is None else class_weights(classes, target))
    return result


def _weights_by_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    if given is None or (isinstance(given, (list, Mapping)) and not len(given)):
        return [None] * len(names)
    if isinstance(given, Mapping) and all(isinstance(key, Tensor) for key in given):  # not looked at by Keras
        return [None] * len(names)
    if isinstance(given, Mapping) and any(name in given for name in names):
        return [given.get(name) for name in names]
    if len(names) == 1:
        single = isinstance(given, list) and len(given) == 1 and (given[0] is None or np.ndim(given[0]) > 0)
        return [given[0] if single and what == "sample_weight" else given]
    if isinstance(given, list) and len(given) == len(names):
        return list(given)
    raise (ValueError if isinstance(given, (list, Mapping)) else TypeError)(
        f"The model has {len(names)} outputs, so `{what}` must be a list of {len(names)} entries or a dictionary with "
        f"keys among {list(names)}. You passed: {str(given)[:200]}"
    )


def _sample_weight(sample: Any, target: Any, output: OutputPlan) -> np.ndarray:
    weight = np.asarray(as_array(sample, f"sample_weight of {output.name}"), config.floatx())
    _check_finite(weight, output.name, "sample_weight of")
    if output.temporal and weight.ndim < 2:
        raise ValueError(
            f'Found a sample_weight array for {output.name} with shape {weight.shape}. sample_weight_mode="temporal" '
            "needs an array with 2 dimensions: (samples, time steps)."
        )
    if not output.temporal and weight.ndim != 1:
        raise ValueError(
            f"Found a sample_weight array with shape {weight.shape}. In order to use timestep-wise sample weights, you "
            'should specify sample_weight_mode="temporal" in compile(). If you just mean to use sample-wise weights, '
            "make sure your sample_weight array is 1D."
        )
    if target is not None and tuple(target.shape[: weight.ndim]) != weight.shape and target.shape[0] == weight.shape[0]:
        raise ValueError(
            f"Found a sample_weight array with shape {weight.shape} for an input with shape {tuple(target.shape)}. "
            "sample_weight cannot be broadcast."
        )
    return weight


def class_weights(weights: Mapping[int, float], target: Any) -> np.ndarray:
    """The weight of each sample's class.

    Arguments:
        weights: weight by class number.
        target: class numbers, or one-hot rows.

    Raises:
        ValueError: if a class of the data has no weight, or the targets have more than two dimensions.
    """
    if not isinstance(weights, Mapping):
        raise ValueError(f"`class_weight` must be a dictionary from class number to weight. You passed: {weights!r}")
    labels = np.asarray(target)
    if labels.ndim > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    classes = labels.argmax(axis=1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
    missing = {int(c) for c in np.unique(classes)} - set(weights)
    if missing:
        raise ValueError(
            "`class_weight` must contain all classes in the data. "
            f"The classes {missing} exist in the data but not in `class_weight`."
        )
    wrong = {k: v for k, v in weights.items() if np.asarray(v).dtype.kind not in "buif" or np.isnan(v)}
    if wrong:
        raise ValueError(f"`class_weight` must map class numbers to numbers. Found: {wrong}")
    table = {int(k): float(v) for k, v in weights.items()}
    return np.asarray([table[int(c)] for c in classes], config.floatx())
