"""The part of Theano that scripts of Keras 0 and 1 used beside it: functions of layers' outputs, and tensors in losses.

Many such scripts import it and use nothing. What Theano wrote as code of its own, `scan` and layers by `dimshuffle`, is
not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from kjax import backend as K
from kjax.compat.tensorflow import _missing
from kjax.compat.theano import tensor

__version__ = "0.9.0+kjax"


class _Config(SimpleNamespace):
    """Settings: what a script sets stays, and has no effect."""

    @property
    def floatX(self) -> str:
        return K.floatx()

    @floatX.setter
    def floatX(self, value: str) -> None:
        K.set_floatx(value)


config = _Config(device="cpu", mode="FAST_RUN", optimizer="fast_run", exception_verbosity="low", openmp=False)
In = Param = lambda variable, **_: variable


def shared(value: Any, name: str | None = None, strict: bool = False, allow_downcast: Any = None, **_: Any) -> Any:
    """A variable."""
    return K.variable(value, name=name)


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    **_: Any,
) -> Callable[..., Any]:
    """A function of arrays, one for each tensor in `inputs`, that gives the value of `outputs`, or a list of values.

    Arguments:
        updates: pairs of a variable and its new value, or a dictionary.
        givens: has to be empty.

    Raises:
        NotImplementedError: with `givens`.
    """
    if givens:
        raise NotImplementedError("`givens` of `theano.function` is not there. Feed the values through `inputs`.")
    several = isinstance(outputs, (list, tuple))
    wanted = [*outputs] if isinstance(outputs, (list, tuple)) else [] if outputs is None else [outputs]
    pairs = [*updates.items()] if isinstance(updates, Mapping) else [*(updates or [])]
    computes = K.function([*inputs] if isinstance(inputs, Sequence) else [inputs], wanted, pairs)

    def compute(*arrays: Any) -> Any:
        values = computes([*arrays])
        return values if several else values[0] if values else None

    return compute


__all__ = ["In", "Param", "config", "function", "shared", "tensor"]
__getattr__ = _missing.attribute("theano", __all__, "kjax's, which has what scripts of Keras used beside it")
