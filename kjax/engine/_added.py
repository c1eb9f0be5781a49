"""`add_metric`: what layers and models show in the logs beside the metrics that `compile` was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import jax

from kjax import metrics
from kjax._core import graph, scope
from kjax._core.graph import Tensor


class Added:
    """A metric that a layer added.

    Arguments:
        name: its name in the logs.
        metric: the metric with a state that gathers it.
        value: the symbolic tensor that is measured; None if a layer's call measures.
        is_result: whether `value` is what the metric gives, and not what it gathers.
    """

    def __init__(self, name: str, metric: Any, value: Tensor | None = None, is_result: bool = False) -> None:
        self.name, self.metric, self.value, self.is_result = name, metric, value, is_result

    def measure(self) -> Any:
        """The measure so far, when a batch is scored."""
        opened = scope.current()
        assert opened is not None, "a batch is scored in a scope"
        assert isinstance(opened.captured, graph.Values), "with the values of the model's tensors"
        if self.value is None:
            found = opened.captured.values.get(self)
            return self.metric.result() if found is None else found
        value = jax.lax.stop_gradient(opened.captured(self.value))
        if self.is_result:
            return value
        self.metric.update_state(value)
        return self.metric.result()


class Appended(list[Any]):
    """A list that tells of what is appended to it.

    Scripts of Keras 2 log a tensor by `model.metrics_tensors.append(x)` and `model.metrics_names.append("x")`.
    """

    def __init__(self, items: Iterable[Any], tell: Callable[[Any], None]) -> None:
        super().__init__(items)
        self._tell = tell

    def append(self, item: Any) -> None:
        super().append(item)
        self._tell(item)


class _Metrics:
    """The metrics of a layer, where nothing else is stored under this name."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return self if layer is None else [added.metric for each in layer._flatten() for added in each._added.values()]


class Measures:
    """The part of a layer that adds to the logs. A base of `Layer` alone."""

    name: str
    _added: Mapping[str, Added] = MappingProxyType({})
    _told: tuple[Any, ...] = ()

    metrics: Any = _Metrics()

    def _measured(self) -> list[Added]:
        """What was added, in the order of the logs: metrics that are attributes first, as these are."""
        own = list(map(id, _own_metrics(self)))
        return sorted(self._added.values(), key=lambda a: own.index(id(a.metric)) if id(a.metric) in own else len(own))

    def add_metric(self, value: Any, name: Any = None, aggregation: Any = None) -> None:
        """Show a value in the logs of `fit` and `evaluate`: its mean over an epoch's batches, or what a metric gathers.

        Called in `call` with a value, or outside with a symbolic tensor. Of an array it is the mean of its items.

        Arguments:
            value: what is shown; or what a `Metric` object with a state gave when it was called.
            name: its name in the logs; not needed for a `Metric` object.
            aggregation: `'mean'`, which is meant in any case.

        Raises:
            ValueError: without a name, for another aggregation, or if attributes of the layer share the name.
        """
        if name == "mean" and isinstance(aggregation, str) and aggregation != "mean":
            name, aggregation = aggregation, name  # the order of arguments in TensorFlow 2.0
        if aggregation not in (None, "mean"):
            raise ValueError(f"`aggregation` must be None or 'mean'. Found: {aggregation!r}")
        opened = scope.current()
        result, metric = (None, getattr(value, "_metric_obj", None)) if opened is None else _giver(opened, value)
        name = name or getattr(metric, "name", None)
        if name is None:
            raise ValueError(
                f"`add_metric` of {self.name} needs a name for its value: `self.add_metric(x, name='mean_of_x')`."
            )
        same = [own for own in _own_metrics(self) if own.name == name]
        if len(same) > 1:
            raise ValueError(
                f"{self.name} has {len(same)} metrics called {name!r}. Give them different names, so that the logs can "
                "tell them apart."
            )
        if opened is None:
            if name not in self._added:
                given = metric if metric is not None else metrics.Mean(name)
                self._enter(Added(name, given, value, metric is not None))
            return
        if name not in self._added:
            self._enter(Added(name, metric if metric is not None else metrics.Mean(name)))
        if opened.measures is not None:
            added = self._added[name]
            if metric is None:
                added.metric.update_state(jax.lax.stop_gradient(value))
                result = added.metric.result()
            opened.measures[added] = jax.lax.stop_gradient(result)

    def _tell(self, item: Any) -> None:
        """Add a metric when both are there: its name, and its tensor."""
        self._told = *self._told, item
        names = [x for x in self._told if isinstance(x, str)]
        tensors = [x for x in self._told if not isinstance(x, str)]
        if names and tensors:
            self._told = (*names[1:], *tensors[1:])
            self.add_metric(tensors[0], name=names[0])

    def _enter(self, added: Added) -> None:
        self._added = {**self._added, added.name: added}


def _own_metrics(layer: Any) -> list[Any]:
    """Metrics with a state that are attributes of a layer."""
    return [value for value in vars(layer).values() if isinstance(value, metrics.Metric)]


def _giver(opened: scope.Scope, value: Any) -> tuple[Any, Any]:
    """What a metric gave, and that metric; two times None for any other value."""
    result, metric = opened.results.get(id(value), (None, None))
    return (result, metric) if result is value else (None, None)
