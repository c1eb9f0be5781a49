"""One model on several devices, each computing a part of every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from kjax.engine.base_layer import Layer, unpack
from kjax.engine.training import Model


def multi_gpu_model(
    model: Any, gpus: int | Sequence[int] | None = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """A model with the weights of `model` that splits each batch evenly between several devices.

    Weights and optimizer are on all of them; JAX adds the gradients up. A batch whose size is no multiple of the number
    of devices is computed whole by each. Compile and train what is returned, and save `model`.

    Arguments:
        model: a built model.
        gpus: number of devices, or their numbers; all by default.
        cpu_merge, cpu_relocation: have no effect: no device is in charge of the others.

    Returns:
        `model` itself if there is one device alone to use.

    Raises:
        ValueError: if more devices are asked for than there are.
    """
    present = jax.local_devices()
    wanted = gpus or len(present)
    numbers = list(range(wanted)) if isinstance(wanted, int) else list(wanted)
    missing = [number for number in numbers if not 0 <= number < len(present)]
    if missing:
        kind = present[0].platform
        raise ValueError(
            f"To call `multi_gpu_model` with `gpus={gpus}`, we expect the following devices to be available: "
            f"{[f'/{kind}:{number}' for number in numbers]}. However this machine only has: "
            f"{[f'/{kind}:{number}' for number in range(len(present))]}. Try reducing `gpus`."
        )
    if len(set(numbers)) <= 1:
        return model
    mesh = Mesh(np.array([present[number] for number in dict.fromkeys(numbers)]), ("batch",))
    everywhere = NamedSharding(mesh, PartitionSpec())
    for weight in model.weights:
        weight.store(jax.device_put(weight.stored, everywhere))
    parts = [Split(mesh)(tensor) for tensor in model.inputs]
    return Model(list(model.inputs), model(unpack(parts)))


class Split(Layer):
    """Lays a batch out over devices, and changes no number."""

    def __init__(self, mesh: Mesh, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mesh = mesh

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        if inputs.shape[0] % self.mesh.size:
            return inputs
        return jax.lax.with_sharding_constraint(inputs, NamedSharding(self.mesh, PartitionSpec("batch")))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
