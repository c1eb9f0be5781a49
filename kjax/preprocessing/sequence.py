"""Sequences of numbers: padding, windows of a time series, pairs of words for word vectors."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kjax._core.sequence import Sequence as Batches

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """One array of sequences of different lengths.

    Arguments:
        sequences: list of sequences; each is a list or array of steps, and a step may be an array.
        maxlen: length of the result; that of the longest sequence if None.
        dtype: type of the result; `object` for strings of any length.
        padding: `'pre'` or `'post'`, where short sequences are filled.
        truncating: `'pre'` or `'post'`, where steps of long sequences are dropped.
        value: what short sequences are filled with.

    Returns:
        An array of shape `(samples, maxlen, ...)`.

    Raises:
        ValueError: for sequences that are none, steps of different shapes, or unknown words for the arguments.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` must be iterable. Found: {type(sequences).__name__} {sequences}.")
    for name, word in (("Padding", padding), ("Truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f'{name} type "{word}" not understood: expected "pre" or "post".')
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    if maxlen is None:
        if not len(sequences):
            raise ValueError("`sequences` is empty, so the longest length is unknown: pass `maxlen`.")
        maxlen = max(len(sequence) for sequence in sequences)
    _check_value(dtype, value)
    step_shape = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen, *step_shape), value, dtype=dtype)
    for row, sequence in zip(padded, sequences, strict=True):
        if not len(sequence) or not maxlen:
            continue
        kept = np.asarray(sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], dtype=dtype)
        if kept.shape[1:] != step_shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {_position(sequences, sequence)} "
                f"is different from expected shape {step_shape}"
            )
        if padding == "pre":
            row[-len(kept) :] = kept
        else:
            row[: len(kept)] = kept
    return padded


def _check_value(dtype: Any, value: Any) -> None:
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "OUS":
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}. "
            "You should set `dtype=object` for variable length strings."
        )


def _position(sequences: Any, sequence: Any) -> int:
    return next(i for i, other in enumerate(sequences) if other is sequence)


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The chance of keeping a word of each rank, for word vectors.

    The frequency of the word of rank `r` is estimated by Zipf's law, `1 / f(r) = r (ln r + 0.577) + 1/2 - 1 / (12 r)`,
    and the chance is `min(1, sqrt(sampling_factor / f(r)))`.

    Arguments:
        size: number of words, the most frequent first. Rank 0 is treated as rank 1.
        sampling_factor: the larger, the more frequent words are kept.

    Reference:
        Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, 2013.
    """
    rank = np.maximum(np.arange(size), 1)
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    ratio = sampling_factor * inverse_frequency
    return np.minimum(1.0, ratio / np.sqrt(ratio))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[Any], list[Any]]:
    """Pairs of words that stand near each other, labelled 1, and pairs with a random word, labelled 0.

    Random numbers come from Python's module `random`, as in Keras.

    Arguments:
        sequence: numbers of words; 0 stands for none and is skipped.
        vocabulary_size: number of words, the largest number plus one.
        window_size: pairs are at most this many words apart.
        negative_samples: number of random pairs for each pair of neighbours; 0 for none.
        shuffle: whether the pairs are shuffled.
        categorical: whether labels are `[0, 1]` and `[1, 0]` instead of 1 and 0.
        sampling_table: the chance of keeping each word, such as `make_sampling_table` gives.
        seed: seed of the shuffling.

    Returns:
        The pairs and the labels, two lists of the same length.
    """
    couples: list[Any] = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        first, last = max(0, place - window_size), min(len(sequence), place + window_size + 1)
        couples += [[word, sequence[j]] for j in range(first, last) if j != place and sequence[j]]
    near, far = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [near for _ in couples]
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [far] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for items in (couples, labels):
            random.seed(seed)
            random.shuffle(items)
    return couples, labels


def _remove_long_seq(  # pyright: ignore[reportUnusedFunction]  # loaders of data sets import it
    maxlen: int, seq: Iterable[Any], label: Iterable[Any]
) -> tuple[list[Any], list[Any]]:
    """The sequences shorter than `maxlen`, and their labels."""
    kept = [(s, y) for s, y in zip(seq, label, strict=False) if len(s) < maxlen]
    return [s for s, _ in kept], [y for _, y in kept]


class TimeseriesGenerator(Batches):
    """Batches of windows of a time series, each with the target that follows it.

    Sample `i` is `data[i - length : i : sampling_rate]` with the target `targets[i]`.

    Arguments:
        data: list or array, time along the first axis.
        targets: targets of the same length.
        length: length of a window, in steps of the data.
        sampling_rate: every how many steps of a window are kept.
        stride: distance between two samples.
        start_index: steps before it are not used.
        end_index: steps behind it are not used; the last one if None.
        shuffle: whether a batch holds samples drawn at random from numpy's global generator.
        reverse: whether time runs backwards within a sample.
        batch_size: samples in a batch; the last may have fewer.

    Raises:
        ValueError: if lengths differ, or no sample fits.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                "Data and targets have to be of same length. "
                f"Data length is {len(data)} while target length is {len(targets)}"
            )
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, "
                "as no part of the sequence would be left to be used as current step."
            )

    def __len__(self) -> int:
        reach = self.batch_size * self.stride
        return (self.end_index - self.start_index + reach) // reach

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            rows = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        samples = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1, ...] if self.reverse else samples), targets

    def get_config(self) -> dict[str, Any]:
        """The arguments; data and targets as JSON. `start_index` is the first target, `length` behind the argument."""
        return {
            "data": _to_json(self.data, "Data not JSON Serializable"),
            "targets": _to_json(self.targets, "Targets not JSON Serializable"),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The generator with its data as JSON, for `timeseries_generator_from_json`. `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _to_json(values: Any, problem: str) -> str:
    if isinstance(values, np.ndarray):
        values = values.tolist()
    try:
        return json.dumps(values)
    except TypeError as error:
        raise TypeError(f"{problem}: {error}") from None


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator that `TimeseriesGenerator.to_json` wrote."""
    config = dict(json.loads(json_string)["config"])
    for name in ("data", "targets"):
        config[name] = np.array(json.loads(config[name]))
    config["start_index"] -= config["length"]
    return TimeseriesGenerator(**config)
