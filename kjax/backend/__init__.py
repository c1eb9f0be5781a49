"""The functions that Keras scripts call as `K.*`: `from kjax import backend as K`.

They follow Keras 2.2 on TensorFlow in names, defaults, shapes and numbers. Called with arrays they compute;
called with symbolic tensors, or with variables outside of a program, they return symbolic tensors.
"""

# pyright: reportUnusedImport=false

from kjax._core.naming import get_uid
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
from kjax.backend.convolution import (
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    depthwise_conv2d,
    separable_conv1d,
    separable_conv2d,
)
from kjax.backend.creation import (
    arange,
    constant,
    eye,
    ones,
    ones_like,
    placeholder,
    variable,
    zeros,
    zeros_like,
)
from kjax.backend.ctc import ctc_batch_cost, ctc_decode, ctc_label_dense_to_sparse
from kjax.backend.images import (
    resize_images,
    resize_volumes,
    spatial_2d_padding,
    spatial_3d_padding,
    temporal_padding,
)
from kjax.backend.linalg import batch_dot, dot, gather, transpose
from kjax.backend.local import local_conv1d, local_conv2d
from kjax.backend.loops import foldl, foldr, map_fn
from kjax.backend.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
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
from kjax.backend.phase import (
    in_test_phase,
    in_train_phase,
    learning_phase,
    set_learning_phase,
    switch,
)
from kjax.backend.pooling import pool2d, pool3d
from kjax.backend.programs import Function, function, get_session, set_session
from kjax.backend.random import (
    random_binomial,
    random_normal,
    random_normal_variable,
    random_uniform,
    random_uniform_variable,
    truncated_normal,
)
from kjax.backend.rnn import rnn
from kjax.backend.shapes import (
    batch_flatten,
    cast,
    concatenate,
    expand_dims,
    flatten,
    identity,
    one_hot,
    permute_dimensions,
    repeat,
    repeat_elements,
    reshape,
    reverse,
    slice,
    squeeze,
    stack,
    tile,
)
from kjax.backend.sparse import is_sparse, to_dense
from kjax.backend.tensors import (
    count_params,
    dtype,
    get_variable_shape,
    int_shape,
    is_keras_tensor,
    is_placeholder,
    is_tensor,
    is_variable,
    ndim,
    shape,
)
from kjax.backend.variables import (
    batch_get_value,
    batch_set_value,
    clear_session,
    eval,
    get_value,
    gradients,
    manual_variable_initialization,
    moving_average_update,
    name_scope,
    print_tensor,
    reset_uids,
    set_value,
    stop_gradient,
    update,
    update_add,
    update_sub,
)
