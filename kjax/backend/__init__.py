"""The functions that Keras scripts call as `K.*`: `from kjax import backend as K`.

They follow Keras 2.2 on TensorFlow in names, defaults, shapes and numbers. Called with arrays they compute; called
with symbolic tensors, or with variables outside of a program, they return symbolic tensors.
"""

from kjax.backend._state import (
    backend,
    cast_to_floatx,
    epsilon,
    floatx,
    image_data_format,
    image_dim_ordering,
    normalize_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_image_dim_ordering,
)
from kjax.backend.linalg import batch_dot, dot, gather, transpose
from kjax.backend.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from kjax.backend.math import (
    abs,
    all,
    any,
    argmax,
    argmin,
    clip,
    cos,
    cumprod,
    cumsum,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    pow,
    prod,
    round,
    sign,
    sin,
    sqrt,
    square,
    std,
    sum,
    var,
)
from kjax.backend.nn import (
    batch_normalization,
    bias_add,
    dropout,
    elu,
    hard_sigmoid,
    in_top_k,
    l2_normalize,
    normalize_batch_in_training,
    relu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    tanh,
)
from kjax.backend.random import (
    random_binomial,
    random_normal,
    random_normal_variable,
    random_uniform,
    random_uniform_variable,
    truncated_normal,
)
