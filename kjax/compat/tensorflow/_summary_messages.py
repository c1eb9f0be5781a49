"""`tf.Summary`: summaries that a program makes by hand, and writes with `FileWriter.add_summary`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kjax._core import events


class HistogramProto:
    """A distribution, as the program has counted it: how many numbers lie below each limit and above the one before."""

    def __init__(
        self,
        min: float = 0.0,
        max: float = 0.0,
        num: float = 0.0,
        sum: float = 0.0,
        sum_squares: float = 0.0,
        bucket_limit: Sequence[float] = (),
        bucket: Sequence[float] = (),
    ) -> None:
        self.min, self.max, self.num, self.sum, self.sum_squares = min, max, num, sum, sum_squares
        self.bucket_limit, self.bucket = list(bucket_limit), list(bucket)

    def _encoded(self) -> bytes:
        fields = [self.min, self.max, self.num, self.sum, self.sum_squares]
        rows = [np.asarray(row, "<f8").tobytes() for row in (self.bucket_limit, self.bucket)]
        return b"".join(events.double(i, float(v)) for i, v in enumerate(fields, 1)) + b"".join(
            events.block(i, row) for i, row in enumerate(rows, 6)
        )


class _Image:
    """`tf.Summary.Image`: a picture, already a file of PNG, JPEG or GIF."""

    def __init__(self, height: int = 0, width: int = 0, colorspace: int = 3, encoded_image_string: bytes = b"") -> None:
        self.height, self.width, self.colorspace = height, width, colorspace
        self.encoded_image_string = encoded_image_string

    def _encoded(self) -> bytes:
        sizes = enumerate((self.height, self.width, self.colorspace), 1)
        return b"".join(events.integer(i, int(n)) for i, n in sizes) + events.block(4, self.encoded_image_string)


class _Value:
    """`tf.Summary.Value`: a tag, and a number, a picture or a distribution."""

    def __init__(
        self, tag: str = "", simple_value: Any = None, image: _Image | None = None, histo: HistogramProto | None = None,
        node_name: str = "",
    ) -> None:  # fmt: skip
        self.tag, self.simple_value, self.image, self.histo, self.node_name = tag, simple_value, image, histo, node_name

    def _encoded(self) -> bytes:
        if self.image is not None:
            return events.block(1, self.tag) + events.block(4, self.image._encoded())
        if self.histo is not None:
            return events.block(1, self.tag) + events.block(5, self.histo._encoded())
        return events.scalar_value(self.tag, 0.0 if self.simple_value is None else self.simple_value)


class _Values(list[_Value]):
    def add(self, **fields: Any) -> _Value:
        """A new value, whose fields may be set later."""
        self.append(_Value(**fields))
        return self[-1]


class Summary:
    """Values for TensorBoard: `tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)])`."""

    Value = _Value
    Image = _Image

    def __init__(self, value: Iterable[_Value] = ()) -> None:
        self.value = _Values(value)
        self._parsed = b""

    def ParseFromString(self, serialized: bytes) -> None:
        """Begin with what a session gave for a summary."""
        self._parsed, self.value = bytes(serialized), _Values()

    def SerializeToString(self) -> bytes:
        """The summary, encoded."""
        return self._parsed + events.summary(value._encoded() for value in self.value)


__all__ = ["HistogramProto", "Summary"]
