"""The names of Keras's modules: each is there."""

from __future__ import annotations

import importlib
import inspect

import pytest

from compat_tests import recorded_calls as calls

NAMES = calls.names("names.txt")
PACKAGES = ("activations", "backend", "callbacks", "constraints", "initializers", "layers", "losses", "metrics")


def exists(module: str, name: str) -> bool:
    """Whether `kjax.<module>` has a name, a submodule included."""
    return calls.reached(f"{module}.{name}" if module else name) is not None


@pytest.mark.parametrize("module", sorted(NAMES))
def test_every_name_is_there(module: str) -> None:
    missing = {name for name in NAMES[module] if not exists(module, name)}
    assert not missing, f"not in kjax: {sorted(missing)}"


def test_the_lists_hold_each_name_once() -> None:
    assert sum(map(len, NAMES.values())) > 1300
    for names in NAMES.values():
        assert len(names) == len(set(names))


def test_one_class_has_one_identity_wherever_it_is_imported_from() -> None:
    for module in ("layers.core", "layers.convolutional", "layers.recurrent", "legacy.layers", "engine.topology"):
        for name in set(NAMES[module]) & set(NAMES["layers"]):
            one, other = calls.reached(f"{module}.{name}"), calls.reached(f"layers.{name}")
            assert one is not None
            assert other is not None
            assert one.obj is other.obj or not inspect.isclass(one.obj), f"{module}.{name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_exists(package: str) -> None:
    for name in getattr(importlib.import_module(f"kjax.{package}"), "__all__", ()):
        assert exists(package, name), f"kjax.{package}.__all__ names {name}"
