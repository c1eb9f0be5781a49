"""`tf.metrics`: measures of many batches, each as a pair: the value so far, and the operation that adds a batch.

What they count is kept in local variables, which `tf.local_variables_initializer` sets to zero. The operation that adds
a batch has the new value as its result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import notices, operators
from kjax._core.scope import Scope, current
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph, _missing
from kjax.compat.tensorflow._graph import GraphKeys, node
from kjax.compat.tensorflow._init_values import variable_scope
from kjax.compat.tensorflow._variables import Variable, write
from kjax.compat.tensorflow.arrays import zeros
from kjax.metrics._curves import interpolated


def _measured(
    name: str,
    shapes: dict[str, Sequence[int]],
    counts: Callable[..., Sequence[Any]],
    value: Callable[..., Any],
    given: Sequence[Any],
    options: dict[str, Any],
    updated: Callable[..., Any] | None = None,
) -> tuple[Any, Any]:
    """A measure.

    Arguments:
        name: the default name of its scope.
        shapes: name of a variable to its shape.
        counts: function of the given arrays that tells what is added to each variable.
        value: function of the variables' values.
        given: tensors of a batch.
        options: the arguments that all measures share: collections, and the name.
        updated: what the operation that adds a batch returns, where that is not the value.
    """
    opened = current()
    if opened is not None:
        return _within_program(opened, name, shapes, counts, value, given, updated)
    with variable_scope(options.get("name"), name):
        default = _graph.get_default_graph()
        collections = [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES]
        kept = [Variable(zeros(shape), False, collections, name=key) for key, shape in shapes.items()]
        added = node("counts", lambda *x: list(counts(*x)), *given)
        new = [write("AssignAdd", v, operators.add, part) for v, part in zip(kept, added, strict=True)]
        result = node("value", value, *kept)
        update = node("update_op", updated or value, *new)
    for key in options.get("metrics_collections") or ():
        default.add_to_collection(key, result)
    for key in options.get("updates_collections") or ():
        default.add_to_collection(key, update)
    return result, update


def _within_program(
    opened: Scope,
    name: str,
    shapes: dict[str, Sequence[int]],
    counts: Callable[..., Sequence[Any]],
    value: Callable[..., Any],
    given: Sequence[Any],
    updated: Callable[..., Any] | None,
) -> tuple[Any, Any]:
    """In a metric of Keras, which is called on values: what is counted goes on from batch to batch of a model."""

    def make() -> list[Any]:
        return [K.variable(np.zeros(shape), name=f"{name}/{key}") for key, shape in shapes.items()]

    kept = opened.keep((*notices.place(), name), make)
    new = [opened.read(v) + jax.lax.stop_gradient(x) for v, x in zip(kept, counts(*given), strict=True)]
    for variable, x in zip(kept, new, strict=True):
        opened.write(variable, x)
    return value(*new), (updated or value)(*new)


def _options(metrics_collections: Any, updates_collections: Any, name: str | None) -> dict[str, Any]:
    return {"metrics_collections": metrics_collections, "updates_collections": updates_collections, "name": name}


def _ratio(a: Any, b: Any) -> Any:
    a, b = array(a), array(b)
    return jnp.where(b > 0, a / jnp.where(b > 0, b, jnp.ones_like(b)), jnp.zeros_like(a))


def _weighted(values: Any, weights: Any) -> tuple[Any, Any]:
    """Values in 32 bits, and weights of their shape."""
    values = array(values).astype("float32")
    weights = jnp.ones((), "float32") if weights is None else array(weights).astype("float32")
    weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    return values, jnp.broadcast_to(weights, values.shape)


def _mean_of(name: str, function: Callable[..., Any], given: Sequence[Any], weights: Any, options: Any) -> Any:
    """The weighted mean of what a function makes of a batch."""

    def counts(weights: Any, *given: Any) -> Any:
        values, weights = _weighted(function(*map(array, given)), weights)
        return jnp.sum(values * weights), jnp.sum(weights)

    return _measured(name, {"total": (), "count": ()}, counts, _ratio, [weights, *given], options)


def mean(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The weighted mean."""
    return _mean_of("mean", lambda x: x, [values], weights, _options(metrics_collections, updates_collections, name))


def _equal(labels: Any, predictions: Any) -> Any:
    if labels.ndim == predictions.ndim + 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if predictions.ndim == labels.ndim + 1 and predictions.shape[-1] == 1:
        predictions = predictions[..., 0]
    return labels.astype(predictions.dtype) == predictions


def _difference(labels: Any, predictions: Any) -> Any:
    return predictions.astype("float32") - labels.astype("float32")


def _comparing(name: str, function: Callable[[Any, Any], Any], doc: str) -> Callable[..., Any]:
    scope = name

    def metric(
        labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None,
        updates_collections: Any = None, name: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        options = _options(metrics_collections, updates_collections, name)
        return _mean_of(scope, function, [labels, predictions], weights, options)

    metric.__name__ = metric.__qualname__ = name
    metric.__doc__ = doc
    return metric


accuracy = _comparing("accuracy", _equal, "How often the predictions equal the labels.")
mean_squared_error = _comparing(
    "mean_squared_error", lambda y, p: jnp.square(_difference(y, p)), "The mean of squared differences."
)
mean_absolute_error = _comparing(
    "mean_absolute_error", lambda y, p: jnp.abs(_difference(y, p)), "The mean of sizes of differences."
)


def root_mean_squared_error(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The root of the mean of squared differences."""

    def counts(weights: Any, y: Any, p: Any) -> Any:
        values, weights = _weighted(jnp.square(_difference(array(y), array(p))), weights)
        return jnp.sum(values * weights), jnp.sum(weights)

    return _measured(
        "root_mean_squared_error", {"total": (), "count": ()}, counts, lambda t, c: jnp.sqrt(_ratio(t, c)),
        [weights, labels, predictions], _options(metrics_collections, updates_collections, name),
    )  # fmt: skip


def mean_per_class_accuracy(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The mean over the classes of how often each is found; a class that never came counts as 0."""

    def counts(weights: Any, y: Any, p: Any) -> Any:
        y, p = jnp.ravel(array(y)).astype("int32"), jnp.ravel(array(p)).astype("int32")
        _, weights = _weighted(y, None if weights is None else jnp.ravel(array(weights)))
        right = jnp.where(y == p, weights, jnp.zeros_like(weights))
        return [jnp.zeros(num_classes).at[y].add(x) for x in (right, weights)]

    return _measured(
        "mean_accuracy", {"total": (num_classes,), "count": (num_classes,)}, counts,
        lambda t, c: jnp.mean(_ratio(t, c)), [weights, labels, predictions],
        _options(metrics_collections, updates_collections, name), _ratio,
    )  # fmt: skip


def mean_iou(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The mean over the classes that came of `found rightly / (found or to be found)`."""

    def counts(weights: Any, y: Any, p: Any) -> Any:
        y, p = jnp.ravel(array(y)).astype("int32"), jnp.ravel(array(p)).astype("int32")
        _, weights = _weighted(y, None if weights is None else jnp.ravel(array(weights)))
        return [jnp.zeros((num_classes, num_classes)).at[y, p].add(weights)]

    def value(matrix: Any) -> Any:
        right, union = jnp.diagonal(array(matrix)), matrix.sum(0) + matrix.sum(1) - jnp.diagonal(array(matrix))
        return _ratio(jnp.sum(_ratio(right, union)), jnp.sum((union > 0).astype("float32")))

    return _measured(
        "mean_iou", {"total_confusion_matrix": (num_classes, num_classes)}, counts, value,
        [weights, labels, predictions], _options(metrics_collections, updates_collections, name), array,
    )  # fmt: skip


# -- true and false ones -----------------------------------------------------------------------------------------------


def _sorted_out(weights: Any, labels: Any, guesses: Any) -> dict[str, Any]:
    """The weights of true and false positives and negatives, summed over all axes but the first of `guesses`."""
    truth = jnp.ravel(array(labels)).astype(bool)
    _, weights = _weighted(truth, None if weights is None else jnp.ravel(array(weights)))
    truth, weights = (x.reshape((1,) * (guesses.ndim - 1) + x.shape) for x in (truth, weights))

    def total(chosen: Any) -> Any:
        return jnp.sum(
            jnp.where(chosen, jnp.broadcast_to(weights, chosen.shape), jnp.zeros(chosen.shape, weights.dtype)), -1
        )

    return {
        "true_positives": total(truth & guesses), "false_positives": total(~truth & guesses),
        "false_negatives": total(truth & ~guesses), "true_negatives": total(~truth & ~guesses),
    }  # fmt: skip


def _counting(kinds: Sequence[str], name: str, value: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def metric(
        labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None,
        updates_collections: Any = None, name: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        def counts(weights: Any, y: Any, p: Any) -> Any:
            found = _sorted_out(weights, y, jnp.ravel(array(p)).astype(bool))
            return [found[kind] for kind in kinds]

        options = _options(metrics_collections, updates_collections, name)
        names = [f"{kind}/count" if len(kinds) > 1 else "count" for kind in kinds]
        shapes: dict[str, Sequence[int]] = dict.fromkeys(names, ())
        return _measured(scope, shapes, counts, value, [weights, labels, predictions], options)

    scope = name
    metric.__name__ = metric.__qualname__ = name
    metric.__doc__ = doc
    return metric


def _share(a: Any, b: Any) -> Any:
    return _ratio(a, array(a) + array(b))


precision = _counting(
    ["true_positives", "false_positives"], "precision", _share, "How many of those that were found are to be found."
)
recall = _counting(
    ["true_positives", "false_negatives"], "recall", _share, "How many of those that are to be found were found."
)
true_positives = _counting(["true_positives"], "true_positives", array, "How many were found rightly.")
false_positives = _counting(["false_positives"], "false_positives", array, "How many were found wrongly.")
false_negatives = _counting(["false_negatives"], "false_negatives", array, "How many were missed.")
true_negatives = _counting(["true_negatives"], "true_negatives", array, "How many were left out rightly.")


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
) -> tuple[Any, Any]:
    """The area under the curve of true by false positives, or of precision by recall, from some thresholds.

    Arguments:
        labels: truth values.
        predictions: numbers from 0 to 1.
        num_thresholds: how many thresholds.
        curve: `'ROC'` or `'PR'`.
        summation_method: `'trapezoidal'`, or `'careful_interpolation'` of precisions.
    """
    if summation_method not in ("trapezoidal", "careful_interpolation"):
        raise NotImplementedError(
            f"tf.metrics.auc sums trapezoids or interpolates here. Found: summation_method={summation_method!r}."
        )
    interpolates = curve == "PR" and summation_method == "careful_interpolation"
    tiny = 1e-7
    inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
    limits = jnp.asarray([-tiny, *inner, 1 + tiny], "float32")

    def counts(weights: Any, y: Any, p: Any) -> Any:
        return list(_sorted_out(weights, y, jnp.ravel(array(p))[None] > limits[:, None]).values())

    def value(tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
        tp, fp, fn, tn = map(array, (tp, fp, fn, tn))
        if interpolates:
            return interpolated(tp, fp, fn)
        recalled = (tp + 1e-6) / (tp + fn + 1e-6)
        x, y = (fp / (fp + tn + 1e-6), recalled) if curve == "ROC" else (recalled, (tp + 1e-6) / (tp + fp + 1e-6))
        return jnp.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2)

    kinds = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    return _measured(
        "auc", dict.fromkeys(kinds, (num_thresholds,)), counts, value, [weights, labels, predictions],
        _options(metrics_collections, updates_collections, name),
    )  # fmt: skip


__all__ = [
    "accuracy", "auc", "false_negatives", "false_positives", "mean", "mean_absolute_error", "mean_iou",
    "mean_per_class_accuracy", "mean_squared_error", "precision", "recall", "root_mean_squared_error",
    "true_negatives", "true_positives",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.metrics", __all__, beside="kjax.metrics")  # TensorFlow 2 has Keras's here
