"""What `keras.applications` of Keras 2.2 used to lend Keras's modules to networks that were written outside of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kjax import backend, layers, models, utils


def keras_modules_injection(base_fun: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the function is given the keywords `backend`, `layers`, `models` and `utils`."""

    @functools.wraps(base_fun)
    def call(*args: Any, **kwargs: Any) -> Any:
        return base_fun(*args, **{**kwargs, "backend": backend, "layers": layers, "models": models, "utils": utils})

    return call
