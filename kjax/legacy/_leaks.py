"""Names that stand in Keras's modules because these imported them, and that scripts import from there."""

from __future__ import annotations

# Where a name comes from, unless a row below says otherwise.
_FROM = {
    "abc": "abstractmethod",
    "collections": "defaultdict deque namedtuple OrderedDict",
    "collections.abc": "Iterable",
    "functools": "wraps",
    "kjax._core.graph": "Node",
    "kjax.datasets.cifar": "load_batch",
    "kjax.engine": "get_source_inputs InputSpec Layer Network",
    "kjax.engine.input_layer": "InputLayer",
    "kjax.engine.training": "Model",
    "kjax.engine.training_utils": """check_array_length_consistency check_loss_and_target_compatibility
        collect_metrics is_sequence iter_sequence_infinite standardize_class_weights standardize_input_data
        standardize_sample_weights standardize_weights weighted_masked_objective""",
    "kjax.layers": "AtrousConvolution1D AtrousConvolution2D ConvRecurrent2D Highway MaxoutDense Recurrent",
    "kjax.layers.core": "Lambda",
    "kjax.layers.merge": "concatenate",
    "kjax.layers.recurrent": "RNN time_distributed_dense",
    "kjax.layers.wrappers": "Wrapper",
    "kjax.legacy.applications": "keras_modules_injection",
    "kjax.legacy.h5dict": "H5Dict",
    "kjax.legacy.merging": "Merge merge",
    "kjax.legacy.saving": """load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name
        preprocess_weights_for_loading save_weights_to_hdf5_group""",
    "kjax.models": "clone_model model_from_json",
    "kjax.regularizers": "ActivityRegularizer",
    "kjax.utils.data_utils": "GeneratorEnqueuer get_file OrderedEnqueuer",
    "kjax.utils.generic_utils": """deserialize_keras_object func_dump func_load get_custom_objects get_from_module
        has_arg is_all_none object_list_uid Progbar serialize_keras_object slice_arrays to_list transpose_shape
        unpack_singleton""",
    "kjax.utils.io_utils": "ask_to_proceed_with_overwrite",
    "kjax.utils.layer_utils": "count_params",
    "kjax.utils.np_utils": "conv_input_length conv_output_length",
    "multiprocessing.pool": "ThreadPool",
    "numpy.testing": "assert_allclose",
    "scipy.sparse": "issparse",
    "urllib.error": "HTTPError URLError",
    "urllib.request": "urlopen urlretrieve",
}
_MODULES = """
collections copy csv functools gzip h5py importlib inspect io json kjax.activations kjax.backend
kjax.constraints kjax.engine.network kjax.engine.saving kjax.engine.topology kjax.engine.training_arrays
kjax.engine.training_generator kjax.engine.training_utils kjax.initializations kjax.initializers kjax.layers
kjax.layers.recurrent kjax.legacy.interfaces kjax.losses kjax.metrics kjax.models kjax.objectives
kjax.optimizers kjax.regularizers kjax.utils kjax.utils.conv_utils kjax.utils.generic_utils
kjax.utils.losses_utils multiprocessing os queue random re requests scipy.linalg shutil sys tarfile threading
time types warnings yaml zipfile
"""
_OTHERS = """
_batch_shuffle=kjax.engine.training_utils:batch_shuffle
_check_array_length_consistency=kjax.engine.training_utils:check_array_length_consistency
_check_loss_and_target_compatibility=kjax.engine.training_utils:check_loss_and_target_compatibility
_check_num_samples=kjax.engine.training_utils:check_num_samples
_collect_metrics=kjax.engine.training_utils:collect_metrics
_make_batches=kjax.engine.training_utils:make_batches _slice_arrays=kjax.utils.generic_utils:slice_arrays
_standardize_class_weights=kjax.engine.training_utils:standardize_class_weights
_standardize_input_data=kjax.engine.training_utils:standardize_input_data
_standardize_sample_weights=kjax.engine.training_utils:standardize_sample_weights
_standardize_weights=kjax.engine.training_utils:standardize_weights
_to_snake_case=kjax._core.naming:to_snake_case
_weighted_masked_objective=kjax.engine.training_utils:weighted_masked_objective cbks=kjax.callbacks
Container=kjax.engine:Network h5dict=kjax.legacy.h5dict:H5Dict K=kjax.backend layer_module=kjax.layers
metrics_module=kjax.metrics ndi=scipy.ndimage np=numpy print_layer_summary=kjax.utils.layer_utils:print_summary
python_types=types slice_X=kjax.utils.generic_utils:slice_arrays tf=kjax.compat.tensorflow
"""

# Module, and what it has of these; `name=source` where it means something else.
LEAKED = {
    "kjax.activations": "deserialize_keras_object get_from_module K Layer serialize_keras_object warnings",
    "kjax.applications": "backend keras_modules_injection layers models utils",
    "kjax.backend": "copy defaultdict has_arg importlib json np os sys tf transpose_shape warnings",
    "kjax.callbacks": """csv deque io Iterable json K np OrderedDict os Progbar requests standardize_input_data
        sys tf time warnings""",
    "kjax.constraints": "deserialize_keras_object get_from_module K serialize_keras_object",
    "kjax.datasets.boston_housing": "get_file",
    "kjax.datasets.cifar": "sys",
    "kjax.datasets.cifar10": "get_file K load_batch np os",
    "kjax.datasets.cifar100": "get_file K load_batch np os",
    "kjax.datasets.data_utils": "HTTPError Progbar shutil sys tarfile URLError urlopen warnings",
    "kjax.datasets.fashion_mnist": "get_file gzip np os",
    "kjax.datasets.imdb": "get_file gzip json sys warnings",
    "kjax.datasets.mnist": "get_file gzip np sys",
    "kjax.datasets.reuters": "get_file json sys warnings",
    "kjax.engine": "Container Merge merge",
    "kjax.engine.base_layer": """_to_snake_case copy count_params has_arg initializers interfaces is_all_none K
        Node object_list_uid re threading unpack_singleton""",
    "kjax.engine.input_layer": "interfaces K unpack_singleton",
    "kjax.engine.network": """ask_to_proceed_with_overwrite copy get_source_inputs h5py has_arg InputLayer
        interfaces json K np object_list_uid os print_layer_summary saving to_list unpack_singleton warnings yaml""",
    "kjax.engine.saving": """ask_to_proceed_with_overwrite conv_utils H5Dict h5dict h5py inspect json K losses
        optimizers os warnings wraps yaml""",
    "kjax.engine.sequential": "h5py K layer_module network warnings",
    "kjax.engine.topology": """ask_to_proceed_with_overwrite Container copy func_dump func_load initializations
        inspect json K KerasTensor=kjax._core.tensors:Tensor load_weights_from_hdf5_group
        load_weights_from_hdf5_group_by_name Merge merge Node np os
        preprocess_weights_for_loading python_types save_weights_to_hdf5_group sys warnings
        object_list_uid to_list""",
    "kjax.engine.training": """_batch_shuffle _check_array_length_consistency _check_loss_and_target_compatibility
        _check_num_samples _collect_metrics _make_batches _slice_arrays _standardize_class_weights
        _standardize_input_data _standardize_sample_weights _standardize_weights _weighted_masked_objective cbks
        check_array_length_consistency check_loss_and_target_compatibility collect_metrics collections
        Container=kjax.engine.topology:Container copy Functional=kjax.engine.training:Model interfaces K
        Layer=kjax.engine.base_layer:Layer losses losses_utils
        metrics metrics_module multiprocessing np objectives optimizers Progbar queue slice_arrays
        slice_X standardize_class_weights standardize_input_data standardize_sample_weights standardize_weights
        threading time to_list training_arrays training_generator training_utils unpack_singleton warnings
        weighted_masked_objective
        batch_shuffle=kjax.engine.training_utils:batch_shuffle GeneratorEnqueuer
        make_batches=kjax.engine.training_utils:make_batches
        standardize_sample_or_class_weights=kjax.engine.training_utils:standardize_sample_or_class_weights
        check_array_lengths=kjax.engine.training_utils:check_array_length_consistency
        weighted_objective=kjax.engine.training_utils:weighted_masked_objective""",
    "kjax.engine.training_generator": """cbks GeneratorEnqueuer is_sequence iter_sequence_infinite K np
        OrderedEnqueuer Progbar to_list unpack_singleton warnings""",
    "kjax.engine.training_utils": """cbks collections copy generic_utils inspect issparse losses losses_utils
        metrics_module OrderedDict Progbar slice_arrays to_list unpack_singleton warnings""",
    "kjax.initializations": "get_from_module np",
    "kjax.initializers": "deserialize_keras_object K np serialize_keras_object",
    "kjax.layers": """activations ActivityRegularizer constraints conv_input_length conv_output_length conv_utils
        copy deserialize_keras_object func_dump func_load functools get_from_module has_arg initializations
        initializers inspect interfaces K namedtuple np object_list_uid python_types regularizers sys
        time_distributed_dense to_list transpose_shape warnings""",
    "kjax.layers.advanced_activations": """activations constraints copy initializations initializers InputSpec
        interfaces K Layer np python_types regularizers warnings""",
    "kjax.layers.convolutional": """activations constraints conv_input_length conv_output_length conv_utils copy
        functools initializations initializers InputSpec interfaces K Layer np python_types regularizers
        transpose_shape warnings""",
    "kjax.layers.convolutional_recurrent": """activations constraints conv_output_length conv_utils copy has_arg
        initializations initializers InputSpec interfaces K Layer np python_types Recurrent regularizers RNN to_list
        transpose_shape warnings""",
    "kjax.layers.core": """activations ActivityRegularizer constraints conv_utils copy deserialize_keras_object
        func_dump func_load get_from_module has_arg initializations initializers InputSpec interfaces K Layer np
        python_types regularizers sys warnings""",
    "kjax.layers.cudnn_recurrent": """activations constraints copy initializers InputSpec K Layer namedtuple np
        python_types regularizers warnings""",
    "kjax.layers.embeddings": """activations constraints copy initializations initializers InputSpec interfaces K
        Layer np python_types regularizers to_list warnings""",
    "kjax.layers.local": """activations constraints conv_utils copy initializations initializers InputSpec
        interfaces K Layer np python_types regularizers transpose_shape warnings""",
    "kjax.layers.merge": "InputSpec K Layer np",
    "kjax.layers.noise": "InputSpec interfaces K Layer np",
    "kjax.layers.normalization": """activations constraints copy initializations initializers InputSpec interfaces
        K Layer np python_types regularizers warnings""",
    "kjax.layers.pooling": "conv_output_length conv_utils InputSpec interfaces K Layer np transpose_shape",
    "kjax.layers.recurrent": """activations constraints copy has_arg initializations initializers InputSpec
        interfaces K Layer np python_types regularizers to_list warnings""",
    "kjax.layers.wrappers": "copy has_arg InputSpec K Layer np object_list_uid recurrent",
    "kjax.legacy.interfaces": "np warnings",
    "kjax.legacy.layers": """activations AtrousConvolution1D AtrousConvolution2D constraints conv_utils
        ConvRecurrent2D Highway initializers InputSpec=kjax.engine.base_layer:InputSpec K
        Layer=kjax.engine.base_layer:Layer MaxoutDense Merge merge np Recurrent regularizers to_list warnings""",
    "kjax.legacy.models": """copy InputLayer=kjax.engine.topology:InputLayer K Layer=kjax.engine.topology:Layer
        Merge=kjax.engine.topology:Merge Model OrderedDict warnings""",
    "kjax.losses": "deserialize_keras_object K losses_utils serialize_keras_object",
    "kjax.metrics": """deserialize_keras_object get_from_module K Layer=kjax.engine.base_layer:Layer losses_utils
        np serialize_keras_object tf types""",
    "kjax.models": """ask_to_proceed_with_overwrite copy get_source_inputs=kjax.engine.topology:get_source_inputs
        h5py has_arg json K Layer layers Merge=kjax.engine.topology:Merge Network Node=kjax.engine.topology:Node np
        optimizers os slice_X to_list topology warnings""",
    "kjax.optimizers": """copy deserialize_keras_object get_custom_objects get_from_module interfaces K np
        serialize_keras_object tf""",
    "kjax.preprocessing": "backend utils",
    "kjax.preprocessing.image": "backend generic_utils inspect K linalg ndi np os re threading utils warnings",
    "kjax.preprocessing.sequence": "utils",
    "kjax.preprocessing.text": "sys",
    "kjax.regularizers": "deserialize_keras_object get_from_module K serialize_keras_object warnings",
    "kjax.utils": "H5Dict h5dict",
    "kjax.utils.conv_utils": "K np",
    "kjax.utils.data_utils": """abstractmethod functools HTTPError np Progbar queue random shutil sys tarfile
        threading ThreadPool time URLError urlopen urlretrieve warnings zipfile""",
    "kjax.utils.generic_utils": "collections np os python_types re sys time",
    "kjax.utils.io_utils": "defaultdict H5Dict h5dict h5py sys",
    "kjax.utils.layer_utils": "K np",
    "kjax.utils.losses_utils": "np",
    "kjax.utils.multi_gpu_utils": "clone_model concatenate K Lambda to_list",
    "kjax.utils.np_utils": "K np",
    "kjax.utils.test_utils": "assert_allclose has_arg inspect model_from_json os",
    "kjax.utils.vis_utils": "pydot=pydot Wrapper",
    "kjax.wrappers.scikit_learn": "inspect losses types",
}


def _sources() -> dict[str, str]:
    found = {name: f"{module}:{name}" for module, names in _FROM.items() for name in names.split()}
    found.update({module.rpartition(".")[2]: module for module in _MODULES.split()})
    pairs = (pair.partition("=") for pair in _OTHERS.split())
    found.update({name: source for name, _, source in pairs})
    return found


SOURCES = _sources()


def leaks(module: str) -> dict[str, str]:
    """Name to source, `'module'` or `'module:name'`, of what a module has."""
    pairs = (entry.partition("=") for entry in LEAKED.get(module, "").split())
    return {name: source or SOURCES[name] for name, _, source in pairs}
