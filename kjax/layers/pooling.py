"""Pooling: the largest or the mean value in windows, or of all there is."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax._core import operators
from kjax.engine._geometry import normalize_padding, normalize_tuple
from kjax.engine.base_layer import InputSpec, Layer
from kjax.layers._serialization import name_aliases


class _Pooling(Layer):
    """What pooling over windows shares. Arguments as for `MaxPooling2D`."""

    _rank = 1
    _mode = "max"

    def __init__(self, pool_size: Any, strides: Any, padding: str, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = normalize_tuple(pool_size, self._rank, "pool_size")
        self.strides = normalize_tuple(self.pool_size if strides is None else strides, self._rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _pooling_function(self, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> Any:
        pool = K.pool3d if self._rank == 3 else K.pool2d
        return pool(inputs, pool_size, strides, padding, data_format, pool_mode=self._mode)

    def call(self, inputs: Any) -> Any:
        return self._pooling_function(
            inputs=inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class _Pooling1D(_Pooling):
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format or "channels_last", **kwargs)

    def call(self, inputs: Any) -> Any:
        width = 3 if self.data_format == "channels_first" else 2
        output = self._pooling_function(
            inputs=K.expand_dims(inputs, width),
            pool_size=(*self.pool_size, 1),
            strides=(*self.strides, 1),
            padding=self.padding,
            data_format=self.data_format,
        )
        return K.squeeze(output, width)


class MaxPooling1D(_Pooling1D):
    """The largest value in windows of steps.

    Arguments:
        pool_size: length of the window.
        strides: steps from one window to the next; the window's length if None.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` for (batch, steps, channels), `'channels_first'` for (batch, channels, steps).
    """


class AveragePooling1D(_Pooling1D):
    """The mean in windows of steps. Arguments as for `MaxPooling1D`."""

    _mode = "avg"


class _Pooling2D(_Pooling):
    _rank = 2

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(_Pooling2D):
    """The largest value in windows of an image, for each channel.

    Arguments:
        pool_size: rows and columns of the window; one number for both.
        strides: from one window to the next; the window's size if None.
        padding: `'valid'`, or `'same'`, where windows reach beyond the edge and only what is inside counts.
        data_format: where the channels are; `K.image_data_format()` if None.

    Input shape:
        (batch, rows, columns, channels), or (batch, channels, rows, columns) with channels first.

    Raises:
        ValueError: for arguments of a wrong size or name.
    """


class AveragePooling2D(_Pooling2D):
    """The mean in windows of an image, for each channel. Arguments as for `MaxPooling2D`."""

    _mode = "avg"


class _Pooling3D(_Pooling):
    _rank = 3

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling3D(_Pooling3D):
    """The largest value in windows of a volume. Arguments as for `MaxPooling2D`, for three axes."""


class AveragePooling3D(_Pooling3D):
    """The mean in windows of a volume. Arguments as for `MaxPooling2D`, for three axes."""

    _mode = "avg"


class _GlobalPooling(Layer):
    """What pooling over everything shares.

    Arguments:
        data_format: where the channels are; `K.image_data_format()` if None, channels last for sequences.
        keepdims: whether the axes that are pooled stay, with length 1.
    """

    _rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format or ("channels_last" if self._rank == 1 else None))
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _axes(self) -> list[int]:
        first = 2 if self.data_format == "channels_first" else 1
        return list(range(first, first + self._rank))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "data_format": self.data_format}
        # Keras 2.2 has no such key, and refuses a file with a key that it does not know.
        return {**config, "keepdims": True} if self.keepdims else config


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest value of all steps: (batch, channels).

    Arguments:
        data_format: `'channels_last'` for (batch, steps, channels), `'channels_first'` for (batch, channels, steps).
        keepdims: whether the axis of steps stays, with length 1.
    """

    def __init__(self, data_format: str | None = "channels_last", keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of all steps, of those alone that are not masked: (batch, channels).

    Arguments:
        data_format: `'channels_last'` for (batch, steps, channels), `'channels_first'` for (batch, channels, steps).
        keepdims: whether the axis of steps stays, with length 1.
    """

    def __init__(self, data_format: str | None = "channels_last", keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)
        steps = self._axes[0]
        counts = K.expand_dims(K.cast(mask, inputs.dtype), 3 - steps)
        total = K.sum(operators.multiply(inputs, counts), axis=steps, keepdims=self.keepdims)
        return operators.divide(total, K.sum(counts, axis=steps, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value of each channel of an image: (batch, channels).

    Arguments:
        data_format: where the channels are; `K.image_data_format()` if None.
        keepdims: whether rows and columns stay, with length 1.
    """

    _rank = 2

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel of an image: (batch, channels). Arguments as for `GlobalMaxPooling2D`."""

    _rank = 2

    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest value of each channel of a volume: (batch, channels). Arguments as for `GlobalMaxPooling2D`."""

    _rank = 3

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel of a volume: (batch, channels). Arguments as for `GlobalMaxPooling2D`."""

    _rank = 3

    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)


AvgPool1D = AveragePooling1D
MaxPool1D = MaxPooling1D
AvgPool2D = AveragePooling2D
MaxPool2D = MaxPooling2D
AvgPool3D = AveragePooling3D
MaxPool3D = MaxPooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

name_aliases(dict(vars()))
