"""`get_updates` of optimizers, which took the parameters first in Keras 1, and the constraints beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjax._core.graph import Tensor
from kjax.legacy._convert import Args, Kwargs, Table


def _loss_first(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """`get_updates(params, constraints, loss)` or `(params, loss)` as `(loss=..., params=...)`."""
    names = ("params", "constraints", "loss")
    if len(args) == 2 and isinstance(args[1], Tensor):
        names = ("params", "loss")
    elif len(args) < 3 and not (len(args) == 2 and "loss" in kwargs):
        names = ("params",) if args and isinstance(args[0], (list, tuple)) else ()
    if not names and "constraints" not in kwargs:
        return None
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    constraints: Any = given.pop("constraints", None)
    if isinstance(constraints, Mapping):
        for variable, constraint in constraints.items():
            variable.constraint = constraint
    return (() if names else args), given


TABLES = {"Optimizer.get_updates": Table(rewrite=_loss_first)}
