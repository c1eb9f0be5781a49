"""Preprocessing as Keras 1, 2.0 and 2.2 spelled it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kjax.legacy._convert import Args, Kwargs, Order, Table

_ORDERINGS = {"th": "channels_first", "tf": "channels_last", "default": None}
_DIM_ORDERING: dict[str, Any] = {"names": {"dim_ordering": "data_format"}, "values": {"data_format": _ORDERINGS}}
_AXES = Table(names={"row_index": "row_axis", "col_index": "col_axis", "channel_index": "channel_axis"})


def _gray(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """`grayscale`, by name or as the second argument, becomes a color mode."""
    if len(args) > 1:
        kwargs = {"grayscale": args[1], **kwargs}
    if "grayscale" not in kwargs or len(args) > 2:
        return None
    gray = {"color_mode": "grayscale"} if kwargs["grayscale"] else {}
    return args[:1], {**{key: value for key, value in kwargs.items() if key != "grayscale"}, **gray}


def _ordering(place: int) -> Callable[[Args, Kwargs], tuple[Args, Kwargs] | None]:
    """A rewriting of `'th'` and `'tf'` as the positional argument number `place`."""

    def rewrite(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
        if len(args) <= place or args[place] not in ("th", "tf", "default"):
            return None
        return (*args[:place], _ORDERINGS[args[place]], *args[place + 1 :]), kwargs

    return rewrite


# Keras 2.0 had no `color_mode`, and Keras 1 no `interpolation`.
_LOAD_ORDER = Order(
    ("path", "grayscale", "target_size", "interpolation"),
    lambda args: args[2] is None or isinstance(args[2], (tuple, list)),
    least=3,
)

# Keras 2.2 had `has_ext` where 2.3 has `weight_col`.
_DATAFRAME_ORDER = Order(
    (
        "dataframe", "directory", "x_col", "y_col", "has_ext", "target_size", "color_mode", "classes", "class_mode",
        "batch_size", "shuffle", "seed", "save_to_dir", "save_prefix", "save_format", "subset", "interpolation",
    ),
    lambda args: isinstance(args[4], bool),
    least=5,
    warn=False,
)  # fmt: skip

TABLES = {
    "ImageDataGenerator": Table(**_DIM_ORDERING),
    "ImageDataGenerator.flow": Table(names={"X": "x"}),
    "ImageDataGenerator.fit": Table(names={"X": "x"}),
    "ImageDataGenerator.flow_from_dataframe": Table(
        removed={
            "sort": "`sort` is deprecated: batches follow the order of the table if `shuffle` is False.",
            "drop_duplicates": "`drop_duplicates` is deprecated: use the DataFrame's own method.",
        },
        orders=(_DATAFRAME_ORDER,),
    ),
    "Iterator": Table(names={"N": "n"}),
    "NumpyArrayIterator": Table(
        names={"X": "x", **_DIM_ORDERING["names"]},
        values=_DIM_ORDERING["values"],
    ),
    "DirectoryIterator": Table(**_DIM_ORDERING),
    "img_to_array": Table(**_DIM_ORDERING, rewrite=_ordering(1)),
    "array_to_img": Table(**_DIM_ORDERING, rewrite=_ordering(1)),
    "load_img": Table(orders=(_LOAD_ORDER,), rewrite=_gray),
    "random_rotation": _AXES,
    "random_shift": _AXES,
    "random_shear": _AXES,
    "random_zoom": _AXES,
    "random_channel_shift": Table(names={"intensity": "intensity_range", "channel_index": "channel_axis"}),
    "apply_transform": Table(names={"channel_index": "channel_axis"}),
    "Tokenizer": Table(
        names={"nb_words": "num_words"},
        renamed="The `{old}` argument in `Tokenizer` has been renamed `{new}`.",
    ),
}

# Old attributes of iterators, and today's.
ATTRIBUTES = {"N": "n", "nb_sample": "samples", "nb_class": "num_classes", "num_class": "num_classes"}


def base_filter() -> str:
    """The characters that separate words by default, but the apostrophe, as Keras 1 had them."""
    return '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def random_barrel_transform(x: Any, intensity: Any) -> Any:
    """Was planned, and raised this error.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("`random_barrel_transform` was never written; there is `random_shear`.")


def install_attributes() -> None:
    """Let iterators answer to the attributes of Keras 1 and 2.0, and `text` to `base_filter`."""
    from kjax.preprocessing import image, text

    for old, new in ATTRIBUTES.items():
        setattr(image.Iterator, old, property(lambda self, name=new: getattr(self, name)))
    text.base_filter = base_filter  # type: ignore[attr-defined]
    image.random_barrel_transform = random_barrel_transform  # type: ignore[attr-defined]
