"""Recurrence over sequences of images: `ConvRNN2D`, and its older form `ConvRecurrent2D`."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax.engine._geometry import conv_output_length, normalize_padding, normalize_tuple
from kjax.layers._rnn import RNN
from kjax.layers._stacked import sizes
from kjax.layers.recurrent import Recurrent


class _OfImages(RNN):
    """Shapes of states and outputs that are images. `_geometry` tells sizes of the kernel and of the steps."""

    _rank = 5

    @property
    def _geometry(self) -> Any:
        return self.cell

    def _image(self, input_shape: Any, batch: Any, channels: Any) -> tuple[Any, ...]:
        by = self._geometry
        first = by.data_format == "channels_first"
        rows_and_columns = input_shape[3:5] if first else input_shape[2:4]
        lengths = [
            conv_output_length(length, by.kernel_size[i], by.padding, by.strides[i], by.dilation_rate[i])
            for i, length in enumerate(rows_and_columns)
        ]
        return (batch, channels, *lengths) if first else (batch, *lengths, channels)

    def _state_shapes(self, input_shape: Any, batch: Any) -> list[tuple[Any, ...]]:
        return [self._image(input_shape, batch, size) for size in sizes(self.cell)]

    def _output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return self._image(input_shape, input_shape[0], self._geometry.filters)


class ConvRNN2D(_OfImages):
    """A cell of convolutions carried through the time steps of sequences of images.

    Arguments:
        cell: as for `RNN`, with the attributes `filters`, `kernel_size`, `strides`, `padding`, `data_format` and
            `dilation_rate` that tell the shape of its states.
        return_sequences, return_state, go_backwards, stateful: as for `RNN`.
        unroll: must be false.

    Input shape:
        (batch, time, rows, columns, channels), or (batch, time, channels, rows, columns).

    Raises:
        TypeError: if `unroll` is true, or for a list of cells.
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if unroll:
            raise TypeError("Unrolling isn't possible with convolutional RNNs: `unroll` must be false.")
        if isinstance(cell, (list, tuple)):
            raise TypeError(f"It is not possible at the moment to stack convolutional cells. Received: {cell}")
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, False, **kwargs)


class ConvRecurrent2D(_OfImages, Recurrent):
    """Base class of convolutional recurrent layers of one's own that make the steps themselves: see `Recurrent`.

    Arguments:
        filters: number of channels of the output.
        kernel_size, strides, padding, data_format, dilation_rate: as for `Conv2D`.
        return_sequences, go_backwards, stateful: as for `RNN`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        Recurrent.__init__(
            self, return_sequences=return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs
        )
        take_geometry(self, filters, kernel_size, strides, padding, data_format, dilation_rate)
        self.units = self.filters

    @property
    def _geometry(self) -> Any:
        return self

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **geometry_config(self)}


def take_geometry(
    layer: Any, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any
) -> None:
    """Keep as attributes how a convolution moves over an image."""
    layer.filters = int(filters)
    layer.kernel_size = normalize_tuple(kernel_size, 2, "kernel_size")
    layer.strides = normalize_tuple(strides, 2, "strides")
    layer.padding = normalize_padding(padding)
    layer.data_format = K.normalize_data_format(data_format)
    layer.dilation_rate = normalize_tuple(dilation_rate, 2, "dilation_rate")


def geometry_config(layer: Any) -> dict[str, Any]:
    """The part of a config that `take_geometry` reads."""
    names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
    return {name: getattr(layer, name) for name in names}
