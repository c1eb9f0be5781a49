"""Whether the import aliases are in force, for what has to be so in another process too.

The floors below `kjax.compat` do not import it; they ask whether somebody did.
"""

from __future__ import annotations

import importlib
import sys


def installed() -> bool:
    """Whether `keras` and `tensorflow` are kjax in this process."""
    compat = sys.modules.get("kjax.compat")
    return compat is not None and bool(compat.installed())


def only_tf_keras() -> bool:
    """Whether the program has Keras from TensorFlow alone."""
    return "tensorflow" in sys.modules and "keras" not in sys.modules and installed()


def install(wanted: bool) -> None:
    """Let them be kjax here too, if they were where this is asked from."""
    if wanted:
        importlib.import_module("kjax.compat").install()
