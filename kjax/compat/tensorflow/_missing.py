"""Names that this TensorFlow does not have: the error says so, and which name is the nearest."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable
from typing import Any

# What stands in the place of what was left out on purpose.
_INSTEAD = {
    "GradientTape": "`model.fit`, `model.train_on_batch` and `model.add_loss` train; `tf.gradients` and `K.gradients` "
    "differentiate tensors of a graph; `jax.grad` of a function that calls `model.to_jax()` differentiates values.",
    "feature_column": "Layers prepare columns: `Normalization`, `StringLookup`, `CategoryEncoding`, `Embedding`.",
    "TFRecordDataset": "Files of TFRecord are not read: `tf.data.Dataset.from_generator` takes a reader of them.",
    "TFRecordWriter": "Files of TFRecord are not written: `np.savez` keeps arrays.",
    "RaggedTensor": "Rows of one length do: `pad_sequences`, or `Dataset.padded_batch`.",
    "lite": "`model.to_jax()` gives a function of JAX, for which there are exporters.",
}


_WHOSE = "kjax's, which offers only a subset of TensorFlow beside tf.keras"


def complaint(module: str, name: str, names: Iterable[str], whose: str = _WHOSE) -> AttributeError:
    """The error for a name that a module does not have."""
    near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    hint = f" The nearest that exists is {module}.{near[0]}." if near else ""
    hint = f" {_INSTEAD[name]}" if name in _INSTEAD else hint
    return AttributeError(f"{module}.{name} is not there: this {module.partition('.')[0]} is {whose}.{hint}")


def attribute(module: str, names: Iterable[str], whose: str = _WHOSE, beside: str = "") -> Callable[[str], Any]:
    """A `__getattr__` for a module that has these names, and those of the module `beside`."""

    def missing(name: str) -> Any:
        if beside and not name.startswith("_") and hasattr(found := importlib.import_module(beside), name):
            return getattr(found, name)
        raise complaint(module, name, names, whose)

    return missing
