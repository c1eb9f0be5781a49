"""The optimizers under the name that tf.keras 2.9 gave to those that were new."""

from __future__ import annotations

from kjax.optimizers._adam import Adam, Adamax, Nadam
from kjax.optimizers._adamw import AdamW
from kjax.optimizers._base import Optimizer
from kjax.optimizers._ftrl import Ftrl
from kjax.optimizers._gradient import SGD, Adadelta, Adagrad, RMSprop

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
