"""The layers of `tf.layers` as objects, which use the same variables whenever they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._init_values import variable_scope
from kjax.compat.tensorflow._variables import global_variables


class Layer:
    """Base of the layers that are objects.

    Arguments:
        function: the layer as a function.
        base: its default name.
        arguments: arguments of the function.
        name: its name.
    """

    def __init__(self, function: Callable[..., Any], base: str, arguments: dict[str, Any], name: str | None) -> None:
        self._function, self._base, self._arguments, self._name = function, base, arguments, name
        self._scope: Any = None
        self.__dict__.update({k: v for k, v in arguments.items() if k in ("units", "filters", "activation")})

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        accepted = inspect.signature(self._function).parameters
        if "reuse" not in accepted:
            return self._function(inputs, **self._arguments, **kwargs)
        first = self._scope is None
        if first:
            with variable_scope(self._name, self._base) as opened:
                self._scope = opened
        return self._function(inputs, **self._arguments, name=self._scope, reuse=None if first else True, **kwargs)

    apply = __call__

    @property
    def name(self) -> str:
        """Its name."""
        return self._scope.name if self._scope is not None else self._name or self._base

    @property
    def variables(self) -> list[Any]:
        """Its variables, once it has been called."""
        return [] if self._scope is None else global_variables(f"{self._scope.name}/")

    weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        """Those that optimizers change."""
        return [v for v in self.variables if v.trainable]

    trainable_weights = trainable_variables

    def __getattr__(self, name: str) -> Any:
        scope = self.__dict__.get("_scope")
        found = None if scope is None else _graph.get_default_graph().store.get(f"{scope.name}/{name}")
        if found is None:
            raise AttributeError(f"The layer has no {name!r}" + ("; call it first." if scope is None else "."))
        return found


def class_of(name: str, function: Callable[..., Any]) -> type[Layer]:
    """The class of layers that call a function."""
    parameters = [p for p in inspect.signature(function).parameters if p not in ("inputs", "name", "reuse", "_")]

    def init(self: Layer, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("_reuse", None)
        kwargs.pop("dtype", None)
        Layer.__init__(self, function, function.__name__, {**dict(zip(parameters, args, strict=False)), **kwargs}, name)

    return type(name, (Layer,), {"__init__": init, "__doc__": function.__doc__, "__module__": __name__})
