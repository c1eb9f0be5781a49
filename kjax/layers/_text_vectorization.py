"""Texts as numbers of words."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax.layers._lookup import StringLookup, refuse_symbolic, without_path
from kjax.layers._preprocessing import PreprocessingLayer

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_STRIP = str.maketrans("", "", string.punctuation)


class TextVectorization(PreprocessingLayer):
    """Texts as numbers of their words, or as vectors. It is called on arrays or lists of texts, before the model.

    Arguments:
        max_tokens: size of the vocabulary, with '' (number 0, the padding) and '[UNK]' (number 1).
        standardize: `'lower_and_strip_punctuation'`, `'lower'`, `'strip_punctuation'`, None, or a function of an array
            of texts.
        split: `'whitespace'`, `'character'`, None, or a function of an array of texts that gives their tokens.
        ngrams: a number n: also 2 to n words following each other, as one; or a tuple of such numbers.
        output_mode: `'int'`: the numbers of the words. `'multi_hot'`, `'count'` and `'tf_idf'`: a vector each text.
        output_sequence_length: length to which numbers are cut or filled up with 0; the longest text's if None.
        pad_to_max_tokens: whether vectors have the length `max_tokens`, though the vocabulary is smaller.
        vocabulary: the words, or the path of a text file, in the place of `adapt`.
        idf_weights: for `'tf_idf'`, the weight of each word.
        ragged: whether each text keeps its own length: then an array of arrays is returned.
        encoding: accepted, not used: texts are Python's.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str | None = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **kwargs: Any,
    ) -> None:
        for known in ("vocabulary_size", "has_input_vocabulary", "dtype"):
            kwargs.pop(known, None)
        super().__init__(**kwargs)
        if not (standardize is None or callable(standardize) or standardize in _STANDARDIZE):
            raise ValueError(
                f"Unknown `standardize` of TextVectorization: {standardize!r}. Expected one of {_STANDARDIZE}, None or "
                "a function."
            )
        if not (split is None or callable(split) or split in ("whitespace", "character")):
            raise ValueError(
                f"Unknown `split` of TextVectorization: {split!r}. Expected 'whitespace', 'character', None or a "
                "function."
            )
        if output_mode != "int" and (output_sequence_length is not None or ragged):
            raise ValueError(
                "`output_sequence_length` and `ragged` are for `output_mode='int'` alone. "
                f"Received: output_mode={output_mode!r}"
            )
        self._standardize, self._split, self._ngrams = standardize, split, ngrams
        self._output_mode, self._length, self._ragged = output_mode, output_sequence_length, ragged
        self._lookup_layer = StringLookup(
            max_tokens, 1, "", "[UNK]", vocabulary, idf_weights, encoding, False, output_mode or "int", sparse,
            pad_to_max_tokens, name=f"{self.name}_lookup",
        )  # fmt: skip

    # -- the vocabulary ----------------------------------------------------------------------------------------------

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words, each at the place of its number."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are."""
        return self._lookup_layer.vocabulary_size()

    vocab_size = vocabulary_size

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary in the place of `adapt`: a list of words, or the path of a text file."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def reset_state(self) -> None:
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        self._lookup_layer.update_state(self._words(data))

    def finalize_state(self) -> None:
        self._lookup_layer.finalize_state()

    # -- being called ------------------------------------------------------------------------------------------------

    def _words(self, inputs: Any) -> list[list[str]]:
        """The words of each text."""
        array = np.asarray(inputs)
        if array.ndim > 1 and array.shape[-1] == 1:
            array = array[..., 0]
        if array.ndim > 1 and self._split is not None:
            raise ValueError(
                "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                f"dimension must be 1. Received: inputs.shape={array.shape}."
            )
        texts: Any = np.array([_decoded(text) for text in array.ravel().tolist()], dtype=object).reshape(array.shape)
        if callable(self._standardize):
            texts = np.asarray(self._standardize(texts))
        if callable(self._split):
            split: Any = self._split(texts)
            rows = [[_decoded(word) for word in np.asarray(row).ravel().tolist()] for row in split]
        else:
            count = texts.shape[0] if texts.ndim else 1
            rows = [self._split_one(row) for row in texts.reshape(count, -1).tolist()]
        return [_with_ngrams(row, self._ngrams) for row in rows] if self._ngrams else rows

    def _split_one(self, row: list[Any]) -> list[str]:
        """The words of one text; without splitting, a row has them."""
        parts = [self._plain(_decoded(text)) for text in row]
        if self._split is None:
            return parts
        return parts[0].split() if self._split == "whitespace" else list(parts[0])

    def _plain(self, text: str) -> str:
        if callable(self._standardize) or self._standardize is None:
            return text
        if "lower" in self._standardize:
            text = text.translate(_LOWER)
        return text.translate(_STRIP) if "strip" in self._standardize else text

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Numbers or vectors for texts: an array of numpy.

        Raises:
            ValueError: for a symbolic tensor.
        """
        refuse_symbolic(self, inputs)
        single = np.ndim(inputs) == 0
        rows = self._words(inputs)
        if self._output_mode is None:
            made: Any = np.array([np.array(row, dtype=object) for row in rows] + [None], dtype=object)[:-1]
        elif self._ragged:
            numbers = [np.array(self._lookup_layer.numbers_of(row), "int64") for row in rows]
            made = np.array([*numbers, None], dtype=object)[:-1]
        elif self._output_mode == "int":
            numbers = [self._lookup_layer.numbers_of(row) for row in rows]
            length = max(map(len, numbers), default=0) if self._length is None else self._length
            made = np.zeros((len(rows), length), "int64")
            for i, row in enumerate(numbers):
                made[i, : min(length, len(row))] = row[:length]
        else:
            made = np.stack([self._vector(row) for row in rows])
        return made[0] if single else made

    def _vector(self, row: list[str]) -> np.ndarray:
        numbers = np.array(self._lookup_layer.numbers_of(row) or [-1], "int32")
        return np.asarray(self._lookup_layer._made(numbers))

    def call(self, inputs: Any) -> Any:
        refuse_symbolic(self, jnp.zeros(()))

    def get_config(self) -> dict[str, Any]:
        held = self._lookup_layer.get_config()
        return {
            **super().get_config(),
            **{key: held[key] for key in ("max_tokens", "pad_to_max_tokens", "sparse", "vocabulary", "idf_weights")},
            "standardize": self._standardize,
            "split": self._split,
            "ngrams": self._ngrams,
            "output_mode": self._output_mode,
            "output_sequence_length": self._length,
            "ragged": self._ragged,
            "encoding": "utf-8",
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        return cls(**without_path(config))


def _decoded(text: Any) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _with_ngrams(words: list[str], ngrams: Any) -> list[str]:
    widths = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams
    return [" ".join(words[i : i + width]) for width in widths for i in range(len(words) - width + 1)]
