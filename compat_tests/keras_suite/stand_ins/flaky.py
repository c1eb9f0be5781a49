"""Stands for the package `flaky`, which tests of Keras 2.3 import, and worker processes that unpickle their classes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def flaky(rerun_filter: Callable[..., bool] | None = None, max_runs: int = 2) -> Callable[..., Any]:
    """Tries a test up to `max_runs` times, as long as the filter likes the failure."""

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(test)
        def tried(*args: Any, **kwargs: Any) -> Any:
            for _ in range(max_runs - 1):
                try:
                    return test(*args, **kwargs)
                except Exception as error:
                    if rerun_filter and not rerun_filter((type(error), error, error.__traceback__), tried):
                        raise
            return test(*args, **kwargs)

        return tried

    return decorate
