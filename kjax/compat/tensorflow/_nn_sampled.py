"""`tf.nn.nce_loss` and `sampled_softmax_loss`: losses over many classes from a few of them, drawn anew in each run."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _draws, _graph
from kjax.compat.tensorflow._arguments import convert, listed
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.arrays import cast, concat


def _frequencies(range_max: int, kind: str) -> np.ndarray:
    """The probability of each class in one draw."""
    if kind == "uniform":
        return np.full(range_max, 1 / range_max)
    classes = np.arange(range_max)
    return (np.log(classes + 2) - np.log(classes + 1)) / np.log(range_max + 1)


def _tries(frequencies: np.ndarray, count: int) -> float:
    """How many draws bring so many different classes on average."""
    low, high = float(count), float(count)
    while np.sum(-np.expm1(high * np.log1p(-np.minimum(frequencies, 1 - 1e-12)))) < count and high < 1e12:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        found = np.sum(-np.expm1(middle * np.log1p(-np.minimum(frequencies, 1 - 1e-12))))
        low, high = (middle, high) if found < count else (low, middle)
    return high


def _sampler(kind: str, true_classes: Any, count: int, unique: bool, range_max: int, seed: Any, name: Any) -> Any:
    if unique and count > range_max:
        raise ValueError(f"{count} different classes cannot be drawn from {range_max}.")
    frequencies = _frequencies(range_max, kind)
    if unique:  # the probability of being among them
        expected = -np.expm1(_tries(frequencies, count) * np.log1p(-np.minimum(frequencies, 1 - 1e-12)))
    else:
        expected = frequencies * count
    logs, table = np.log(frequencies).astype(np.float32), expected.astype(np.float32)

    def drawn(true: Any) -> Any:
        key = _draws.key_for(seed)
        if unique:  # the largest of logarithms with Gumbel's noise are draws without putting back
            chosen = jax.lax.top_k(jnp.asarray(logs) + jax.random.gumbel(key, (range_max,)), count)[1]
        else:
            chosen = jax.random.categorical(key, jnp.asarray(logs), shape=(count,))
        return chosen.astype("int32"), jnp.asarray(table)[array(true).astype("int32")], jnp.asarray(table)[chosen]

    return node("CandidateSampler", _graph.draws(drawn), convert(true_classes), name=name)


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: Any = None
) -> Any:
    """Classes of which early ones are drawn more often, and how often the true ones and they come on average."""
    return _sampler("log", true_classes, num_sampled, unique, range_max, seed, name)


def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: Any = None
) -> Any:
    """Classes drawn evenly, and how often the true ones and they come on average."""
    return _sampler("uniform", true_classes, num_sampled, unique, range_max, seed, name)


def _scores(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, remove_accidental_hits: bool, name: str,
) -> Any:  # fmt: skip
    """Scores of the true classes and of drawn ones, less the logarithms of how often they are expected; targets."""
    tables = listed(weights)
    weights = concat(tables, 0) if len(tables) > 1 else tables[0]
    labels = convert(labels)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, int(num_classes))
    chosen, true_expected, sampled_expected = map(convert, sampled_values)
    chosen = cast(chosen, "int32")

    def scored(
        weights: Any, biases: Any, labels: Any, x: Any, chosen: Any, true_expected: Any, sampled_expected: Any
    ) -> Any:
        weights, biases, x = float_array(weights), float_array(biases), float_array(x)
        true = array(labels).astype("int32").reshape(x.shape[0], num_true)
        by_true = jnp.einsum("bd,btd->bt", x, weights[true]) + biases[true]
        by_true = by_true - jnp.log(array(true_expected).reshape(true.shape))
        by_chosen = x @ weights[chosen].T + (biases[chosen] - jnp.log(array(sampled_expected)))[None]
        if remove_accidental_hits:
            hit = jnp.any(true[:, :, None] == chosen[None, None], 1)
            by_chosen = jnp.where(hit, by_chosen - jnp.finfo(jnp.float32).max, by_chosen)
        targets = jnp.concatenate([jnp.full_like(by_true, 1 / num_true), jnp.zeros_like(by_chosen)], 1)
        return jnp.concatenate([by_true, by_chosen], 1), targets

    return node(name, scored, weights, biases, labels, inputs, chosen, true_expected, sampled_expected)


def nce_loss(
    weights: Any, biases: Any, labels: Any = None, inputs: Any = None, num_sampled: Any = None, num_classes: Any = None,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = False,
    partition_strategy: str = "mod", name: str = "nce_loss",
) -> Any:  # fmt: skip
    """Noise contrastive estimation: sigmoid cross entropy of the true class and of `num_sampled` drawn ones.

    Arguments:
        weights, biases: `(classes, features)` and `(classes,)`.
        labels: true classes, `(samples, num_true)`.
        inputs: `(samples, features)`.
        sampled_values: what a sampler gives, in the place of `log_uniform_candidate_sampler`.
        remove_accidental_hits: whether a drawn class that is the true one does not count.
    """
    if _is_wide(labels):  # before TensorFlow 1.0 the inputs came first
        labels, inputs = inputs, labels
    scores, targets = _scores(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        name,
    )

    def summed(x: Any, z: Any) -> Any:
        return jnp.sum(jnp.maximum(x, 0) - x * z + jnp.log1p(jnp.exp(-jnp.abs(x))), 1)

    return node(name, summed, scores, targets)


def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any = None, inputs: Any = None, num_sampled: Any = None, num_classes: Any = None,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = True,
    partition_strategy: str = "mod", name: str = "sampled_softmax_loss", seed: Any = None,
) -> Any:  # fmt: skip
    """Softmax cross entropy among the true class and `num_sampled` drawn ones. Arguments as for `nce_loss`."""
    if _is_wide(labels):
        labels, inputs = inputs, labels
    scores, targets = _scores(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        name,
    )
    return node(name, lambda x, z: -jnp.sum(z * jax.nn.log_softmax(x), 1), scores, targets)


def _is_wide(labels: Any) -> bool:
    return getattr(getattr(labels, "dtype", None), "kind", "i") == "f"


__all__ = ["log_uniform_candidate_sampler", "nce_loss", "sampled_softmax_loss", "uniform_candidate_sampler"]
