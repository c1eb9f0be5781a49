"""The public names of Keras 2.2: each is there, or is listed with the reason why it is not yet."""

from __future__ import annotations

import importlib

import pytest

TENSORFLOW = "wraps an optimizer of TensorFlow; one of optax is wrapped instead"

NAMES = {
    "activations": """softmax elu selu softplus softsign relu tanh sigmoid hard_sigmoid exponential linear serialize
        deserialize get""",
    "applications": """DenseNet121 DenseNet169 DenseNet201 InceptionResNetV2 InceptionV3 MobileNet MobileNetV2
        NASNetLarge NASNetMobile ResNet50 VGG16 VGG19 Xception densenet imagenet_utils inception_resnet_v2 inception_v3
        mobilenet mobilenet_v2 nasnet resnet50 vgg16 vgg19 xception""",
    "backend": """abs all any arange argmax argmin backend batch_dot batch_flatten batch_get_value batch_normalization
        batch_set_value bias_add binary_crossentropy cast cast_to_floatx categorical_crossentropy clear_session clip
        concatenate constant conv1d conv2d conv2d_transpose conv3d conv3d_transpose cos count_params
        ctc_batch_cost ctc_decode ctc_label_dense_to_sparse cumprod cumsum depthwise_conv2d dot dropout dtype elu
        epsilon equal eval exp expand_dims eye flatten floatx foldl foldr function gather get_session get_uid
        get_value get_variable_shape gradients greater greater_equal hard_sigmoid identity image_data_format
        in_test_phase in_top_k in_train_phase int_shape is_keras_tensor is_placeholder is_sparse is_tensor
        l2_normalize learning_phase less less_equal local_conv1d local_conv2d log logsumexp
        manual_variable_initialization map_fn max maximum mean min minimum moving_average_update name_scope ndim
        normalize_batch_in_training not_equal one_hot ones ones_like permute_dimensions placeholder pool2d pool3d pow
        print_tensor prod random_binomial random_normal random_normal_variable random_uniform random_uniform_variable
        relu repeat repeat_elements reset_uids reshape resize_images resize_volumes reverse rnn round
        separable_conv1d separable_conv2d set_epsilon set_floatx set_image_data_format set_learning_phase set_session
        set_value shape sigmoid sign sin slice softmax softplus softsign sparse_categorical_crossentropy
        spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std stop_gradient sum switch tanh
        temporal_padding tile to_dense transpose truncated_normal update update_add update_sub var variable zeros
        zeros_like""",
    "callbacks": """BaseLogger CSVLogger Callback CallbackList EarlyStopping History LambdaCallback
        LearningRateScheduler ModelCheckpoint ProgbarLogger ReduceLROnPlateau RemoteMonitor TensorBoard
        TerminateOnNaN""",
    "constraints": """Constraint MaxNorm NonNeg UnitNorm MinMaxNorm max_norm non_neg unit_norm min_max_norm maxnorm
        nonneg unitnorm serialize deserialize get""",
    "datasets": "boston_housing cifar10 cifar100 fashion_mnist imdb mnist reuters",
    "initializers": """Initializer Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling
        Orthogonal Identity zeros ones constant uniform normal random_uniform random_normal truncated_normal identity
        orthogonal zero one lecun_uniform lecun_normal glorot_normal glorot_uniform he_normal he_uniform serialize
        deserialize get""",
    "layers": """Activation ActivityRegularization Add AlphaDropout AtrousConvolution1D AtrousConvolution2D Average
        AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization
        Bidirectional Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D ConvLSTM2DCell
        ConvRecurrent2D Convolution1D Convolution2D Convolution3D Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM
        Deconvolution2D Deconvolution3D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GRUCell
        GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
        GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Highway Input InputLayer InputSpec LSTM LSTMCell
        Lambda Layer LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxPool1D MaxPool2D MaxPool3D
        MaxPooling1D MaxPooling2D MaxPooling3D Maximum MaxoutDense Minimum Multiply PReLU Permute RNN ReLU Recurrent
        RepeatVector Reshape SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN
        SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells Subtract
        ThresholdedReLU TimeDistributed UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D
        ZeroPadding3D add average concatenate dot maximum minimum multiply subtract deserialize serialize""",
    "losses": """mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error
        squared_hinge hinge categorical_hinge logcosh categorical_crossentropy sparse_categorical_crossentropy
        binary_crossentropy kullback_leibler_divergence poisson cosine_proximity mse mae mape msle kld cosine MSE MAE
        MAPE MSLE KLD serialize deserialize get""",
    "metrics": """binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy
        sparse_top_k_categorical_accuracy mean_squared_error mean_absolute_error mean_absolute_percentage_error
        mean_squared_logarithmic_error hinge logcosh squared_hinge categorical_crossentropy
        sparse_categorical_crossentropy binary_crossentropy kullback_leibler_divergence poisson cosine_proximity mse
        mae mape msle cosine MSE MAE MAPE MSLE serialize deserialize get""",
    "models": """Input InputLayer Model Sequential clone_model load_model model_from_config model_from_json
        model_from_yaml save_model""",
    "optimizers": """Optimizer SGD RMSprop Adagrad Adadelta Adam Adamax Nadam TFOptimizer sgd rmsprop adagrad adadelta
        adam adamax nadam serialize deserialize get""",
    "regularizers": "Regularizer L1L2 l1 l2 l1_l2 serialize deserialize get",
    "utils": """CustomObjectScope GeneratorEnqueuer HDF5Matrix OrderedEnqueuer Progbar Sequence SequenceEnqueuer
        convert_all_kernels_in_model custom_object_scope deserialize_keras_object get_custom_objects get_file
        get_source_inputs multi_gpu_model normalize plot_model print_summary serialize_keras_object to_categorical""",
}

# {reason: {module: names}}; a name that starts to exist must leave.
MISSING: dict[str, dict[str, str]] = {
    TENSORFLOW: {"optimizers": "TFOptimizer"},
}


def reasons(module: str) -> dict[str, str]:
    """Reason by missing name of a module."""
    return {name: why for why, modules in MISSING.items() for name in modules.get(module, "").split()}


def exists(module: str, name: str) -> bool:
    """Whether `kjax.<module>` has a name, a submodule included."""
    return getattr(importlib.import_module(f"kjax.{module}"), name, None) is not None


CASES = [(module, name) for module, names in NAMES.items() for name in names.split()]


@pytest.mark.parametrize("module", sorted(NAMES))
def test_every_name_is_there_or_has_a_reason(module: str) -> None:
    missing = {name for where, name in CASES if where == module and not exists(module, name)}
    listed = set(reasons(module))
    assert not missing - listed, f"not in kjax, and no reason is given: {sorted(missing - listed)}"
    assert not listed - missing, f"in kjax by now, to be taken out of MISSING: {sorted(listed - missing)}"


def test_the_lists_hold_each_name_once() -> None:
    assert len(CASES) == len(set(CASES))
    for module in NAMES:
        assert set(reasons(module)) <= set(NAMES[module].split())
    listed = [
        (module, name) for modules in MISSING.values() for module, names in modules.items() for name in names.split()
    ]
    assert len(listed) == len(set(listed))


def test_every_exported_name_exists() -> None:
    for module in NAMES:
        loaded = importlib.import_module(f"kjax.{module}")
        for name in getattr(loaded, "__all__", ()):
            assert exists(module, name), f"kjax.{module}.__all__ names {name}"
