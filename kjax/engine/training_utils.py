"""The small functions around training that Keras 2.2 kept here, for programs that import them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kjax import backend as K
from kjax._core.sequence import Sequence as Batches
from kjax._core.stream import has_random_access
from kjax.engine import _check, _plan


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Where each batch of `size` samples begins, and before which sample it ends."""
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """Row numbers with their batches in another order; rows of a last, smaller batch stay at the end."""
    whole = len(index_array) // batch_size * batch_size
    batches = np.array(index_array[:whole]).reshape(-1, batch_size)
    np.random.shuffle(batches)
    return np.append(batches.ravel(), index_array[whole:])


def check_num_samples(
    ins: Any, batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> Any:
    """The number of samples in a list of arrays; None if `steps` counts batches instead.

    Raises:
        ValueError: if both `batch_size` and `steps` are given, or the arrays do not tell.
    """
    if steps is not None and batch_size is not None:
        raise ValueError(f"If {steps_name} is set, the `batch_size` must be None.")
    if steps is not None:
        return None
    if not ins or not hasattr(ins[0], "shape"):
        raise ValueError(f"If your data is in the form of symbolic tensors, you should specify the `{steps_name}`.")
    return int(ins[0].shape[0])


def standardize_single_array(x: Any) -> Any:
    """`x`, with a second dimension of length 1 if it is an array of one dimension."""
    return np.expand_dims(x, 1) if x is not None and not K.is_tensor(x) and np.ndim(x) == 1 else x


def standardize_input_data(
    data: Any,
    names: Sequence[str],
    shapes: Sequence[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> list[Any]:
    """One array for each of `names`, from an array, a list of them or a dictionary by name.

    Arguments:
        data: what a user passes to `fit`.
        names: names of the inputs or outputs.
        shapes: the expected shapes, None where any will do.
        check_batch_axis: whether the first dimension has to be as expected, too.
        exception_prefix: what messages call it.

    Raises:
        ValueError: if it does not fit.
    """
    if not names:
        return []
    wanted = [None if shape is None else tuple(shape) for shape in shapes or [None] * len(names)]
    if not check_batch_axis:
        wanted = [shape if shape is None else (None, *shape[1:]) for shape in wanted]
    return _check.standardize(data, list(names), wanted, exception_prefix or "data")


def check_array_length_consistency(inputs: Any, targets: Any, weights: Any = None) -> None:
    """Check that all arrays have equally many samples: None has 0, symbolic tensors any number.

    Raises:
        ValueError: if they have not.
    """
    kinds = ("input arrays (x)", "target arrays (y)", "sample_weight arrays")
    counts = [_lengths(group) for group in (inputs, targets, weights)]
    for found, what in zip(counts, kinds, strict=True):
        if len(found) > 1:
            raise ValueError(f"All {what} should have the same number of samples. Found: {sorted(found)}")
    of_inputs, of_targets, of_weights = counts
    if of_inputs and of_targets and of_inputs != of_targets:
        raise ValueError(
            "Input arrays should have the same number of samples as target arrays. "
            f"Found {min(of_inputs)} input samples and {min(of_targets)} target samples."
        )
    if of_targets and of_weights and of_targets != of_weights:
        raise ValueError(
            "Sample_weight arrays should have the same number of samples as target arrays. "
            f"Got {min(of_targets)} target samples and {min(of_weights)} sample weights."
        )


def _lengths(group: Any) -> set[int]:
    if group is None:
        return {0}
    return {0 if x is None else int(x.shape[0]) for x in group if not K.is_tensor(x)}


def weighted_masked_objective(fn: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A loss that takes weights and a mask, from one of (y_true, y_pred).

    It is the mean of `fn * mask / mean(mask) * weights`, divided by the share of weights that are not 0.
    """

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        scores = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            scores = scores * mask
            scores = scores / K.mean(mask)
        if weights is not None:
            axes = list(range(K.ndim(weights), K.ndim(scores)))
            scores = (K.mean(scores, axis=axes) if axes else scores) * weights
            scores = scores / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(scores)

    return weighted


def is_sequence(seq: Any) -> bool:
    """Whether batches are had by their number: a `Sequence`, or an object with its methods."""
    return isinstance(seq, Batches) or (has_random_access(seq) and hasattr(seq, "on_epoch_end"))


def is_generator_or_sequence(x: Any) -> bool:
    """Whether `x` yields batches: a generator or a `Sequence`."""
    return hasattr(x, "__next__") or is_sequence(x)


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a `Sequence`, over and over."""
    while True:
        yield from (seq[i] for i in range(len(seq)))


def get_static_batch_size(layer: Any) -> int | None:
    """The batch size that a layer was told, if it was."""
    shape = getattr(layer, "batch_input_shape", None)
    return None if shape is None else shape[0]


def check_loss_and_target_compatibility(targets: Any, loss_fns: Any, output_shapes: Any) -> None:
    """Check that targets fit losses and outputs, as `fit` does.

    Arguments:
        targets: arrays, None for an output without a target.
        loss_fns: losses of the outputs.
        output_shapes: shapes of the outputs.

    Raises:
        ValueError: if they do not.
    """
    known = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")
    for y, loss, shape in zip(targets, loss_fns, output_shapes, strict=True):
        name = _plan._kind_of(loss)
        if y is None or loss is None or K.is_tensor(y):
            continue
        if name == "categorical_crossentropy" and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss `categorical_crossentropy`, "
                "which expects one-hot targets of shape (samples, classes). Convert class numbers with "
                "`to_categorical`, or use `sparse_categorical_crossentropy`."
            )
        wrong = any(want is not None and got != want for got, want in zip(y.shape[1:], shape[1:], strict=False))
        if name in known and (wrong or len(y.shape) != len(shape)):
            raise ValueError(
                f"A target array with shape {y.shape} was passed for an output of shape {shape} while using as loss "
                f"`{name}`. This loss expects targets to have the same shape as the output."
            )


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """A list of metrics for each output, from what `compile` is given.

    Raises:
        TypeError: if it is neither a list nor a dictionary.
    """
    if metrics is not None and not isinstance(metrics, (list, tuple, dict)):
        raise TypeError(f"Type of `metrics` argument not understood. Expected a list or dictionary, found: {metrics!r}")
    return _plan._metrics_per_output(metrics, output_names, "metrics")


def standardize_sample_or_class_weights(x_weight: Any, output_names: Sequence[str], weight_type: str) -> list[Any]:
    """One entry of weights for each output, from one, a list or a dictionary by output.

    Raises:
        ValueError, TypeError: if it does not fit the outputs.
    """
    if isinstance(x_weight, list) and len(output_names) > 1 and len(x_weight) != len(output_names):
        raise ValueError(
            f"Provided `{weight_type}` was a list of {len(x_weight)} elements, but the model has {len(output_names)} "
            f"outputs. You should provide one `{weight_type}` array per model output."
        )
    try:
        return _check._weights_by_output(x_weight, output_names, weight_type)
    except ValueError as error:
        raise TypeError(str(error)) from None


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """`standardize_sample_or_class_weights` of class weights."""
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """`standardize_sample_or_class_weights` of sample weights."""
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: Any, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> Any:
    """The weight of each sample of the targets `y`: those given, those of its class, or ones.

    Raises:
        ValueError: if they do not fit the targets.
    """
    if sample_weight is None and class_weight is None:
        return np.ones(y.shape[:2] if sample_weight_mode == "temporal" else y.shape[:1], K.floatx())
    output = _plan.OutputPlan("target", None, 1.0, (), sample_weight_mode == "temporal", None, None)
    return _check.standardize_weights(sample_weight, class_weight, [np.asarray(y)], [output])[0]
