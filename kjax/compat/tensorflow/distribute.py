"""`tf.distribute`: strategies that compute on one device, so that scripts which ask for several run."""

from __future__ import annotations

import contextlib
from typing import Any

from kjax.compat.tensorflow._missing import attribute
from kjax.compat.tensorflow._others import Settings


class Strategy:
    """A strategy of one replica: what is done in its `scope()` is done as ever. Its arguments are without effect."""

    num_replicas_in_sync = 1

    def __init__(self, *_: Any, **__: Any) -> None:
        self.extended = Settings()

    def scope(self) -> contextlib.AbstractContextManager[Strategy]:
        """A `with` block of the strategy."""
        return contextlib.nullcontext(self)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The data set itself."""
        return dataset


class MirroredStrategy(Strategy):
    """Several GPUs of a machine."""


class OneDeviceStrategy(Strategy):
    """One device."""


class MultiWorkerMirroredStrategy(Strategy):
    """Several machines."""


class _NoTPU:
    """What finds a TPU: scripts go on with another strategy where it says that there is none."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise ValueError("There is no TPU that this TensorFlow could use. JAX's devices are in `jax.devices()`.")


def get_strategy() -> Strategy:
    """The strategy of one replica."""
    return Strategy()


cluster_resolver = Settings(TPUClusterResolver=_NoTPU)
experimental = Settings(
    MultiWorkerMirroredStrategy=MultiWorkerMirroredStrategy, CentralStorageStrategy=MirroredStrategy
)

__all__ = [
    "MirroredStrategy", "MultiWorkerMirroredStrategy", "OneDeviceStrategy", "Strategy", "cluster_resolver",
    "experimental", "get_strategy",
]  # fmt: skip

__getattr__ = attribute("tensorflow.distribute", __all__)
