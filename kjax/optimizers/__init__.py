"""Optimizers: SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam, Ftrl, any of optax's, and the user's own.

Formulas and defaults are those of Keras 2.2. A training step of one's own:

    optimizer = SGD(lr=0.1, momentum=0.9)
    state = optimizer.init_state(params)
    params, state = optimizer.apply(grads, state, params)
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from kjax._core.registry import Registry, get_custom_objects
from kjax.optimizers import experimental, legacy, schedules
from kjax.optimizers._adam import Adam, Adamax, Nadam
from kjax.optimizers._adamw import AdamW
from kjax.optimizers._base import Optimizer, OptimizerState
from kjax.optimizers._ftrl import Ftrl
from kjax.optimizers._gradient import SGD, Adadelta, Adagrad, RMSprop
from kjax.optimizers._native import TFOptimizer, is_native
from kjax.optimizers._optax import OptaxOptimizer, is_transformation

__all__ = [
    "SGD",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Ftrl",
    "TFOptimizer",
    "sgd",
    "rmsprop",
    "adagrad",
    "adadelta",
    "adam",
    "adamax",
    "nadam",
    "OptaxOptimizer",
    "Optimizer",
    "OptimizerState",
    "experimental",
    "legacy",
    "schedules",
    "get",
    "serialize",
    "deserialize",
]

sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam

_registry = Registry("optimizer", ignore_case=True)
for _class in (SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Ftrl):
    _registry.register(_class)


def get(identifier: Any) -> Optimizer:
    """The optimizer meant by `identifier`.

    Arguments:
        identifier: an optimizer, a class of one, a name in any case, a config as `serialize` writes it, an
            optax `GradientTransformation`, or an optimizer of `tf.train`.

    Raises:
        ValueError: for an unknown name, and for anything else.
    """
    if inspect.isclass(identifier) and issubclass(identifier, Optimizer):
        return cast(Any, identifier)()
    if isinstance(identifier, Optimizer):
        return identifier
    if is_native(identifier):
        return TFOptimizer(identifier)
    if is_transformation(identifier):
        return OptaxOptimizer(identifier)
    if isinstance(identifier, (str, Mapping)):
        return deserialize(cast(Any, identifier))
    raise ValueError(
        f"Could not interpret optimizer identifier: {identifier!r}. Pass an optimizer, its name, its "
        "config, or an optax transformation."
    )


def is_known(name: Any) -> bool:
    """Whether a name, in any case, is that of a class here and not of the user's."""
    return isinstance(name, str) and name.lower() in _registry.names() and name not in get_custom_objects()


def serialize(optimizer: Any) -> dict[str, Any]:
    """The config of an optimizer: `{'class_name': ..., 'config': ...}`."""
    return _registry.serialize(optimizer)


def deserialize(config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that `serialize` wrote as `config`, or that a name stands for."""
    if isinstance(config, dict) and is_known(config.get("class_name")):
        config["class_name"] = config["class_name"].lower()  # as Keras does, to whose tests the change is visible
    return _registry.deserialize(config, custom_objects)
