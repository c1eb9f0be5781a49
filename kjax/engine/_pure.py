"""A model as a pure function and its pytrees, for users who write JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jax.numpy as jnp

from kjax.engine import _steps
from kjax.engine._spec import unpack

if TYPE_CHECKING:
    from kjax._core.graph import Variable
    from kjax.engine.network import Network

Values = Mapping[str, Any]


class Apply(Protocol):
    """(params, state, inputs, training=False, key=None) -> (outputs, new_state, losses)."""

    def __call__(
        self, params: Values, state: Values, inputs: Any, training: bool = False, key: Any = None
    ) -> tuple[Any, dict[str, Any], list[Any]]: ...


class PureModel(NamedTuple):
    """A model without hidden state.

    Attributes:
        apply: `apply(params, state, inputs, training=False, key=None) -> (outputs, new_state, losses)`: pure, so
            `jax.jit`, `jax.grad` and `jax.vmap` apply to it (`training` is static). `inputs` is an array, or a list of
            them. `losses` are the penalties that layers and regularizers add. `key` is needed where the model draws
            random numbers.
        params: the trainable weights by name: copies, which training of the model does not change.
        state: the other variables by name, such as moving averages.
    """

    apply: Apply
    params: dict[str, Any]
    state: dict[str, Any]


def pure(model: Network) -> PureModel:
    """`model` as a pure function of its variables."""
    trainable, others = _by_name(model.trainable_weights), _by_name(model.non_trainable_weights)
    roles = _steps.Roles(tuple(trainable.values()), tuple(others.values()), may_freeze=True)

    def apply(
        params: Values, state: Values, inputs: Any, training: bool = False, key: Any = None
    ) -> tuple[Any, dict[str, Any], list[Any]]:
        arrays = [jnp.asarray(x) for x in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
        outputs, _, new_state, losses = _steps.apply(
            model,
            roles,
            [params[name] for name in trainable],
            [state[name] for name in others],
            arrays,
            training=training,
            key=key,
        )
        return unpack(outputs), dict(zip(others, new_state, strict=True)), losses

    params, values = ({name: jnp.array(v.stored) for name, v in group.items()} for group in (trainable, others))
    return PureModel(apply, params, values)


def _by_name(variables: list[Variable]) -> dict[str, Variable]:
    """Variables by their names without `:0`, numbered where two are alike."""
    named: dict[str, Variable] = {}
    for variable in variables:
        base = name = variable.name.removesuffix(":0")
        number = 1
        while name in named:
            name, number = f"{base}_{number}", number + 1
        named[name] = variable
    return named
