"""Layers that number the values of a vocabulary: whole numbers in any program, strings as arrays of numpy alone.

JAX's arrays hold no strings. So what works on strings is called on arrays before the model, and says so where it is
called on an `Input`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph
from kjax._core.guards import open_file
from kjax.layers._preprocessing import PreprocessingLayer, encoded, mode_of, refuse_sparse

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class _Lookup(PreprocessingLayer):
    """What both lookups share. Arguments: see `StringLookup`."""

    _kind: ClassVar[type] = str
    _vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        **kwargs: Any,
    ) -> None:
        for known in ("vocabulary_size", "vocabulary_dtype", "has_input_vocabulary"):
            kwargs.pop(known, None)
        super().__init__(**kwargs)
        owner = type(self).__name__
        refuse_sparse(owner, sparse=sparse)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None")
        if num_oov_indices < 0:
            raise ValueError(
                f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}"
            )
        self.output_mode = mode_of("tf_idf" if output_mode == "tf-idf" else output_mode, MODES, owner)
        if invert and self.output_mode != "int":
            raise ValueError(
                f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}"
            )
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.pad_to_max_tokens = invert, pad_to_max_tokens
        self._tokens: list[Any] | None = None
        self._idf: np.ndarray | None = None
        self._static = vocabulary is not None
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # -- the vocabulary ----------------------------------------------------------------------------------------------

    @property
    def _start(self) -> int:
        """The number of the first token that is no special one."""
        return self._oov + self.num_oov_indices

    @property
    def _oov(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of the mask and of unknown values among them."""
        return len(self._tokens or ()) + self._start

    vocab_size = vocabulary_size

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens, each at the place of its number.

        Arguments:
            include_special_tokens: whether the tokens of the mask and of unknown values come first.
        """
        special = [self.mask_token] * self._oov + [self.oov_token] * self.num_oov_indices
        return [*(special if include_special_tokens else []), *(self._tokens or ())]

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary in the place of `adapt`.

        Arguments:
            vocabulary: the tokens, with or without the special ones in front; or the path of a text file with one
                token a line.
            idf_weights: for `'tf_idf'`, the weight of each.

        Raises:
            ValueError: if there are too many tokens, none, or one twice.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError(
                "`idf_weights` must be set if, and only if, `output_mode` is 'tf_idf'. "
                f"Received: output_mode={self.output_mode} and idf_weights={idf_weights}"
            )
        given = _lines(vocabulary) if isinstance(vocabulary, str) else np.asarray(vocabulary).tolist()
        tokens = [self._kind(_text(token)) for token in given]
        special = [self.mask_token] * self._oov + [self.oov_token] * self.num_oov_indices
        found = bool(special) and tokens[: self._start] == special
        tokens = tokens[self._start :] if found else tokens
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated or not tokens:
            raise ValueError(
                f"The passed vocabulary has at least one repeated term: {repeated[:5]}. Each may come once."
                if repeated
                else f"Cannot set an empty vocabulary, you passed {vocabulary}."
            )
        if self.max_tokens is not None and len(tokens) + self._start > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Passed vocab size is "
                f"{len(tokens) + self._start}, max vocab size is {self.max_tokens}."
            )
        self._tokens, self._static = tokens, True
        if idf_weights is not None:
            weights = np.asarray(idf_weights, "float32")
            self._idf = weights if found else np.concatenate([np.full(self._start, weights.mean()), weights])
        self._forget()

    def reset_state(self) -> None:
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._number = 0

    def update_state(self, data: Any) -> None:
        if self._static:
            raise ValueError(
                f"Cannot adapt {type(self).__name__} layer after setting a static vocabulary via init argument or "
                "`set_vocabulary`."
            )
        rows = self._rows(data)
        for row in rows:
            self._counts.update(row)
            self._documents.update(set(row))
        self._number += len(rows)

    def _rows(self, data: Any) -> list[list[Any]]:
        """The tokens of each sample; a plain list of tokens is one sample, as in tf.keras."""
        if isinstance(data, list):  # of lists of tokens
            return data
        array = np.asarray(data)
        array = array.reshape(1, -1) if array.ndim < 2 else array.reshape(array.shape[0], -1)
        return [[self._kind(_text(token)) for token in row] for row in array.tolist()]

    def finalize_state(self) -> None:
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        tokens = sorted(self._counts, key=lambda token: (self._counts[token], token), reverse=True)
        self._tokens = tokens[: self.max_tokens - self._start] if self.max_tokens else tokens
        if self.output_mode == "tf_idf":
            found = np.array([self._documents[token] for token in self._tokens])
            weights = np.log(1 + self._number / (1 + found))
            self._idf = np.concatenate([np.full(self._start, weights.mean()), weights]).astype("float32")
        self.reset_state()
        self._forget()

    def _forget(self) -> None:
        """Drop what was made of the vocabulary before this one."""

    # -- being called ------------------------------------------------------------------------------------------------

    def _depth(self) -> int:
        if self._tokens is None:
            raise RuntimeError(
                f"{type(self).__name__} layer {self.name} has no vocabulary yet: pass `vocabulary`, or call `adapt` "
                "with some data first."
            )
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def _made(self, numbers: Any) -> Any:
        """What the numbers become in the mode of this layer."""
        if self.output_mode != "tf_idf":
            return encoded(numbers, self._depth(), self.output_mode)
        assert self._idf is not None
        weights = np.pad(self._idf, (0, self._depth() - len(self._idf)))
        counted = encoded(numbers, self._depth(), "count")
        return counted * jnp.asarray(weights, counted.dtype).reshape((1,) * (counted.ndim - 1) + (-1,))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": False,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary": None if self._tokens is None else list(self._tokens),
            "idf_weights": None if self._idf is None else self._idf[self._start :].tolist(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        return cls(**without_path(config))


def without_path(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A config that names no file.

    Raises:
        ValueError: if its vocabulary is a path: what a file names is not opened.
    """
    if isinstance(config.get("vocabulary"), str):
        raise ValueError(
            f"The config names the file {config['vocabulary']!r} as its vocabulary, which is not opened. Build the "
            "layer by its own code, or put the tokens there."
        )
    return config


def _lines(path: str) -> list[str]:
    with open_file(path) as file:
        return [line.rstrip("\r\n") for line in file.read().decode("utf-8").splitlines()]


def _text(token: Any) -> Any:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token


class IntegerLookup(_Lookup):
    """The numbers, from 0 on, of the whole numbers of a vocabulary.

    Arguments:
        max_tokens: how many numbers there are at most; the most frequent values get them.
        num_oov_indices: how many numbers are kept for values outside of the vocabulary.
        mask_token: the value that becomes 0, or None.
        oov_token: what stands for values outside of the vocabulary where numbers become values.
        vocabulary: the values, in the place of `adapt`.
        idf_weights, output_mode, pad_to_max_tokens, invert: as for `StringLookup`.
    """

    _kind = int
    _vocabulary_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, **kwargs,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs).astype(jnp.int32)
        self._depth()
        if self.invert:
            values = jnp.asarray([self.oov_token if v is None else v for v in self.get_vocabulary()], jnp.int32)
            inside = (x >= 0) & (x < values.shape[0])
            return jnp.where(inside, values[jnp.clip(x, 0, values.shape[0] - 1)], jnp.asarray(self.oov_token, x.dtype))
        tokens = np.asarray(self._tokens)
        order = np.argsort(tokens)
        known, places = jnp.asarray(tokens[order], jnp.int32), jnp.asarray(order + self._start, jnp.int32)
        place = jnp.clip(jnp.searchsorted(known, x), 0, len(tokens) - 1)
        unknown = jnp.mod(x, self.num_oov_indices) + self._oov if self.num_oov_indices else jnp.full_like(x, -1)
        numbers = jnp.where(known[place] == x, places[place], unknown)
        if self.mask_token is not None:
            numbers = jnp.where(x == self.mask_token, 0 if self.output_mode == "int" else -1, numbers)
        return self._made(numbers)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_dtype": "int64"}


def refuse_symbolic(layer: Any, inputs: Any) -> None:
    """Say what to do where a layer of strings is called on an `Input`, or inside of a program."""
    if any(graph.is_symbolic(leaf) or isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(inputs)):
        raise ValueError(
            f"{type(layer).__name__} layer {layer.name} works on strings, which a program of JAX cannot hold. Call it "
            "on arrays before the model, `x = layer(texts)`, and feed the model what it returns."
        )


class StringLookup(_Lookup):
    """The numbers of the strings of a vocabulary. It is called on arrays or lists of strings, before the model.

    Arguments:
        max_tokens: how many numbers there are at most; the most frequent strings get them.
        num_oov_indices: 1: strings outside of the vocabulary get one number; 0: they are an error.
        mask_token: the string that becomes 0, or None.
        oov_token: what stands for unknown strings where numbers become strings.
        vocabulary: the strings, or the path of a text file, in the place of `adapt`.
        idf_weights: for `'tf_idf'`, the weight of each string.
        encoding: accepted, not used: strings are Python's.
        invert: whether numbers become strings.
        output_mode: `'int'`; `'one_hot'`, `'multi_hot'` or `'count'` as for `CategoryEncoding`; or `'tf_idf'`, where
            each string counts as its inverse document frequency.
        pad_to_max_tokens: whether vectors have the length `max_tokens`, though the vocabulary is smaller.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        encoding: str = "utf-8",
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        if num_oov_indices > 1:
            raise ValueError(
                f"StringLookup tells unknown strings apart by a hash function that kjax does not have. Received: "
                f"num_oov_indices={num_oov_indices}. Use 1 or 0."
            )
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, **kwargs,
        )  # fmt: skip

    def _forget(self) -> None:
        self._numbers: dict[Any, int] | None = None

    def numbers_of(self, tokens: list[Any]) -> list[int]:
        """The number of each token.

        Raises:
            ValueError: for an unknown one, if there is no number for such.
        """
        self._depth()
        if self._numbers is None:
            self._numbers = {token: i for i, token in enumerate(self._tokens or (), start=self._start)}
            if self.mask_token is not None:
                self._numbers[self.mask_token] = 0 if self.output_mode == "int" else -1
        found = [self._numbers.get(token, self._oov if self.num_oov_indices else -2) for token in tokens]
        if -2 in found:
            raise ValueError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV value "
                f"{tokens[found.index(-2)]!r}, consider setting `num_oov_indices=1`."
            )
        return found

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The numbers of an array or list of strings, or the strings of numbers.

        Raises:
            ValueError: for a symbolic tensor.
        """
        if self.invert:
            numbers = np.asarray(inputs)
            vocabulary = self.get_vocabulary()
            known = [vocabulary[n] if 0 <= n < len(vocabulary) else self.oov_token for n in numbers.ravel().tolist()]
            return np.array(known, dtype=object).reshape(numbers.shape)
        refuse_symbolic(self, inputs)
        array = np.asarray(inputs)
        numbers = self.numbers_of([str(_text(token)) for token in array.ravel().tolist()])
        made = self._made(np.array(numbers, "int32").reshape(array.shape))
        return np.asarray(made).astype("int64") if self.output_mode == "int" else np.asarray(made)

    def call(self, inputs: Any) -> Any:
        refuse_symbolic(self, jnp.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoding": "utf-8"}
