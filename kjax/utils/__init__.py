"""Helpers around models: labels, progress bars, and objects by name."""

from __future__ import annotations

from typing import Any

from kjax.utils import (
    conv_utils,
    data_utils,
    generic_utils,
    io_utils,
    layer_utils,
    losses_utils,
    multi_gpu_utils,
    np_utils,
    training_utils,
    vis_utils,
)
from kjax.utils._later import (
    get_registered_name,
    get_registered_object,
    pack_x_y_sample_weight,
    register_keras_serializable,
    set_random_seed,
    to_ordinal,
    unpack_x_y_sample_weight,
)
from kjax.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, SequenceEnqueuer, get_file
from kjax.utils.generic_utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    serialize_keras_object,
)
from kjax.utils.io_utils import HDF5Matrix
from kjax.utils.layer_utils import convert_all_kernels_in_model, get_source_inputs, print_summary
from kjax.utils.multi_gpu_utils import multi_gpu_model
from kjax.utils.np_utils import normalize, to_categorical
from kjax.utils.vis_utils import model_to_dot, plot_model

# Names that tf.keras has here too.
_OF_IMAGES = frozenset(("array_to_img", "img_to_array", "load_img", "save_img"))
_OF_FOLDERS = frozenset(
    ("image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array")
)


def __getattr__(name: str) -> Any:
    if name in _OF_IMAGES or name in _OF_FOLDERS or name == "pad_sequences":
        from kjax import preprocessing

        place: Any = preprocessing if name in _OF_FOLDERS else preprocessing.sequence
        return getattr(preprocessing.image if name in _OF_IMAGES else place, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
