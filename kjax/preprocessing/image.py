"""Images: files, arrays, random changes, and batches of them. The parts stand in files of their own."""

from __future__ import annotations

from kjax.preprocessing._affine import apply_affine_transform, apply_transform, transform_matrix_offset_center
from kjax.preprocessing._augment import (
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from kjax.preprocessing._dataframe import DataFrameIterator
from kjax.preprocessing._image_files import array_to_img, img_to_array, list_pictures, load_img, save_img
from kjax.preprocessing._image_folders import DirectoryIterator
from kjax.preprocessing._image_generator import ImageDataGenerator
from kjax.preprocessing._image_iterators import Iterator, NumpyArrayIterator
from kjax.preprocessing._series import smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
    "transform_matrix_offset_center",
]
