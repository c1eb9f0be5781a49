"""Reuters: newswires as lists of word numbers, in 46 topics."""

from __future__ import annotations

import numpy as np

from kjax._core import arguments
from kjax._core.arguments import function_accepts_old_names
from kjax.datasets import _texts
from kjax.datasets._arrays import Arrays
from kjax.datasets._ragged import read_npz

_WIRES = _texts.File("reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916")
_WORDS = _texts.File("reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")


@function_accepts_old_names("reuters.load_data")
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Arrays:
    """11,228 newswires, each a list of word numbers, with a topic from 0 to 45.

    Looked for in the same places as `mnist`. Arguments as in `imdb.load_data`, and:

    Arguments:
        test_split: share of the newswires that are for testing.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists, and topics.

    Raises:
        ValueError: a file was found that is broken, or `maxlen` leaves no newswire.
        OSError: the set was found nowhere and could not be downloaded.
    """
    arrays = read_npz(_texts.find(_WIRES, path), ("x",), ("y",))
    texts, labels = _texts.shuffled(np.random.RandomState(seed), arrays["x"], arrays["y"])
    texts, labels = _texts.prepared(texts, labels, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    cut = int(len(texts) * (1 - test_split))
    return (
        (_texts.as_array(texts[:cut]), np.array(labels[:cut])),
        (_texts.as_array(texts[cut:]), np.array(labels[cut:])),
    )


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Arguments:
        path: name of the JSON file in the data sets' folders, or the absolute path of an existing one.

    Raises:
        ValueError: a file was found that is broken.
        OSError: it was found nowhere and could not be downloaded.
    """
    return _texts.word_index(_WORDS, path)


arguments.loaded(__name__)
