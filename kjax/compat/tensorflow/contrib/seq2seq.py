"""`tf.contrib.seq2seq`: the loss of sequences."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.backend._ops import array
from kjax.compat.tensorflow import _missing, nn
from kjax.compat.tensorflow._graph import node


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """Weighted cross entropy of sequences of classes, divided by the sum of the weights.

    Arguments:
        logits: `(samples, time, classes)`.
        targets: `(samples, time)`.
        weights: `(samples, time)`; 0 for what does not count.
        average_across_timesteps, average_across_batch: over which axes it is averaged.
    """
    entropy = softmax_loss_function or nn.sparse_softmax_cross_entropy_with_logits
    values = entropy(labels=targets, logits=logits)
    which = {(True, True): (0, 1), (True, False): (1,), (False, True): (0,)}
    axes = which.get((bool(average_across_timesteps), bool(average_across_batch)))

    def averaged(values: Any, weights: Any) -> Any:
        weights = jnp.asarray(array(weights), values.dtype)
        if axes is None:
            return values * weights
        return jnp.sum(values * weights, axes) / (jnp.sum(weights, axes) + 1e-12)

    return node("sequence_loss", averaged, values, weights, name=name)


__all__ = ["sequence_loss"]
__getattr__ = _missing.attribute("tensorflow.contrib.seq2seq", __all__)
