"""Settings of the backend: names of formats, and what is kept between calls."""

from __future__ import annotations

from kjax._core import config
from kjax._core.config import (
    DataFormat,
    cast_to_floatx,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

_ORDERINGS: dict[str, DataFormat] = {"tf": "channels_last", "th": "channels_first"}


def backend() -> str:
    """`'tensorflow'`: scripts that ask take the path of the backend whose conventions kjax follows."""
    return "tensorflow"


def normalize_data_format(value: str | None) -> DataFormat:
    """A data format in lower case; `K.image_data_format()` for None.

    Raises:
        ValueError: for any other name than `'channels_last'` and `'channels_first'`.
    """
    known: dict[str, DataFormat] = {f: f for f in _ORDERINGS.values()}
    data_format = config.image_data_format() if value is None else str(value).lower()
    if data_format not in known:
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return known[data_format]


def image_dim_ordering() -> str:
    """The data format as Keras 1 called it: `'tf'` for channels last, `'th'` for channels first."""
    return "tf" if config.image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the data format by its name in Keras 1.

    Raises:
        ValueError: for any other name than `'tf'` and `'th'`.
    """
    if dim_ordering not in _ORDERINGS:
        raise ValueError(f"Unknown dim_ordering: {dim_ordering}. It must be 'tf' or 'th'.")
    config.set_image_data_format(_ORDERINGS[dim_ordering])


__all__ = [
    "backend",
    "cast_to_floatx",
    "epsilon",
    "floatx",
    "image_data_format",
    "image_dim_ordering",
    "normalize_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
]
