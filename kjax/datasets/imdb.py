"""IMDB: film reviews as lists of word numbers, good or bad."""

from __future__ import annotations

import numpy as np

from kjax._core import arguments
from kjax._core.arguments import function_accepts_old_names
from kjax.datasets import _texts
from kjax.datasets._arrays import Arrays
from kjax.datasets._ragged import read_npz

_REVIEWS = _texts.File("imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")
_WORDS = _texts.File("imdb_word_index.json", "bfafd718b763782e994055a2d397834f")


@function_accepts_old_names("imdb.load_data")
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Arrays:
    """25,000 training and 25,000 test reviews of films, each a list of word numbers; low numbers are frequent words.

    Looked for in the same places as `mnist`.

    Arguments:
        path: name of the npz file in those folders, or the absolute path of an existing one.
        num_words: words with this number or a higher one are replaced; the highest number by default.
        skip_top: words with a lower number are replaced.
        maxlen: only reviews with fewer words stay. As in Keras 2.2, the training part is then filled up from the test
            part to its full length.
        seed: decides the order.
        start_char: number that marks the start; None for no mark.
        oov_char: number that stands for words that are replaced; None leaves them out.
        index_from: is added to all word numbers.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists, and labels 0 (bad) or 1 (good).

    Raises:
        ValueError: a file was found that is broken, or `maxlen` leaves no review.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: Maas et al., Learning word vectors for sentiment analysis, 2011.
    """
    arrays = read_npz(_texts.find(_REVIEWS, path), ("x_train", "x_test"), ("y_train", "y_test"))
    random = np.random.RandomState(seed)
    x_train, y_train = _texts.shuffled(random, arrays["x_train"], arrays["y_train"])
    x_test, y_test = _texts.shuffled(random, arrays["x_test"], arrays["y_test"])
    texts, labels = _texts.prepared(
        x_train + x_test,
        np.concatenate([y_train, y_test]),
        num_words,
        skip_top,
        maxlen,
        start_char,
        oov_char,
        index_from,
    )
    cut = len(x_train)
    return (
        (_texts.as_array(texts[:cut]), np.array(labels[:cut])),
        (_texts.as_array(texts[cut:]), np.array(labels[cut:])),
    )


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Arguments:
        path: name of the JSON file in the data sets' folders, or the absolute path of an existing one.

    Raises:
        ValueError: a file was found that is broken.
        OSError: it was found nowhere and could not be downloaded.
    """
    return _texts.word_index(_WORDS, path)


arguments.loaded(__name__)
