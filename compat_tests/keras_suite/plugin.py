"""What pytest loads before Keras's tests: from here on `keras` is kjax.

Some of the tests import helpers that kjax has no use for. They get stand-ins: `tf_file_io_proxy`, whose cloud is a
folder; numpy's formulas, out of the archive. `stand_ins/` has more.
What numpy, SciPy and pytest have dropped since then is put back. A test that fails halfway leaves no settings behind.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import signal
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.special

import kjax
from kjax import backend as K
from kjax.compat import keras_alias
from kjax.utils import test_utils

__all__ = ["FORMULAS", "FolderAsCloud", "keras_alias", "settings"]

FORMULAS = "KJAX_SUITE_FORMULAS"  # where the archive's `numpy_backend.py` lies


class FolderAsCloud:
    """Gives files of a folder on this machine for addresses in a cloud."""

    def __init__(self, file_io_module: str | None = None, bucket_name: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kjax-cloud-")

    def __enter__(self) -> FolderAsCloud:
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    def get_filepath(self, filename: str) -> str:
        """Returns where a file of this name lies."""
        return os.path.join(self._folder.name, os.path.basename(filename))

    def file_exists(self, name: str) -> bool:
        """Tells whether there is such a file."""
        return os.path.exists(name)

    def assert_exists(self, name: str) -> None:
        """Fails without such a file."""
        assert self.file_exists(name), name

    def delete_file(self, name: str) -> None:
        """Deletes a file."""
        os.remove(name)


def _load_formulas(file: pathlib.Path) -> None:
    name = "kjax.backend.numpy_backend"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = sys.modules["keras.backend.numpy_backend"] = module
    spec.loader.exec_module(module)
    _put(kjax.backend, numpy_backend=module)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Puts the settings back that a test changed, and stops its alarm clock."""
    before = K.floatx(), K.epsilon(), K.image_data_format()
    yield
    signal.alarm(0)
    K.set_floatx(before[0])
    K.set_epsilon(before[1])
    K.set_image_data_format(before[2])


def _warns(warns: Any) -> Any:
    """`pytest.warns` that takes None, which meant to record whatever warning comes."""

    def either(expected: Any = Warning, *args: Any, **kwargs: Any) -> Any:
        if expected is not None:
            return warns(expected, *args, **kwargs)
        return warnings.catch_warnings(record=True, action="always")

    return either


def _put(module: Any, **values: Any) -> None:
    """Sets what a module lacks."""
    for name, value in values.items():
        if not hasattr(module, name):
            setattr(module, name, value)


def _module(name: str, **values: Any) -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    _put(module, **values)
    return module


def _stand_in() -> None:
    _put(test_utils, tf_file_io_proxy=FolderAsCloud)
    _put(np, alltrue=np.all, int=int)
    scipy.misc = _module("scipy.misc", logsumexp=scipy.special.logsumexp)  # pyright: ignore - SciPy dropped it
    pytest.warns = _warns(pytest.warns)
    if FORMULAS in os.environ:
        _load_formulas(pathlib.Path(os.environ[FORMULAS]))


_stand_in()
