"""Private names of Keras 2's modules that layers and tools of others import, used as they use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kjax
from kjax.engine import base_layer as _base_layer
from kjax.legacy import metrics_utils
from kjax.legacy import saving as _saving
from kjax.metrics import Metric

# Names of which today's types know nothing.
K: Any = kjax.backend
layers: Any = kjax.layers
models: Any = kjax.models
losses: Any = kjax.losses
utils: Any = kjax.utils
base_layer: Any = _base_layer
saving: Any = _saving


def test_a_convolution_written_on_the_backend() -> None:
    """As third-party convolutions call TensorFlow: channels last for it, and back."""
    x = np.random.RandomState(0).rand(2, 3, 4, 5).astype("float32")
    last, form = K._preprocess_conv2d_input(K.constant(x), "channels_first")
    assert form == "NHWC"
    np.testing.assert_array_equal(K.eval(last), x.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(K.eval(K._postprocess_conv2d_output(last, "channels_first")), x)
    assert K._preprocess_conv2d_input(x, "channels_last")[0] is x
    assert K._preprocess_padding("same") == "SAME"
    with pytest.raises(ValueError, match="causal"):
        K._preprocess_padding("causal")


@pytest.mark.parametrize("kind", ["regular", "broadcast", "fused"])
def test_batches_normalized(kind: str) -> None:
    x = np.random.RandomState(1).rand(4, 3, 3, 2).astype("float32")
    normalize = getattr(K, f"_{kind}_normalize_batch_in_training")
    normed, mean, var = normalize(
        K.constant(x), K.constant([2.0, 1.0]), K.constant([0.0, 1.0]), [0, 1, 2], epsilon=0.01
    )
    wanted = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 0.01) * [2, 1] + [0, 1]
    np.testing.assert_allclose(K.eval(normed), wanted, 1e-4, 1e-4)
    np.testing.assert_allclose(K.eval(mean), x.mean((0, 1, 2)), 1e-5)
    np.testing.assert_allclose(K.eval(var), x.var((0, 1, 2)), 1e-4)


def test_shapes_and_masks_of_calls() -> None:
    x = layers.Input((3, 2))
    masked = layers.Masking()(x)
    dense = layers.Dense(4)
    y = dense(masked)
    assert base_layer._collect_input_shape([x, y]) == [(None, 3, 2), (None, 3, 4)]
    assert base_layer._collect_previous_mask(x) is None
    assert base_layer._collect_previous_mask(y) is not None
    assert dense._get_node_attribute_at_index(0, "output_shapes", "output shape") == (None, 3, 4)
    assert dense._get_node_attribute_at_index(0, "input_tensors", "input") is masked
    assert dense._node_key(dense, 0) == f"{dense.name}_ib-0"
    assert layers.TimeDistributed(dense)._get_shape_tuple((-1,), x, 1) == (-1, 3, 2)


def test_shapes_worked_out() -> None:
    assert layers.Add()._compute_elemwise_op_output_shape((None, 3, 1), (1, 5)) == (None, 3, 5)
    assert layers.Add()._compute_elemwise_op_output_shape((2, 3), None) is None
    fix = layers.Reshape((2,))._fix_unknown_dimension
    assert fix((2, 6), (3, -1)) == (3, 4)
    for wrong in ((5, -1), (-1, -1), (11,), (0, -1)):
        with pytest.raises(ValueError, match="cannot be reshaped"):
            fix((2, 6), wrong)


def test_merges_by_their_function() -> None:
    a, b = np.ones((1, 2), "float32"), np.full((1, 3), 2, "float32")
    np.testing.assert_array_equal(layers.Concatenate()._merge_function([a, b]), [[1, 1, 2, 2, 2]])
    np.testing.assert_array_equal(layers.Dot(1)._merge_function([a, 3 * a]), [[6]])


def test_models_cloned_by_either_name() -> None:
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    for clone in (models._clone_functional_model, models._clone_sequential_model):
        assert [w.shape for w in clone(model).weights] == [(3, 2), (2,)]


def test_objects_and_sequences_shared() -> None:
    assert utils.generic_utils._GLOBAL_CUSTOM_OBJECTS is utils.get_custom_objects()
    utils.data_utils.init_pool({7: [10, 20]})
    assert utils.data_utils.get_index(7, 1) == 20
    utils.data_utils.init_pool_generator({7: iter([1, 2])}, random_seed=3)
    assert [utils.data_utils.next_sample(7) for _ in range(2)] == [1, 2]
    assert utils.vis_utils.is_wrapped_model(layers.TimeDistributed(models.Sequential([layers.Dense(1)])))
    assert not utils.vis_utils.is_model(layers.Dense(1))


def test_models_in_open_files(tmp_path: Path) -> None:
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    with utils.H5Dict(tmp_path / "m.h5", "w") as file:
        saving._serialize_model(model, file)
    with utils.H5Dict(tmp_path / "m.h5", "r") as file:
        again = saving._deserialize_model(file, compile=False)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_of_cudnn() -> None:
    """To the other kind and back; outputs are the same."""
    x = np.random.RandomState(2).rand(2, 4, 3).astype("float32")
    fast, plain = layers.CuDNNLSTM(2), layers.LSTM(2, recurrent_activation="sigmoid")
    for layer in (fast, plain):
        layer.build(x.shape)
    plain.set_weights(saving._convert_rnn_weights(plain, fast.get_weights()))
    np.testing.assert_allclose(K.eval(plain(K.constant(x))), K.eval(fast(K.constant(x))), 1e-5, 1e-6)


def test_losses_told_apart() -> None:
    for loss in ("categorical_crossentropy", losses.categorical_crossentropy, losses.CategoricalCrossentropy()):
        assert losses.is_categorical_crossentropy(loss)
    assert not any(map(losses.is_categorical_crossentropy, ("mse", losses.mse, None)))


class Decisions(Metric):
    """True positives, and a hundred for each false one, as Keras 2.3's metrics counted them."""

    def __init__(self, name: str = "decisions", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.true = self.add_weight("true", shape=(1,), initializer="zeros")
        self.false = self.add_weight("false", shape=(1,), initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        matrix = metrics_utils.ConfusionMatrix
        counted = {matrix.TRUE_POSITIVES: self.true, matrix.FALSE_POSITIVES: self.false}
        return metrics_utils.update_confusion_matrix_variables(counted, y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> Any:
        return K.sum(self.true) + 100 * K.sum(self.false)


def test_a_metric_of_decisions() -> None:
    random = np.random.RandomState(0)
    x, y = random.rand(20, 3).astype("float32"), random.randint(0, 2, (20, 1))
    model = models.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(3,))])
    model.compile("sgd", "mse", metrics=[Decisions()])
    chosen = model.predict(x) > 0.5
    wanted = np.sum(chosen & (y == 1)) + 100 * np.sum(chosen & (y == 0))
    assert model.evaluate(x, y, verbose=0)[1] == wanted
    with pytest.raises(ValueError, match="tp"):
        metrics_utils.update_confusion_matrix_variables({"tp": None}, y, y)  # type: ignore[dict-item]


def test_helpers_of_metrics() -> None:
    np.testing.assert_allclose(
        K.eval(metrics_utils.filter_top_k(K.constant([[0.1, 0.5, 0.3]]), 2)), [[-1e10, 0.5, 0.3]]
    )
    assert metrics_utils.parse_init_thresholds(None) == [0.5]
    assert metrics_utils.AUCCurve.from_str("pr") is metrics_utils.AUCCurve.PR
    assert metrics_utils.AUCSummationMethod.from_str("Majoring") is metrics_utils.AUCSummationMethod.MAJORING
    with pytest.raises(ValueError, match="AUCCurve"):
        metrics_utils.AUCCurve.from_str("x")
    with pytest.raises(ValueError, match="Threshold"):
        metrics_utils.assert_thresholds_range([0.5, 2])
    total = K.variable([0.0])
    add = metrics_utils.weighted_assign_add(K.constant([[1, 0, 1]]) > 0, K.constant([[1, 1, 1]]) > 0, None, total)
    assert K.eval(add).tolist() == [2.0]
