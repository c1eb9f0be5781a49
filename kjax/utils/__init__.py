"""Helpers around models: labels, progress bars, and objects by name."""

from __future__ import annotations

from kjax.utils import data_utils, generic_utils, layer_utils, np_utils
from kjax.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, SequenceEnqueuer, get_file
from kjax.utils.generic_utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    serialize_keras_object,
)
from kjax.utils.layer_utils import print_summary
from kjax.utils.np_utils import normalize, to_categorical
