"""Images, texts and sequences, made ready for a model."""

from __future__ import annotations

from kjax._core import arguments
from kjax.preprocessing import image, sequence, text
from kjax.preprocessing._folders import image_dataset_from_directory, text_dataset_from_directory
from kjax.preprocessing._series import timeseries_dataset_from_array

arguments.loaded(__name__)
