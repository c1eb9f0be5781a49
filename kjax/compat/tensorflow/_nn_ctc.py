"""`tf.nn.ctc_loss`, with labels in a sparse tensor, as TensorFlow 1 takes them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax.backend import ctc
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._graph import node


def ctc_loss(
    labels: Any, inputs: Any = None, sequence_length: Any = None, preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True, ignore_longer_outputs_than_inputs: bool = False, time_major: bool = True,
) -> Any:  # fmt: skip
    """Minus the logarithm of the probability of each sample's labels. The last class is the blank.

    Arguments:
        labels: `tf.SparseTensor` of classes, one row for each sample.
        inputs: scores before a softmax, `(time, samples, classes)`.
        sequence_length: number of time steps of each sample.
        time_major: whether time is the first axis of `inputs`.
    """
    if preprocess_collapse_repeated or not ctc_merge_repeated:
        raise NotImplementedError("tf.nn.ctc_loss merges repeated classes on paths, and none in labels, here.")
    if not hasattr(labels, "indices"):
        raise TypeError(f"tf.nn.ctc_loss takes labels as a tf.SparseTensor. Found: {labels!r}.")

    def loss(places: Any, classes: Any, scores: Any, steps: Any) -> Any:
        logs = jax.nn.log_softmax(float_array(scores))
        logs = jnp.swapaxes(logs, 0, 1) if time_major else logs
        places, classes = array(places).astype("int32"), array(classes).astype("int32")
        # A sample has no more labels than there are time steps.
        dense = jnp.zeros(logs.shape[:2], "int32").at[places[:, 0], places[:, 1]].set(classes)
        counts = jnp.zeros(logs.shape[0], "int32").at[places[:, 0]].add(1)
        return jax.vmap(ctc.loss_of_one)(logs, dense, array(steps).astype("int32"), counts)

    return node("CTCLoss", loss, labels.indices, labels.values, convert(inputs), convert(sequence_length))


__all__ = ["ctc_loss"]
