"""Texts and sequences: recorded results of Keras 2.2.4, worked examples, and what is refused."""

from __future__ import annotations

import json
import pathlib
import random
from typing import Any

import numpy as np
import pytest

from compat_tests import today
from kjax.legacy.preprocessing import base_filter
from kjax.preprocessing import sequence, text
from kjax.utils import Sequence

RECORDED = json.loads((pathlib.Path(__file__).parent / "recorded" / "preprocessing.json").read_text("utf-8"))
TEXTS, QUERIES = RECORDED["texts"], RECORDED["queries"]


def fitted(**arguments: Any) -> text.Tokenizer:
    tokenizer = text.Tokenizer(**arguments)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.mark.parametrize("case", RECORDED["tokenizers"], ids=lambda case: str(case["arguments"]))
def test_tokenizer_as_recorded(case: dict[str, Any]) -> None:
    tokenizer = fitted(**case["arguments"])
    assert tokenizer.word_index == case["word_index"]
    assert [list(item) for item in tokenizer.word_counts.items()] == case["word_counts"]
    assert dict(tokenizer.word_docs) == case["word_docs"]
    assert {str(index): count for index, count in tokenizer.index_docs.items()} == case["index_docs"]
    assert tokenizer.texts_to_sequences(QUERIES) == case["sequences"]
    assert tokenizer.sequences_to_texts([[1, 2, 3, 40], [5]]) == case["back"]
    for mode, matrix in case["matrices"].items():
        np.testing.assert_allclose(tokenizer.texts_to_matrix(QUERIES, mode), matrix, rtol=1e-14)


@pytest.mark.parametrize("arguments", [{}, {"num_words": 5, "oov_token": "?"}, {"char_level": True}])
def test_tokenizer_survives_json(arguments: dict[str, Any]) -> None:
    tokenizer = fitted(**arguments)
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    for mode in ("binary", "tfidf"):
        np.testing.assert_array_equal(again.texts_to_matrix(QUERIES, mode), tokenizer.texts_to_matrix(QUERIES, mode))
    again.fit_on_texts(["mat mat mat mat mat mat"])
    assert again.texts_to_sequences(["mat"]) != tokenizer.texts_to_sequences(["mat"])


def test_sequences_alone_are_enough_for_tfidf() -> None:
    tokenizer = text.Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 1, 2], [2, 3]])
    matrix = tokenizer.sequences_to_matrix([[1, 1, 3, 9], []], "tfidf")
    one, three = (1 + np.log(2)) * np.log(1 + 2 / (1 + 1)), np.log(1 + 2 / (1 + 1))
    np.testing.assert_allclose(matrix, [[0, one, 0, three], [0, 0, 0, 0]])


def test_tokenizer_refuses() -> None:
    with pytest.raises(ValueError, match="Specify a dimension"):
        text.Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="before using tfidf"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ValueError, match="Unknown vectorization mode: zz"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "zz")
    with pytest.raises(TypeError, match=r"Unrecognized keyword arguments: \{'foo': 1\}"):
        text.Tokenizer(foo=1)
    with pytest.raises(TypeError, match="Found: float nan"):
        text.Tokenizer().fit_on_texts([float("nan")])


def test_keras_1_spelling() -> None:
    with pytest.warns(UserWarning, match="`nb_words` argument in `Tokenizer` has been renamed `num_words`"):
        tokenizer = text.Tokenizer(nb_words=5, filters=text.base_filter())  # type: ignore[attr-defined]
    assert tokenizer.num_words == 5
    assert base_filter() == fitted().filters


def test_words_and_hashes() -> None:
    assert text.text_to_word_sequence("Hé, wo--rld!  a\tb") == RECORDED["words"][0]
    assert text.text_to_word_sequence("a..b c", split="..") == RECORDED["words"][1]
    assert text.text_to_word_sequence("Don't STOP_now", lower=False) == RECORDED["words"][2]
    assert text.hashing_trick("The cat sat, on the mat", 50, "md5") == RECORDED["hashed"]
    assert text.hashing_trick("aa b", 10, len) == [3, 2]
    assert text.one_hot("b A b", 7) == [hash(word) % 6 + 1 for word in "bab"]
    with pytest.raises(ValueError, match="at least 2"):
        text.one_hot("a", 1)


@pytest.mark.parametrize("case", RECORDED["skipgrams"], ids=lambda case: str(sorted(case["arguments"])))
def test_skipgrams_as_recorded(case: dict[str, Any]) -> None:
    random.seed(4)
    couples, labels = sequence.skipgrams([0, 1, 2, 3, 4, 8, 7], **case["arguments"])
    assert [couples, labels] == case["result"]


def test_sampling_table() -> None:
    np.testing.assert_allclose(sequence.make_sampling_table(6), RECORDED["sampling_table"], rtol=1e-14)


PADDED = [
    ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
    ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
    ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
    ({"padding": "post", "value": 9}, [[1, 9, 9], [2, 3, 9], [4, 5, 6]]),
    ({"maxlen": 4, "padding": "post"}, [[1, 0, 0, 0], [2, 3, 0, 0], [4, 5, 6, 0]]),
]


@pytest.mark.parametrize(("arguments", "expected"), PADDED)
def test_padding(arguments: dict[str, Any], expected: list[list[int]]) -> None:
    sequences = [[1], [2, 3], [4, 5, 6]]
    padded = sequence.pad_sequences(sequences, **arguments)
    assert padded.dtype == "int32"
    np.testing.assert_array_equal(padded, expected)
    np.testing.assert_array_equal(padded, today.keras().utils.pad_sequences(sequences, **arguments))


def test_padding_of_vectors_and_strings() -> None:
    vectors = sequence.pad_sequences([[], [[1.5, 2.0]], np.ones((3, 2))], maxlen=2, dtype="float32", value=-1)
    np.testing.assert_array_equal(vectors, [[[-1, -1], [-1, -1]], [[-1, -1], [1.5, 2]], [[1, 1], [1, 1]]])
    words = sequence.pad_sequences([["a", "long"], ["b"]], dtype=object, padding="post", value="-")
    assert words.tolist() == [["a", "long"], ["b", "-"]]


@pytest.mark.parametrize(
    ("sequences", "arguments", "message"),
    [
        (3, {}, "must be iterable"),
        ([1], {}, "Found non-iterable: 1"),
        ([], {}, "pass `maxlen`"),
        ([[1]], {"padding": "x"}, 'Padding type "x" not understood'),
        ([[1]], {"truncating": "x"}, 'Truncating type "x" not understood'),
        ([[[1, 2]], [[1, 2, 3]]], {}, r"Shape of sample \(3,\) of sequence at position 1"),
        ([[1], [2, 3]], {"value": "x"}, "is not compatible with `value`'s type"),
    ],
)
def test_padding_refuses(sequences: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sequence.pad_sequences(sequences, **arguments)


def test_remove_long_sequences() -> None:
    assert sequence._remove_long_seq(3, [[1], [1, 2], [1, 2, 3]], [7, 8, 9]) == ([[1], [1, 2]], [7, 8])


def test_timeseries() -> None:
    data, targets = np.arange(20).reshape(10, 2), np.arange(10) * 10
    series = sequence.TimeseriesGenerator(data, targets, 4, sampling_rate=2, stride=3, batch_size=2)
    assert isinstance(series, Sequence)
    assert len(series) == 1
    samples, following = series[0]
    np.testing.assert_array_equal(following, [40, 70])
    np.testing.assert_array_equal(samples, [[data[0], data[2]], [data[3], data[5]]])
    backwards = sequence.TimeseriesGenerator(data, targets, 4, sampling_rate=2, stride=3, batch_size=2, reverse=True)
    np.testing.assert_array_equal(backwards[0][0], samples[:, ::-1])


def test_timeseries_end_and_json() -> None:
    series = sequence.TimeseriesGenerator(list(range(10)), list(range(10)), 3, start_index=1, end_index=8, batch_size=4)
    assert [series[i][1].tolist() for i in range(len(series))] == [[4, 5, 6, 7], [8]]
    assert series.get_config()["start_index"] == 4
    again = sequence.timeseries_generator_from_json(series.to_json())
    assert again.get_config() == series.get_config()
    np.testing.assert_array_equal(again[1][0], [[5, 6, 7]])


def test_timeseries_shuffled() -> None:
    series = sequence.TimeseriesGenerator(np.arange(50), np.arange(50), 5, shuffle=True, batch_size=30)
    samples, following = series[0]
    np.testing.assert_array_equal(samples[:, -1] + 1, following)
    assert len(set(following.tolist())) > 5


def test_timeseries_refuses() -> None:
    with pytest.raises(ValueError, match="Data length is 2 while target length is 1"):
        sequence.TimeseriesGenerator([1, 2], [1], 1)
    with pytest.raises(ValueError, match="`start_index\\+length=5 > end_index=1` is disallowed"):
        sequence.TimeseriesGenerator([1, 2], [1, 2], 5)
