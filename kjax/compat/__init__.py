"""Import aliases: `keras` and `tensorflow` answered by kjax, for as long as a program wishes.

`import kjax` claims no name. `import kjax.compat.keras_alias`, `install()` or `with alias():` does.
"""

from __future__ import annotations

from kjax.compat._finder import AliasFinder

# The longest matching name wins, so `tensorflow.keras.layers` is `kjax.layers`.
# TensorFlow 1 kept all of its names in `tensorflow.python` and again in `tensorflow.compat.v1`.
ALIASES = {
    "keras": "kjax",
    "keras_applications": "kjax.applications",
    "keras_preprocessing": "kjax.preprocessing",
    "tensorflow": "kjax.compat.tensorflow",
    "tensorflow.keras": "kjax",
    "tensorflow.contrib.keras": "kjax",
    "tensorflow.contrib.keras.api": "kjax",
    "tensorflow.contrib.keras.api.keras": "kjax",
    "tensorflow.contrib.keras.python": "kjax",
    "tensorflow.contrib.keras.python.keras": "kjax",
    "tensorflow.python": "kjax.compat.tensorflow",
    "tensorflow.python.keras": "kjax",
    "tensorflow.python.layers.utils": "kjax.utils.conv_utils",
    "tensorflow.python.keras._impl": "kjax",
    "tensorflow.python.keras._impl.keras": "kjax",
    "tensorflow.compat.v1": "kjax.compat.tensorflow",
    "tensorflow.compat.v1.keras": "kjax",
    "tensorflow.compat.v2": "kjax.compat.tensorflow",
    "tensorflow.compat.v2.keras": "kjax",
    "theano": "kjax.compat.theano",
}

_finder = AliasFinder(
    ALIASES,
    partial={
        "kjax.compat.tensorflow": "kjax offers only a subset of TensorFlow",
        "kjax.compat.theano": "kjax offers only what scripts of Keras used of Theano",
    },
    # Packages compare `keras.__version__` to choose between spellings, or refuse old ones.
    versions={"kjax": "2.2.4"},
)

install = _finder.install
uninstall = _finder.uninstall
installed = _finder.installed
alias = _finder.alias
suspended = _finder.suspended
real_name = _finder.real_name

__all__ = ["ALIASES", "alias", "install", "installed", "real_name", "suspended", "uninstall"]
