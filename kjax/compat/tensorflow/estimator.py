"""`tf.estimator` is not there: the error says what takes its place."""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"tensorflow.estimator.{name} is not there: kjax's tensorflow has no estimators. Write the model with tf.keras "
        "(`fit`, `evaluate`, `predict`), or run the body of `model_fn` in a tf.Session."
    )
