"""Who is compared: kjax, today's Keras on each of its backends, tf_keras, and programs written by hand."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """One way to do the works.

    Arguments:
        kind: which function of a work does it: `'keras'` for everything with the interface of Keras.
        module: what that function is passed: the library, or the module of helpers that are written with it.
        needs: modules that must be installed.
        environment: environment variables of its process.
    """

    kind: str
    module: str
    needs: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def load(self) -> Any:
        """Import its module."""
        return importlib.import_module(self.module)


def _keras(backend: str, needed: str) -> Peer:
    return Peer("keras", "keras", ("keras", needed), {"KERAS_BACKEND": backend})


PEERS = {
    "kjax": Peer("keras", "kjax"),
    "keras-jax": _keras("jax", "jax"),
    "keras-tensorflow": _keras("tensorflow", "tensorflow"),
    "keras-torch": _keras("torch", "torch"),
    "tf-keras": Peer("keras", "tf_keras", ("tf_keras", "tensorflow")),
    "tensorflow1": Peer("tensorflow1", "tensorflow.compat.v1", ("tensorflow",)),
    "torch": Peer("torch", "compat_tests.speed.by_torch", ("torch",)),
    "jax-scan": Peer("jax-scan", "compat_tests.speed.by_jax"),
    "jax-step": Peer("jax-step", "compat_tests.speed.by_jax"),
    "numpy": Peer("numpy", "compat_tests.speed.by_numpy"),
}


def installed() -> list[str]:
    """Names of the peers that can run here."""
    return [name for name, peer in PEERS.items() if all(importlib.util.find_spec(need) for need in peer.needs)]
