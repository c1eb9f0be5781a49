"""Helpers around models: labels, progress bars, and objects by name."""

from __future__ import annotations

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
