"""A transformation of optax in the place of an optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core.graph import Variable
from kjax.optimizers._base import Optimizer


def _is_key(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jax.dtypes.prng_key))


def _to_numbers(x: Any) -> Any:
    """A random key as the numbers in it, which a variable can hold and a file can store."""
    return jax.random.key_data(x) if _is_key(jnp.asarray(x)) else jnp.asarray(x)


def is_transformation(x: Any) -> bool:
    """Whether `x` has what an optax `GradientTransformation` has: the functions `init` and `update`."""
    return not isinstance(x, type) and all(callable(getattr(x, name, None)) for name in ("init", "update"))


class OptaxOptimizer(Optimizer):
    """Any optax `GradientTransformation`, such as `optax.lion(1e-4)` or a chain of several.

    The learning rate belongs to the transformation: there is no `lr` and no `decay`. Clipping comes
    before it, constraints after it.

    Arguments:
        transformation: an object with `init(params)` and `update(grads, state, params)`.
        **kwargs: `clipnorm`, `clipvalue`, `name`: see `Optimizer`.

    Raises:
        TypeError: if `transformation` is none, or if a learning rate is given.
    """

    def __init__(self, transformation: Any, **kwargs: Any) -> None:
        if not is_transformation(transformation):
            raise TypeError(
                f"`transformation` must have the functions `init` and `update`, as those of optax do; got "
                f"{transformation!r}."
            )
        if kwargs.get("learning_rate") is not None:
            raise TypeError("An optax transformation has its own learning rate: give it to the transformation.")
        super().__init__(**kwargs)
        self.transformation = transformation

    def init(self, params: Any) -> Any:
        return jax.tree.map(_to_numbers, self.transformation.init(params))

    def update(self, grads: Any, slots: Any, params: Any, lr: Any = None) -> tuple[Any, Any]:
        leaves, structure = jax.tree.flatten(slots)
        kinds = self._kinds_of_keys(params)
        leaves = [
            x if kind is None else jax.random.wrap_key_data(x, impl=kind) for x, kind in zip(leaves, kinds, strict=True)
        ]
        updates, slots = self.transformation.update(grads, structure.unflatten(leaves), params)
        return updates, jax.tree.map(_to_numbers, slots)

    def _kinds_of_keys(self, params: Any) -> list[Any]:
        """For each leaf of the slots, what kind of random key it is, or None. No slot is computed for it."""
        kinds: list[Any] = []

        def look(params: Any) -> None:
            leaves = jax.tree.leaves(self.transformation.init(params))
            kinds.extend(jax.random.key_impl(x) if _is_key(jnp.asarray(x)) else None for x in leaves)

        jax.eval_shape(look, params)
        return kinds

    def starting_values(self, params: Sequence[Variable]) -> list[Any]:
        return [p.value for p in params]

    def get_config(self) -> dict[str, Any]:
        """Not possible: a transformation is made of functions.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "An optax transformation has no config, so it cannot be written to a file. Save the model "
            "without its optimizer (`include_optimizer=False`) and compile it again after loading."
        )
