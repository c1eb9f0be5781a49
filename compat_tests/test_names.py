"""The names of Keras's modules: each is there, or is listed with the reason why it is not."""

from __future__ import annotations

import importlib
import inspect

import pytest

from compat_tests import recorded_calls as calls

NAMES = calls.names("names.txt")
PACKAGES = ("activations", "backend", "callbacks", "constraints", "initializers", "layers", "losses", "metrics")

POOLS = "what the processes of `Sequence`s share; kjax has other ways to feed them"

# {reason: {module: names}}; a name that starts to exist must leave.
MISSING: dict[str, dict[str, str]] = {
    POOLS: {"utils.data_utils": "get_index init_pool init_pool_generator next_sample"},
}


def reasons(module: str) -> dict[str, str]:
    """Reason by missing name of a module."""
    return {name: why for why, modules in MISSING.items() for name in modules.get(module, "").split()}


def exists(module: str, name: str) -> bool:
    """Whether `kjax.<module>` has a name, a submodule included."""
    return calls.reached(f"{module}.{name}" if module else name) is not None


@pytest.mark.parametrize("module", sorted(NAMES))
def test_every_name_is_there_or_has_a_reason(module: str) -> None:
    missing = {name for name in NAMES[module] if not exists(module, name)}
    listed = set(reasons(module))
    assert not missing - listed, f"not in kjax, and no reason is given: {sorted(missing - listed)}"
    assert not listed - missing, f"in kjax by now, to be taken out of MISSING: {sorted(listed - missing)}"


def test_the_lists_hold_each_name_once() -> None:
    assert sum(map(len, NAMES.values())) > 1300
    for module, names in NAMES.items():
        assert len(names) == len(set(names))
        assert set(reasons(module)) <= set(names)


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
