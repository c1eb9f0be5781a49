"""TensorFlow Datasets without TensorFlow: reads what it prepared, and downloads through it.

TFDS 4.9 without TensorFlow reads only sets that were prepared as `array_record`, and cannot prepare these
four itself (it encodes their images and opens their files with TensorFlow); its download manager needs no
TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kjax.datasets._arrays import MAX_EXAMPLES, Arrays


def folder() -> Path:
    """Where TFDS keeps its sets: `TFDS_DATA_DIR`, else `~/tensorflow_datasets`."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def prepared(name: str) -> bool:
    """Whether the folder holds some version of the set as array_record; looks at file names only."""
    return any((folder() / name).glob(f"*/{name}-*.array_record*"))


def read(name: str, label_key: str) -> Arrays:
    """The set as arrays: CIFAR in its published order, others in the shuffled order in which TFDS stored
    them.

    Arguments:
        name: name of the set in TFDS.
        label_key: feature that holds the label.

    Raises:
        ImportError: TFDS or what it needs to read is not installed.
        ValueError: the folder holds no version that the installed TFDS reads, or a broken one.
    """
    with _without_aliases():
        import tensorflow_datasets as tfds

        where = folder() / name
        builder = tfds.builder(name, data_dir=str(folder()), file_format="array_record")
        if not builder.is_prepared():
            raise ValueError(
                f"The folder {where} has no version {builder.version} that TFDS can read. Prepare it again."
            )
        return _part(builder, "train", label_key, where), _part(builder, "test", label_key, where)


def _without_aliases() -> contextlib.AbstractContextManager[None]:
    """While a script runs with kjax in the place of TensorFlow, TFDS would take that for the whole of TensorFlow."""
    suspended = getattr(sys.modules.get("kjax.compat"), "suspended", contextlib.nullcontext)
    return suspended()


def _part(builder: Any, split: str, label_key: str, where: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        source = builder.as_data_source(split=split)
        if len(source) > MAX_EXAMPLES:
            raise ValueError(f"{len(source):,} examples")
        return _arrays(source, label_key)
    except ImportError:
        raise
    except Exception as error:  # TFDS and array_record each have their own types for a broken file
        raise ValueError(
            f"The {split} part of the TFDS folder {where} cannot be read: {error}. Prepare it again."
        ) from error


def _arrays(source: Iterable[dict[str, Any]], label_key: str) -> tuple[np.ndarray, np.ndarray]:
    examples = list(source)
    # CIFAR examples carry their original position in an id such as train_00012.
    if examples and "id" in examples[0]:
        examples.sort(key=lambda example: example["id"])
    images = np.stack([np.asarray(example["image"]) for example in examples])
    labels = np.array([int(example[label_key]) for example in examples])
    return images[..., 0] if images.shape[-1] == 1 else images, labels


def download(name: str, files: Iterable[Any], staging: Path) -> dict[str, Path]:
    """Files through the download manager of TFDS, which checks size and sha256; returns file name to path.

    Arguments:
        name: name of the set in TFDS.
        files: what to get: objects with `url`, `size`, `sha256` and `filename`.
        staging: folder for the files while they arrive.
    """
    with _without_aliases():
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.download import checksums

        wanted = tuple(files)
        manager = tfds.download.DownloadManager(
            download_dir=str(staging),
            dataset_name=name,
            force_checksums_validation=True,
            url_infos={f.url: checksums.UrlInfo(size=f.size, checksum=f.sha256, filename=f.filename) for f in wanted},
        )
        # One by one: given several, a failure returns while the other threads still write into the folder.
        return {file.filename: Path(os.fspath(manager.download(file.url))) for file in wanted}
