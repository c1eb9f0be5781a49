"""`keras.datasets.cifar`: reading one file of CIFAR-10 or CIFAR-100 as it was published for Python."""

from __future__ import annotations

import os

import numpy as np

from kjax._core import arguments
from kjax._core.guards import Refused, open_file, size_of
from kjax.datasets._cifar import MAX_FILE, pickled


def load_batch(fpath: str | os.PathLike[str], label_key: str = "labels") -> tuple[np.ndarray, list[int]]:
    """Images (n, 3, 32, 32) and their labels, from a file of pickled arrays such as `data_batch_1`.

    Arguments:
        fpath: path of the file.
        label_key: `'labels'`; of CIFAR-100 `'fine_labels'` or `'coarse_labels'`.

    Raises:
        OSError: if there is no such file.
        ValueError: if it is something else, or has no such labels.
    """
    with open_file(fpath) as file:
        size = size_of(file)
        if size > MAX_FILE:
            raise Refused(f"{os.fspath(fpath)} has {size:,} bytes; a file of CIFAR has at most {MAX_FILE:,}.")
        images, labels = pickled(label_key)(file.read())
    return images.reshape(-1, 3, 32, 32), [int(label) for label in labels]


arguments.loaded(__name__)
