"""Texts to words, words to numbers, numbers to vectors."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kjax._core.arguments import accepts_old_names

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(text: str, filters: str = _PUNCTUATION, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    Arguments:
        text: the text.
        filters: characters that separate words and are dropped.
        lower: whether the text is turned to lower case.
        split: what separates words.
    """
    if lower:
        text = text.lower()
    text = text.translate({ord(character): split for character in filters})
    return [word for word in text.split(split) if word]


def one_hot(text: str, n: int, filters: str = _PUNCTUATION, lower: bool = True, split: str = " ") -> list[int]:
    """A number from 1 to `n - 1` for each word, by Python's `hash`: two words may share one.

    Python hashes texts differently in each process unless `PYTHONHASHSEED` is set: `hashing_trick` with `'md5'`
    gives the same numbers always.

    Arguments:
        text: the text.
        n: number of numbers, with 0, which no word has.
        filters, lower, split: as in `text_to_word_sequence`.
    """
    return hashing_trick(text, n, hash, filters, lower, split)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = _PUNCTUATION,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """A number for each word, `hash(word) % (n - 1) + 1`: two words may share one.

    Arguments:
        text: the text.
        n: number of numbers, with 0, which no word has.
        hash_function: a function from words to ints; `'md5'`; or None for Python's `hash`.
        filters, lower, split: as in `text_to_word_sequence`.
    """
    if n < 2:
        raise ValueError(f"`n` must be at least 2, as 0 is no word's number. Found: {n}.")
    function = _md5 if hash_function == "md5" else hash_function or hash
    if not callable(function):
        raise ValueError(f"`hash_function` must be 'md5', None or a function. Found: {hash_function!r}.")
    return [function(word) % (n - 1) + 1 for word in text_to_word_sequence(text, filters, lower, split)]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode()).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of texts by frequency, from 1 on; 0 stands for no word.

    Arguments:
        num_words: only numbers below it are used in results; None for all. `word_index` holds all words anyway.
        filters: characters that separate words and are dropped.
        lower: whether texts are turned to lower case.
        split: what separates words.
        char_level: whether each character is a word.
        oov_token: stands for unknown words and has number 1; None to leave them out.
        document_count: number of texts seen before.

    Attributes:
        word_counts: how often each word occurred, in the order of first occurrence.
        word_docs: in how many texts each word occurred.
        word_index, index_word: words to numbers and back.
        index_docs: in how many texts the word of each number occurred.
        document_count: number of texts seen.
    """

    @accepts_old_names("Tokenizer")
    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _PUNCTUATION,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.document_count = char_level, oov_token, document_count
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> Any:
        """The words of a text; a list is words already."""
        if isinstance(text, (list, tuple)):
            return [word.lower() for word in text] if self.lower else text
        if not isinstance(text, str):
            raise TypeError(
                f"A text must be a string or a list of words. Found: {type(text).__name__} {text!r}. "
                "Fill missing values first, and turn numbers into strings."
            )
        if self.char_level:
            return text.lower() if self.lower else text
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Learn words and their frequencies, in addition to what was learnt before.

        Arguments:
            texts: strings, or lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = Counter(self._words(text))
            for word, count in words.items():
                self.word_counts[word] = self.word_counts.get(word, 0) + count
                self.word_docs[word] += 1
        by_frequency = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        vocabulary = by_frequency if self.oov_token is None else [self.oov_token, *by_frequency]
        self.word_index = {word: i for i, word in enumerate(vocabulary, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Learn in how many sequences each number occurs, for the mode `'tfidf'` of `sequences_to_matrix`."""
        for sequence in sequences:
            self.document_count += 1
            for index in set(sequence):
                self.index_docs[index] += 1

    def _used(self, index: int | None) -> bool:
        return index is not None and not (self.num_words and index >= self.num_words)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text. Unknown and rare words become `oov_token`, or are left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """`texts_to_sequences`, one text after the other."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            numbers = (number if self._used(number) else unknown for number in numbers)
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of the numbers of each sequence, joined by blanks."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """`sequences_to_texts`, one sequence after the other."""
        for sequence in sequences:
            words = (self.index_word.get(int(number)) if self._used(number) else None for number in sequence)
            words = (self.oov_token if word is None else word for word in words)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """`sequences_to_matrix` of the numbers of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """A vector of length `num_words` for each sequence of numbers.

        Arguments:
            sequences: lists of numbers; those not below `num_words` are left out.
            mode: what stands at the place of number `j`, with `c` its count in the sequence: `'binary'` 1; `'count'`
                `c`; `'freq'` `c / length`; `'tfidf'` `(1 + ln c) ln(1 + documents / (1 + documents with j))`.

        Raises:
            ValueError: if the number of words is unknown, for an unknown mode, and for `'tfidf'` before any text
                was seen.
        """
        if mode not in _MODES:
            raise ValueError(f"Unknown vectorization mode: {mode}. Expected one of {', '.join(_MODES)}.")
        if not self.num_words and not self.word_index:
            raise ValueError("Specify a dimension (`num_words` argument), or fit on some text data first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        size = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), size))
        for row, sequence in zip(matrix, sequences, strict=True):
            if not len(sequence):
                continue
            numbers, counts = np.unique(np.asarray(sequence, "int64"), return_counts=True)
            numbers, counts = numbers[numbers < size], counts[numbers < size]
            row[numbers] = self._weights(mode, numbers, counts, len(sequence))
        return matrix

    def _weights(self, mode: str, numbers: np.ndarray, counts: np.ndarray, length: int) -> Any:
        if mode == "count":
            return counts
        if mode == "freq":
            return counts / length
        if mode == "binary":
            return 1
        documents = np.array([self.index_docs.get(int(number), 0) for number in numbers])
        return (1 + np.log(counts)) * np.log(1 + self.document_count / (1 + documents))

    def get_config(self) -> dict[str, Any]:
        """The arguments, and what was learnt as JSON."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps({int(index): count for index, count in self.index_docs.items()}),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as JSON, for `tokenizer_from_json`. `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


_LEARNT = ("index_docs", "index_word", "word_counts", "word_docs", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `Tokenizer.to_json` wrote.

    Raises:
        ValueError: if the text is that of no tokenizer.
    """
    try:
        config = dict(json.loads(json_string)["config"])
        learnt = {name: dict(json.loads(config.pop(name))) for name in _LEARNT}
        by_index = {name: {int(index): item for index, item in learnt[name].items()} for name in _LEARNT[:2]}
        tokenizer = Tokenizer(**config)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"The text describes no tokenizer of `Tokenizer.to_json`: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    tokenizer.index_docs.update(by_index["index_docs"])
    tokenizer.index_word = by_index["index_word"]
    tokenizer.word_counts.update(learnt["word_counts"])
    tokenizer.word_docs.update(learnt["word_docs"])
    tokenizer.word_index = learnt["word_index"]
    return tokenizer
