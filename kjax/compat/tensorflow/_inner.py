"""The modules inside of TensorFlow that layers and optimizers import from, such as `tensorflow.python.ops.math_ops`.

Each shows names that the public modules have: which ones it looks in says the table.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from kjax.compat.tensorflow import _missing

_ROOT = __name__.rpartition(".")[0]

# Package -> where to look for names ("." is `tensorflow` itself) -> the modules that have those names.
_TABLE = {
    "ops": {
        ".": "array_ops check_ops clip_ops control_flow_ops data_flow_ops functional_ops gen_array_ops gradients "
        "gradients_impl io_ops linalg_ops logging_ops parsing_ops partitioned_variables resource_variable_ops "
        "script_ops sparse_ops standard_ops state_ops string_ops template tensor_array_ops variable_scope variables",
        ". math": "gen_math_ops math_ops",
        ". initializers": "init_ops",
        ". random": "random_ops",
        "nn .": "candidate_sampling_ops ctc_ops embedding_ops gen_nn_ops nn nn_impl nn_ops rnn",
        "image": "image_ops image_ops_impl",
        "rnn_cell": "rnn_cell rnn_cell_impl",
    },
    "framework": {
        ".": "constant_op function ops random_seed sparse_tensor tensor_shape tensor_spec tensor_util",
        "dtypes": "dtypes",
        "errors": "errors",
    },
    "platform": {"app": "app", "flags": "flags", "gfile": "gfile", "test": "test", "logging": "tf_logging"},
    "training": {
        "train": "adagrad adam basic_session_run_hooks coordinator gradient_descent learning_rate_decay momentum "
        "monitored_session optimizer rmsprop saver session_run_hook training training_util",
        "_moving train": "moving_averages",
    },
    "util": {"nest": "nest"},
    "eager": {".": "context"},
}


class _Inner(ModuleType):
    """A module that shows names of others."""

    def __init__(self, name: str, places: Sequence[str]) -> None:
        super().__init__(name, "Names of TensorFlow's public modules.")
        self._places = places

    def __getattr__(self, name: str) -> Any:
        found = [importlib.import_module(f"{_ROOT}.{place}".rstrip(".")) for place in self._places]  # `x..` is `x`
        if name == "__all__":
            return sorted({n for module in found for n in dir(module) if not n.startswith("_")})
        if name.startswith("__"):
            raise AttributeError(name)
        module = next((module for module in found if hasattr(module, name)), found[0])
        return getattr(module, name)


def modules_of(package: str) -> Callable[[str], Any]:
    """Makes the modules of a package, and gives the package's `__getattr__`. `ops` has `tensorflow`'s names too."""
    made = {
        name: _Inner(f"{_ROOT}.{package}.{name}", places.split())
        for places, names in _TABLE[package].items()
        for name in names.split()
    }
    sys.modules.update({module.__name__: module for module in made.values()})

    def find(name: str) -> Any:
        if name in made:
            return made[name]
        if package == "ops" and not name.startswith("_"):
            return getattr(importlib.import_module(_ROOT), name)
        raise _missing.complaint(f"tensorflow.python.{package}", name, made)

    return find


def of_top_level(name: str) -> Any:
    """What `tensorflow.python` has of these under its own name, such as `math_ops`; None for any other name."""
    if name in _TABLE:
        return importlib.import_module(f"{_ROOT}.{name}")
    if any(name in names.split() for names in _TABLE["ops"].values()):
        return getattr(importlib.import_module(f"{_ROOT}.ops"), name)
    return None
