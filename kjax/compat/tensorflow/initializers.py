"""`tf.initializers`: those of `tf.get_variable`, under their short names too."""

from __future__ import annotations

from typing import Any

from kjax import initializers as keras
from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._init_values import (
    constant_initializer,
    glorot_normal_initializer,
    glorot_uniform_initializer,
    identity_initializer,
    ones_initializer,
    random_normal_initializer,
    random_uniform_initializer,
    truncated_normal_initializer,
    variance_scaling_initializer,
    zeros_initializer,
)
from kjax.compat.tensorflow._variables import (
    global_variables_initializer as global_variables,
)
from kjax.compat.tensorflow._variables import (
    local_variables_initializer as local_variables,
)
from kjax.compat.tensorflow._variables import (
    variables_initializer as variables,
)

constant, zeros, ones, identity = constant_initializer, zeros_initializer, ones_initializer, identity_initializer
glorot_normal, glorot_uniform = glorot_normal_initializer, glorot_uniform_initializer
random_normal, random_uniform = random_normal_initializer, random_uniform_initializer
truncated_normal, variance_scaling = truncated_normal_initializer, variance_scaling_initializer

__all__ = [
    "constant", "global_variables", "glorot_normal", "glorot_uniform", "identity", "local_variables", "ones",
    "random_normal", "random_uniform", "truncated_normal", "variables", "variance_scaling", "zeros",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if not name.startswith("_") and hasattr(keras, name):  # TensorFlow 2: those of tf.keras
        return getattr(keras, name)
    raise _missing.complaint("tensorflow.initializers", name, __all__)
