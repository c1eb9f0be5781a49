"""Connectionist temporal classification: the loss of a sequence of labels whose places in time are not known.

At each time step the network says how probable each label is, and a blank, which is the last class. A path through the
steps reads as the labels that are left when repetitions are merged and blanks dropped. All sums over paths are taken by
a loop over time, in logarithms.

Reference:
    Graves, Fernandez, Gomez, Schmidhuber: Connectionist Temporal Classification (2006).
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from kjax._core import config
from kjax._core.graph import Tensor, apply
from kjax.backend._ops import array, float_array, op
from kjax.backend.sparse import SparseTensor

_NEVER = -1e30  # logarithm of the probability of what cannot be; finite, so that derivatives are numbers


def _logits(y_pred: Any) -> Any:
    """Logarithms of probabilities, in which Keras counts 0 as epsilon."""
    y_pred = float_array(y_pred)
    return jnp.log(y_pred + jnp.asarray(config.epsilon(), y_pred.dtype))


def _lengths(x: Any) -> Any:
    return array(x).reshape(-1).astype("int32")


@op
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """The loss of each sample: minus the logarithm of the probability of its labels, summed over all paths.

    Arguments:
        y_true: labels, shape (samples, most labels); what is behind a sample's labels does not matter.
        y_pred: probabilities, shape (samples, time steps, classes). The last class is the blank.
        input_length: time steps of each sample, shape (samples, 1).
        label_length: labels of each sample, shape (samples, 1).

    Returns:
        Shape (samples, 1). Infinite for labels that do not fit into the time steps.
    """
    logs = jax.nn.log_softmax(_logits(y_pred))
    labels = jnp.clip(array(y_true).astype("int32"), 0, logs.shape[-1] - 1)
    losses = jax.vmap(loss_of_one)(logs, labels, _lengths(input_length), _lengths(label_length))
    return losses[:, None]


def loss_of_one(logs: Any, labels: Any, steps: Any, count: Any) -> Any:
    """The loss of one sample: (time steps, classes), (most labels,) and how many of both are real."""
    blank = logs.shape[-1] - 1
    # A blank before, between and behind the labels.
    places = jnp.full(2 * labels.shape[0] + 1, blank, labels.dtype).at[1::2].set(labels)
    emitted = logs[:, places]
    # A blank between two different labels may be left out.
    skips = (places != blank) & (places != jnp.roll(places, 2)) & (jnp.arange(places.shape[0]) > 1)
    never = jnp.full(2, _NEVER, logs.dtype)
    start = jnp.where(jnp.arange(places.shape[0]) < 2, emitted[0], never[0])

    def step(before: Any, now: Any) -> tuple[Any, None]:
        emission, real = now
        padded = jnp.concatenate([never, before])
        skipped = jnp.where(skips, padded[:-2], never[0])
        after = jnp.logaddexp(jnp.logaddexp(before, padded[1:-1]), skipped) + emission
        return jnp.where(real, after, before), None

    real = jnp.arange(1, logs.shape[0]) < steps
    ends, _ = jax.lax.scan(step, start, (emitted[1:], real))
    # The last label or the blank behind it; without labels, the blank alone.
    last = jnp.where(count > 0, ends[jnp.maximum(2 * count - 1, 0)], never[0])
    total = jnp.logaddexp(ends[2 * count], last)
    possible = total > _NEVER / 2
    return jnp.where(possible, -jnp.where(possible, total, jnp.zeros_like(total)), jnp.full_like(total, jnp.inf))


def ctc_decode(
    y_pred: Any,
    input_length: Any,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
) -> tuple[list[Any], Any]:
    """The labels that the probabilities speak of.

    Arguments:
        y_pred: probabilities, shape (samples, time steps, classes). The last class is the blank.
        input_length: time steps of each sample, shape (samples,).
        greedy: take the most probable class of each step; else search for the most probable labels.
        beam_width: number of beginnings that the search keeps.
        top_paths: number of results of the search.
        merge_repeated: whether the search merges equal neighbours in its results, as TensorFlow 1 did.

    Returns:
        A list of `top_paths` (1 if greedy) arrays of labels, shape (samples, most labels), filled up with -1; and,
        shape (samples, results): of the search the logarithms of probabilities; if greedy, minus the sum of the
        logarithms along the path. What a program computes, such as `K.function`, is as wide as the time steps.
    """
    search = functools.partial(_search, width=beam_width, count=top_paths, merge=merge_repeated)

    def decode(y_pred: Any, input_length: Any) -> Any:
        paths, scores = (_decode_greedily if greedy else search)(y_pred, input_length)
        return [_trimmed(labels) for labels in paths], scores

    return apply(decode, y_pred, input_length)


def _trimmed(labels: Any) -> Any:
    """Without the columns in which there are no labels, if that is known here."""
    if not isinstance(labels, jax.Array) or isinstance(labels, Tracer):
        return labels
    most = int(np.max(np.sum(np.asarray(labels) >= 0, axis=1), initial=0))
    return labels[:, :most]


def _packed(labels: Any, kept: Any) -> Any:
    """The kept labels side by side, -1 behind them."""
    places = jnp.where(kept, jnp.cumsum(kept.astype("int32")) - 1, labels.shape[0])
    return jnp.full_like(labels, -1).at[places].set(labels, mode="drop")


def _differs(labels: Any) -> Any:
    """Whether each label is another than the one before it."""
    return jnp.concatenate([jnp.ones(1, bool), labels[1:] != labels[:-1]])


@jax.jit
def _decode_greedily(y_pred: Any, input_length: Any) -> Any:
    logs = _logits(y_pred)

    def one(logs: Any, steps: Any) -> tuple[Any, Any]:
        real = jnp.arange(logs.shape[0]) < steps
        best = jnp.argmax(logs, -1).astype("int32")
        kept = real & (best != logs.shape[-1] - 1) & _differs(best)
        score = -jnp.sum(jnp.where(real, jnp.max(logs, -1), jnp.zeros((), logs.dtype)))
        return _packed(best, kept), score[None]

    labels, scores = jax.vmap(one)(logs, _lengths(input_length))
    return [labels], scores


@functools.partial(jax.jit, static_argnames=("width", "count", "merge"))
def _search(y_pred: Any, input_length: Any, width: int, count: int, merge: bool) -> Any:
    """`count` arrays of labels, and the logarithms of their probabilities."""
    logs = jax.nn.log_softmax(_logits(y_pred))
    one = functools.partial(_search_one, width=max(width, count), count=count, merge=merge)
    labels, scores = jax.vmap(one)(logs, _lengths(input_length))
    return [labels[:, i] for i in range(count)], scores


def _search_one(logs: Any, steps: Any, width: int, count: int, merge: bool) -> tuple[Any, Any]:
    never = jnp.full(width, _NEVER, logs.dtype)
    empty = jnp.full((width, logs.shape[0]), -1, "int32")
    # Beginnings, and logarithms of the probabilities of the paths that read so and end with a blank, or with a label.
    beam = (empty, jnp.zeros(width, "int32"), never.at[0].set(jnp.zeros((), logs.dtype)), never)

    def step(beam: Any, now: Any) -> tuple[Any, None]:
        emission, real = now
        after = _longer(beam, emission)
        return jax.tree.map(lambda new, old: jnp.where(real, new, old), after, beam), None

    real = jnp.arange(logs.shape[0]) < steps
    (labels, _, blank, label), _ = jax.lax.scan(step, beam, (logs, real))
    scores, order = jax.lax.top_k(jnp.logaddexp(blank, label), count)
    labels = labels[order]
    if merge:
        labels = jax.vmap(lambda row: _packed(row, (row >= 0) & _differs(row)))(labels)
    return labels, scores


def _longer(beam: Any, emission: Any) -> Any:
    """The most probable beginnings one time step later."""
    labels, lengths, blank, label = beam
    width, classes = labels.shape[0], emission.shape[0] - 1
    rows = jnp.arange(width)
    total = jnp.logaddexp(blank, label)
    alive = total > _NEVER / 2
    last = jnp.where(lengths > 0, labels[rows, jnp.maximum(lengths - 1, 0)], -1)
    # One label more: behind an equal one only after a blank.
    repeats = last[:, None] == jnp.arange(classes)[None]
    longer = jnp.where(repeats, blank[:, None], total[:, None]) + emission[None, :classes]
    # [i, j]: beginning j is beginning i and one label more.
    shorter = labels.at[rows, jnp.maximum(lengths - 1, 0)].set(-1)
    same = jnp.all(labels[:, None] == shorter[None], -1) & (lengths[None] == lengths[:, None] + 1)
    same &= alive[:, None] & alive[None]
    ends = jnp.maximum(last, 0)
    never = jnp.full((), _NEVER, emission.dtype)
    arriving = jax.nn.logsumexp(jnp.where(same, longer[:, ends], never), axis=0)
    stays_blank = total + emission[classes]
    stays_label = jnp.logaddexp(jnp.where(last >= 0, label + emission[ends], never), arriving)
    longer = longer.at[rows[:, None], ends[None]].min(jnp.where(same, never, jnp.full_like(never, jnp.inf)))
    scores = jnp.concatenate([jnp.logaddexp(stays_blank, stays_label), longer.reshape(-1)])
    best, order = jax.lax.top_k(scores, width)
    stays = order < width
    parent = jnp.where(stays, order, (order - width) // classes)
    added = jnp.where(stays, -1, (order - width) % classes)
    kept, size = labels[parent], lengths[parent]
    place = jnp.where(stays, kept.shape[1], size)  # out of range: nothing is written
    kept = kept.at[rows, place].set(added.astype(kept.dtype), mode="drop")
    return (
        kept,
        size + (~stays).astype(size.dtype),
        jnp.where(stays, stays_blank[parent], never),
        jnp.where(stays, stays_label[parent], best),
    )


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """Labels as a sparse tensor that holds only as many of each row as there are.

    Of symbolic tensors, a symbolic tensor with 0 behind each row's labels, which `K.is_sparse` takes for sparse.

    Arguments:
        labels: shape (samples, most labels).
        label_lengths: labels of each sample.
    """
    labels = apply(array, labels)
    real = apply(_within, labels, label_lengths)
    if isinstance(real, Tensor):
        kept = apply(_kept, labels, real)
        kept.sparse = True
        return kept
    mask, dense = np.asarray(real), np.asarray(labels)
    return SparseTensor(np.argwhere(mask), dense[mask], np.array(dense.shape))


def _within(labels: Any, lengths: Any) -> Any:
    return jnp.arange(labels.shape[1])[None] < _lengths(lengths)[:, None]


def _kept(labels: Any, real: Any) -> Any:
    return jnp.where(real, labels, jnp.zeros_like(labels))
