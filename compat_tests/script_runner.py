"""Runs a script in this process under the semantics of `kjax run`, and puts everything back afterwards."""

from __future__ import annotations

import multiprocessing.spawn
import os
import pathlib
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kjax import backend as K
from kjax import compat
from kjax.compat import _around, _script


@contextmanager
def _as_before() -> Iterator[None]:
    """Restores what a script may change for the whole process."""
    modules, argv, path = dict(sys.modules), sys.argv, list(sys.path)
    folder, environment = os.getcwd(), dict(os.environ)
    preparation = multiprocessing.spawn.get_preparation_data
    settings = K.floatx(), K.epsilon(), K.image_data_format()
    recursion = sys.getrecursionlimit()
    try:
        with warnings.catch_warnings(), np.printoptions():
            warnings.simplefilter("ignore")  # a user sees them as text; here they would be errors
            yield
    finally:
        compat.uninstall()
        _around.uninstall()
        sys.modules["__main__"] = modules["__main__"]
        sys.argv, sys.path[:] = argv, path
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        multiprocessing.spawn.get_preparation_data = preparation
        sys.setrecursionlimit(recursion)
        K.set_floatx(settings[0])
        K.set_epsilon(settings[1])
        K.set_image_data_format(settings[2])
        K.clear_session()
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def run(path: pathlib.Path, folder: pathlib.Path) -> int:
    """The exit code of a script that runs in `folder`."""
    with _as_before():
        os.environ["MPLBACKEND"] = "Agg"
        os.chdir(folder)
        np.random.seed(1337)
        random.seed(1337)
        return _script.run_file(str(path), [])
