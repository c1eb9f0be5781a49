"""Layers that put zeros around, cut edges off, or repeat: none of them has weights."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax.engine._geometry import normalize_tuple
from kjax.engine.base_layer import InputSpec, Layer

_FORMS_2D = {
    "padding": ("symmetric_height_pad, symmetric_width_pad", "(top_pad, bottom_pad), (left_pad, right_pad)"),
    "cropping": ("symmetric_height_crop, symmetric_width_crop", "(top_crop, bottom_crop), (left_crop, right_crop)"),
}


def _pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, ...], ...]:
    """For each axis, how many before and how many after."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if not hasattr(value, "__len__"):
        symmetric, full = _FORMS_2D[name]
        forms = f", a tuple of 2 ints ({symmetric}), or a tuple of 2 tuples of 2 ints ({full})" if rank == 2 else (
            f", a tuple of {rank} ints, or a tuple of {rank} tuples of 2 ints"
        )  # fmt: skip
        raise ValueError(f"`{name}` should be either an int{forms}. Found: {value}")
    if len(value) != rank:
        raise ValueError(f"`{name}` should have {'two' if rank == 2 else rank} elements. Found: {value}")
    places = ("1st", "2nd", "3rd")
    return tuple(normalize_tuple(v, 2, f"{place} entry of {name}") for v, place in zip(value, places, strict=False))


class _Spatial(Layer):
    """A layer that treats rows, columns, ... alike, whatever format the data has."""

    _rank = 1

    def __init__(self, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self._rank == 1 else {**config, "data_format": self.data_format}


class ZeroPadding1D(_Spatial):
    """Zeros before and after the steps of a sequence.

    Arguments:
        padding: how many on each side, or a pair: before, after.

    Input shape:
        (batch, steps, channels).
    """

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__("channels_last", **kwargs)
        self.padding = normalize_tuple(padding, 2, "padding")

    def call(self, inputs: Any) -> Any:
        return K.temporal_padding(inputs, self.padding)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class ZeroPadding2D(_Spatial):
    """Rows and columns of zeros around images.

    Arguments:
        padding: an int for all sides; a pair: above and below, left and right; or a pair of pairs:
            `((top, bottom), (left, right))`.
        data_format: where the channels are; `K.image_data_format()` if None.

    Raises:
        ValueError: for a padding of another form.
    """

    _rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = _pairs(padding, 2, "padding")

    def call(self, inputs: Any) -> Any:
        return K.spatial_2d_padding(inputs, padding=self.padding, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class ZeroPadding3D(_Spatial):
    """Zeros around volumes. Arguments as for `ZeroPadding2D`, for three axes.

    Raises:
        ValueError: for a padding of another form.
    """

    _rank = 3

    def __init__(self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = _pairs(padding, 3, "padding")

    def call(self, inputs: Any) -> Any:
        return K.spatial_3d_padding(inputs, padding=self.padding, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class _Cropping(_Spatial):
    """What all croppings share."""

    cropping: Any

    def build(self, input_shape: Any) -> None:
        first = 2 if self.data_format == "channels_first" else 1
        for length, cut in zip(input_shape[first:], self._cuts(), strict=False):
            if length is not None and sum(cut) > length:
                raise ValueError(
                    f"`cropping` of layer {self.name} takes more than there is: "
                    f"{cut} off an axis of length {length}. "
                    f"Input shape: {tuple(input_shape)}, cropping: {self.cropping}"
                )
        super().build(input_shape)

    def _cuts(self) -> tuple[tuple[int, int], ...]:
        return self.cropping

    def call(self, inputs: Any) -> Any:
        first = 2 if self.data_format == "channels_first" else 1
        kept = [slice(None)] * inputs.ndim
        for axis, (before, after) in enumerate(self._cuts(), first):
            kept[axis] = slice(before, inputs.shape[axis] - after)
        return inputs[tuple(kept)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping}


class Cropping1D(_Cropping):
    """Cuts steps off both ends of a sequence.

    Arguments:
        cropping: how many on each side, or a pair: at the beginning, at the end.

    Input shape:
        (batch, steps, channels).
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__("channels_last", **kwargs)
        self.cropping = normalize_tuple(cropping, 2, "cropping")

    def _cuts(self) -> tuple[tuple[int, int], ...]:
        return (self.cropping,)


class Cropping2D(_Cropping):
    """Cuts rows and columns off images.

    Arguments:
        cropping: an int for all sides; a pair: above and below, left and right; or a pair of pairs:
            `((top, bottom), (left, right))`.
        data_format: where the channels are; `K.image_data_format()` if None.

    Raises:
        ValueError: for a cropping of another form, or one that leaves nothing.
    """

    _rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = _pairs(cropping, 2, "cropping")


class Cropping3D(_Cropping):
    """Cuts the edges off volumes. Arguments as for `Cropping2D`, for three axes."""

    _rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = _pairs(cropping, 3, "cropping")


class UpSampling1D(_Spatial):
    """Repeats each step of a sequence.

    Arguments:
        size: how often.

    Input shape:
        (batch, steps, channels).
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__("channels_last", **kwargs)
        self.size = normalize_tuple(size, 1, "size")

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size[0], axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size[0]}


class UpSampling2D(_Spatial):
    """Makes images larger.

    Arguments:
        size: how many times as high and as wide.
        data_format: where the channels are; `K.image_data_format()` if None.
        interpolation: `'nearest'` repeats rows and columns, `'bilinear'` blends neighbours.

    Raises:
        ValueError: for an unknown interpolation.
    """

    _rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = normalize_tuple(size, 2, "size")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f'interpolation should be one of "nearest" or "bilinear". Received: {interpolation}')
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        return K.resize_images(inputs, self.size[0], self.size[1], self.data_format, self.interpolation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


class UpSampling3D(_Spatial):
    """Makes volumes larger by repeating their elements.

    Arguments:
        size: how many times as deep, as high and as wide.
        data_format: where the channels are; `K.image_data_format()` if None.
    """

    _rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = normalize_tuple(size, 3, "size")

    def call(self, inputs: Any) -> Any:
        return K.resize_volumes(inputs, self.size[0], self.size[1], self.size[2], self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
