"""Models as programs without their code: StableHLO with the weights in it, through `jax.export`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from kjax.saving import _architecture

_MAGIC = b"KJAXEXP1"
_MAX_HEADER = 1 << 20
_PLATFORMS = ("cpu", "cuda", "tpu")


class Exported:
    """A program that `export` wrote. Call it, or `predict`, on one array or a list of them.

    Attributes:
        input_shapes, input_dtypes: of the inputs; None stands for the batch size.
    """

    def __init__(self, program: Any, header: dict[str, Any]) -> None:
        self._call = jax.jit(program.call)
        self.input_shapes = [tuple(shape) for shape in header["shapes"]]
        self.input_dtypes = list(header["dtypes"])
        self._single = bool(header["single"])

    def __call__(self, x: Any) -> Any:
        """The outputs as JAX's arrays: one, or a list of them."""
        given = list(x) if isinstance(x, (list, tuple)) else [x]
        if len(given) != len(self.input_shapes):
            raise ValueError(f"The program takes {len(self.input_shapes)} inputs, but {len(given)} were given.")
        arrays: list[np.ndarray] = []
        for array, shape, dtype in zip(given, self.input_shapes, self.input_dtypes, strict=True):
            array = np.asarray(array, dtype)
            if array.ndim != len(shape) or any(b not in (None, a) for a, b in zip(array.shape, shape, strict=True)):
                raise ValueError(f"The program takes an input of shape {shape}, but got one of {array.shape}.")
            arrays.append(array)
        outputs = self._call(*arrays)
        return outputs[0] if self._single else list(outputs)

    def predict(self, x: Any) -> Any:
        """The outputs as numpy arrays: one, or a list of them."""
        outputs = self(x)
        return [np.asarray(y) for y in outputs] if isinstance(outputs, list) else np.asarray(outputs)


def export(model: Any, path: Any, platforms: Sequence[str] = _PLATFORMS) -> None:
    """Write what `predict` computes as a program that runs without the model's code and without its classes.

    The weights are in it. The batch size stays free where the model leaves it free.

    Arguments:
        model: a built model.
        path: the file to write.
        platforms: what it is to run on, among `'cpu'`, `'cuda'`, `'rocm'` and `'tpu'`.

    Raises:
        ValueError: if the model has not been built, or an input has an unknown dimension besides the batch size.
    """
    from kjax._core import atomic

    exporting = _exporting()

    if not model.inputs:
        raise ValueError(f"Model {model.name} has not been built, so its inputs are not known. Call `build` or `fit`.")
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    if any(None in shape[1:] for shape in shapes):
        raise ValueError(
            f"`export` needs to know all dimensions but the batch size. The inputs have the shapes {shapes}."
        )
    apply, params, state = model.to_jax()

    def program(*inputs: Any) -> tuple[Any, ...]:
        outputs, _, _ = apply(params, state, list(inputs))
        return tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)

    free = exporting.symbolic_shape("batch")[0]
    specs = [
        jax.ShapeDtypeStruct((free if shape[0] is None else shape[0], *shape[1:]), tensor.dtype)
        for shape, tensor in zip(shapes, model.inputs, strict=True)
    ]
    made = exporting.export(jax.jit(program), platforms=tuple(platforms))(*specs)
    header = {
        "shapes": [list(shape) for shape in shapes],
        "dtypes": [tensor.dtype.name for tensor in model.inputs],
        "single": len(model.outputs) == 1,
        "name": model.name,
    }
    text = _architecture.dumps(header).encode()
    with atomic.writing(path) as file:
        file.write(_MAGIC + struct.pack("<I", len(text)) + text)
        file.write(made.serialize())


def load_exported(path: Any) -> Exported:
    """The program that `export` wrote.

    XLA compiles and runs what the file says on the arrays that it is given. Such a program has no way to files or to
    the network, but nothing bounds its time and memory, and XLA was not made for programs that want to do harm: load
    those of people whom you trust.

    Raises:
        OSError: if the file cannot be opened.
        ValueError: if it is no such file.
    """
    from kjax._core.guards._budget import open_file

    exporting = _exporting()

    with open_file(path) as file:
        start = file.read(len(_MAGIC) + 4)
        if not start.startswith(_MAGIC) or len(start) != len(_MAGIC) + 4:
            raise ValueError(f"{path} is no program that `kjax.export` wrote.")
        (size,) = struct.unpack("<I", start[len(_MAGIC) :])
        if size > _MAX_HEADER:
            raise ValueError(f"{path} announces {size:,} bytes of description, more than is read.")
        header = _architecture.loads(file.read(size), f"The description in {path}")
        try:
            return Exported(exporting.deserialize(bytearray(file.read())), header)
        except Exception as error:  # flatbuffers and MLIR raise errors of many types
            raise ValueError(f"{path} is broken: {type(error).__name__}: {str(error)[:200]}") from error


def _exporting() -> Any:
    try:
        import flatbuffers  # noqa: F401  # which jax.export writes and reads with
    except ImportError:
        raise ImportError(
            "Exported programs need the package flatbuffers, which is not installed: `pip install kjax[export]`."
        ) from None
    from jax import export

    return export
