"""Models in files and texts, and copies of models."""

from __future__ import annotations

import sys
from typing import Any

from kjax.engine import _saved
from kjax.saving._architecture import model_from_config, model_from_json, model_from_yaml, to_json, to_yaml
from kjax.saving._copies import clone_model, deep_copy, reduced
from kjax.saving._files import load_model, load_weights, save_model, save_weights

_saved.provide(sys.modules[__name__])


def export(model: Any, path: Any, **kwargs: Any) -> None:
    """Write what `predict` computes as a program that runs without the model's code: see `kjax.saving._export`."""
    from kjax.saving import _export

    _export.export(model, path, **kwargs)


def load_exported(path: Any) -> Any:
    """The program that `export` wrote, to be called on arrays."""
    from kjax.saving import _export

    return _export.load_exported(path)
