"""Random cases for each layer that kjax and today's Keras share."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from compat_tests.sweep import extras, later, recurrent
from compat_tests.sweep.compare import Case

Draw = Callable[[random.Random, str], Case]
KINDS: dict[str, Draw] = {}
SMOOTH = (None, "tanh", "sigmoid", "softplus", "softsign", "elu", "selu", "relu", "linear", "exponential")


def kind(*names: str) -> Callable[[Draw], Draw]:
    """Register what draws the cases of layers."""

    def register(function: Draw) -> Draw:
        KINDS.update(dict.fromkeys(names, function))
        return function

    return register


def draw(seed: int, names: Sequence[str] | None = None) -> Case:
    """The case of this number; of one of the named layers, if any are named."""
    r = random.Random(seed)
    name = r.choice(sorted(names or KINDS))
    return extras.add(r, KINDS[name](r, name))


def sides(r: random.Random, count: int, low: int = 1, high: int = 5) -> tuple[int, ...]:
    return tuple(r.randint(low, high) for _ in range(count))


def flag(r: random.Random) -> bool:
    return r.random() < 0.5


def several(r: random.Random, rank: int, low: int, high: int) -> Any:
    """A number for all axes, or one for each."""
    return r.randint(low, high) if flag(r) else tuple(r.randint(low, high) for _ in range(rank))


def placed(form: str, batch: int, space: tuple[int, ...], channels: int) -> tuple[int, ...]:
    return (batch, channels, *space) if form == "channels_first" else (batch, *space, channels)


def data_format(r: random.Random) -> str:
    return r.choice(("channels_last", "channels_first"))


def rank_of(name: str) -> int:
    """The number of axes of space: the digit before `D`."""
    return int(re.findall(r"(\d)D", name)[0])


@kind("Dense")
def dense(r: random.Random, name: str) -> Case:
    arguments = {"units": r.randint(1, 5), "activation": r.choice(SMOOTH), "use_bias": flag(r)}
    return Case(name, arguments, [sides(r, r.randint(2, 4))])


@kind("Activation")
def activation(r: random.Random, name: str) -> Case:
    word = r.choice([a for a in SMOOTH if a] + ["softmax"])
    return Case(name, {"activation": word}, [sides(r, r.randint(2, 4))])


@kind("ReLU")
def relu(r: random.Random, name: str) -> Case:
    arguments: dict[str, Any] = {
        "max_value": r.choice((None, 0.5, 1.5)),
        "negative_slope": r.choice((0.0, 0.3)),
        "threshold": r.choice((0.0, 0.2)),
    }
    return Case(name, arguments, [sides(r, r.randint(2, 4))])


@kind("LeakyReLU", "ELU")
def slopes(r: random.Random, name: str) -> Case:
    alpha = r.choice((0.0, 0.3, 1.2))
    theirs = {"negative_slope": alpha} if name == "LeakyReLU" else None
    return Case(name, {"alpha": alpha}, [sides(r, r.randint(2, 4))], theirs=theirs)


@kind("PReLU")
def prelu(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    axes = [axis for axis in range(1, len(shape)) if flag(r)]
    return Case(name, {"shared_axes": axes or None}, [shape])


@kind("Softmax")
def softmax(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    return Case(name, {"axis": r.choice([-1, *range(1, len(shape))])}, [shape])


@kind("Flatten")
def flatten(r: random.Random, name: str) -> Case:
    return Case(name, {"data_format": data_format(r)}, [sides(r, r.randint(2, 5))])


@kind("Reshape")
def reshape(r: random.Random, name: str) -> Case:
    batch, a, b, c = sides(r, 4)
    target = r.choice(((a * b, c), (c, b, a), (-1, c), (a, -1), (a * b * c,), (-1,), (1, b, a, c)))
    return Case(name, {"target_shape": target}, [(batch, a, b, c)])


@kind("Permute")
def permute(r: random.Random, name: str) -> Case:
    rank = r.randint(1, 4)
    return Case(name, {"dims": tuple(r.sample(range(1, rank + 1), rank))}, [sides(r, rank + 1)])


@kind("RepeatVector")
def repeat(r: random.Random, name: str) -> Case:
    return Case(name, {"n": r.randint(1, 4)}, [sides(r, 2)])


@kind("Masking")
def masking(r: random.Random, name: str) -> Case:
    shape = sides(r, 3)
    return Case(name, {"mask_value": r.choice((0.0, 0.0, -1.0, 0.5))}, [shape], holes=True, masked=flag(r))


@kind("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
      "AlphaDropout")  # fmt: skip
def dropout(r: random.Random, name: str) -> Case:
    training = flag(r)
    rate = 0.0 if training else r.choice((0.0, 0.4))
    key = "stddev" if name == "GaussianNoise" else "rate"
    rank = 2 + rank_of(name) if name.startswith("Spatial") else r.randint(2, 4)
    shape = sides(r, rank)
    arguments: dict[str, Any] = {key: rate}
    if name in ("Dropout", "AlphaDropout") and flag(r):
        arguments["noise_shape"] = tuple(r.choice((None, 1)) for _ in shape)
    if name in ("SpatialDropout2D", "SpatialDropout3D"):
        arguments["data_format"] = data_format(r)
    return Case(name, arguments, [shape], training=training)


@kind("ActivityRegularization")
def activity_regularization(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    arguments = {"l1": r.choice((0.0, 0.1)), "l2": r.choice((0.0, 0.2))}
    # Today's Keras divides by the number of samples.
    theirs = {rate: value * shape[0] for rate, value in arguments.items()}
    return Case(name, arguments, [shape], theirs=theirs)


def scaled(x: Any, factor: float = 2.0) -> Any:
    return x * factor - x / 3


def first_steps(x: Any, mask: Any = None) -> Any:
    """A mask of the first time step."""
    return x[:, :, 0] == x[:, :1, 0]


@kind("Lambda")
def function(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    arguments: dict[str, Any] = {"function": scaled, "arguments": r.choice((None, {"factor": 0.5}))}
    if flag(r):
        arguments["output_shape"] = r.choice((shape[1:], tuple))
    if len(shape) == 3 and flag(r):
        arguments["mask"] = first_steps
    return Case(name, arguments, [shape])


@kind("Rescaling")
def rescaling(r: random.Random, name: str) -> Case:
    return Case(name, {"scale": r.uniform(-2, 2), "offset": r.choice((0.0, 0.5))}, [sides(r, r.randint(2, 4))])


@kind("Embedding")
def embedding(r: random.Random, name: str) -> Case:
    size = r.randint(1, 6)
    arguments = {"input_dim": size, "output_dim": r.randint(1, 4), "mask_zero": flag(r)}
    return Case(name, arguments, [sides(r, r.randint(1, 3))], integers=size)


@kind("BatchNormalization")
def batch_normalization(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 5), 2, 4)
    arguments = {
        "axis": r.choice([-1, *range(1, len(shape))]),
        "momentum": r.choice((0.5, 0.99)),
        "epsilon": r.choice((1e-3, 0.1)),
        "center": flag(r),
        "scale": flag(r),
    }
    # Recorded runs of Keras 2.2.4 have another moving variance: docs/differences.md.
    return Case(name, arguments, [shape], training=flag(r), skipped=("moving_variance",))


@kind("LayerNormalization")
def layer_normalization(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4), 2, 4)
    axes = sorted(r.sample(range(1, len(shape)), r.randint(1, len(shape) - 1)))
    arguments = {
        "axis": r.choice((-1, axes)),
        "epsilon": r.choice((1e-3, 0.1)),
        "center": flag(r),
        "scale": flag(r),
    }
    return Case(name, arguments, [shape])


@kind("Conv1D", "Conv2D", "Conv3D")
def convolution(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r)
    dilation, strides = (several(r, rank, 1, 3), 1) if flag(r) else (1, several(r, rank, 1, 3))
    paddings = ["valid", "same"]
    if rank == 1 and form == "channels_last":
        paddings.append("causal")
    padding = r.choice(paddings)
    arguments = {
        "filters": r.randint(1, 4),
        "kernel_size": several(r, rank, 1, 3 if rank == 3 else 5 if padding != "valid" else 3),
        "strides": strides,
        "padding": padding,
        "data_format": form,
        "dilation_rate": dilation,
        "activation": r.choice(SMOOTH),
        "use_bias": flag(r),
    }
    space = sides(r, rank, 7, 9) if padding == "valid" else sides(r, rank, 1, 9)
    return Case(name, arguments, [placed(form, r.randint(1, 3), space, r.randint(1, 3))])


@kind("Conv2DTranspose", "Conv3DTranspose")
def transposed(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r)
    kernel = sides(r, rank, 1, 4)
    strides = sides(r, rank, 1, 3)
    arguments: dict[str, Any] = {
        "filters": r.randint(1, 3),
        "kernel_size": kernel,
        "strides": strides,
        "padding": r.choice(("valid", "same")),
        "data_format": form,
        "activation": r.choice(SMOOTH),
        "use_bias": flag(r),
    }
    if rank == 2 and max(strides) == 1 and flag(r):
        arguments["dilation_rate"] = several(r, rank, 1, 2)
    if flag(r) and min(strides) > 1:
        extra = tuple(r.randint(0, s - 1) for s in strides)
        # Beyond that, an output of this length does not come from the input, as TensorFlow counted.
        if arguments["padding"] == "valid" or all(
            0 < k % 2 + o <= s for k, o, s in zip(kernel, extra, strides, strict=True)
        ):
            arguments["output_padding"] = extra
    return Case(name, arguments, [placed(form, r.randint(1, 3), sides(r, rank, 2, 5), r.randint(1, 3))])


@kind("DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")
def separable(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r)
    stride, rate = (1, r.randint(1, 2)) if flag(r) else (r.randint(1, 3), 1)
    padding = r.choice(("valid", "same"))
    arguments: dict[str, Any] = {
        "kernel_size": several(r, rank, 1, 3 if padding == "valid" else 4),
        "strides": stride,
        "padding": padding,
        "data_format": form,
        "depth_multiplier": r.randint(1, 3),
        "activation": r.choice(SMOOTH),
        "use_bias": flag(r),
        "dilation_rate": rate,
    }
    if name.startswith("Separable"):
        arguments["filters"] = r.randint(1, 4)
    space = sides(r, rank, 6, 8) if padding == "valid" else sides(r, rank, 1, 8)
    return Case(name, arguments, [placed(form, r.randint(1, 3), space, r.randint(1, 3))])


@kind("UpSampling1D", "UpSampling2D", "UpSampling3D")
def upsampling(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r) if rank > 1 else "channels_last"
    arguments: dict[str, Any] = {"size": r.randint(1, 3) if rank == 1 else several(r, rank, 1, 3)}
    if rank > 1:
        arguments["data_format"] = form
    if rank == 2 and flag(r):
        # Not "bilinear": TensorFlow 1 and today's Keras place the pixels differently.
        arguments["interpolation"] = "nearest"
    return Case(name, arguments, [placed(form, r.randint(1, 3), sides(r, rank, 1, 4), r.randint(1, 3))])


@kind("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D")
def edges(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r) if rank > 1 else "channels_last"
    pairs = tuple(sides(r, 2, 0, 2) for _ in range(rank))
    width = r.choice((r.randint(0, 2), pairs[0] if rank == 1 else pairs))
    arguments: dict[str, Any] = {"padding" if name.startswith("Zero") else "cropping": width}
    if rank > 1:
        arguments["data_format"] = form
    return Case(name, arguments, [placed(form, r.randint(1, 3), sides(r, rank, 5, 7), r.randint(1, 3))])


@kind("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D")
def pooling(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r)
    padding = r.choice(("valid", "same"))
    arguments = {
        "pool_size": several(r, rank, 1, 3 if padding == "valid" else 5),
        "strides": r.choice((None, several(r, rank, 1, 3))),
        "padding": padding,
        "data_format": form,
    }
    space = sides(r, rank, 4, 7) if padding == "valid" else sides(r, rank, 1, 7)
    return Case(name, arguments, [placed(form, r.randint(1, 3), space, r.randint(1, 3))])


@kind("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
      "GlobalAveragePooling2D", "GlobalAveragePooling3D")  # fmt: skip
def global_pooling(r: random.Random, name: str) -> Case:
    rank = rank_of(name)
    form = data_format(r)
    masked = name == "GlobalAveragePooling1D" and form == "channels_last" and flag(r)
    arguments = {"data_format": form, "keepdims": flag(r)}
    return Case(name, arguments, [placed(form, r.randint(1, 3), sides(r, rank, 1, 5), r.randint(1, 3))], masked=masked)


@kind("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
def merging(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    count = 2 if name == "Subtract" else r.randint(2, 4)
    shapes = [shape] + [
        (shape[0], *(1 if flag(r) and flag(r) else side for side in shape[1:])) for _ in range(count - 1)
    ]
    masked = len(shape) == 3 and all(s[1] == shape[1] for s in shapes) and flag(r)
    return Case(name, {}, shapes, masked=masked)


@kind("Concatenate")
def concatenating(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4))
    axis = r.choice([-1, *range(1, len(shape))])
    place = axis % len(shape)
    shapes = [(*shape[:place], r.randint(1, 4), *shape[place + 1 :]) for _ in range(r.randint(2, 3))]
    masked = len(shape) == 3 and place != 1 and flag(r)
    return Case(name, {"axis": axis}, shapes, masked=masked)


@kind("Dot")
def dot(r: random.Random, name: str) -> Case:
    batch, shared = r.randint(1, 3), r.randint(1, 4)
    first, second = (batch, *sides(r, r.randint(1, 2))), (batch, *sides(r, r.randint(1, 2)))
    a, b = r.randint(1, len(first) - 1), r.randint(1, len(second) - 1)
    first, second = ((*s[:i], shared, *s[i + 1 :]) for s, i in ((first, a), (second, b)))
    axes: Any = (a, b)
    if a == b and flag(r):
        axes = a
    return Case(name, {"axes": axes, "normalize": flag(r)}, [first, second])


KINDS.update({**recurrent.KINDS, **later.KINDS})
