# Imports as editors wrote them for Keras 2.4 to 2.9, and optimizers as answers on the web had them.
from keras.optimizers import adam_v2, gradient_descent_v2
from keras.optimizer_v2.adam import Adam
from keras.optimizer_v2 import rmsprop
from keras.engine.input_spec import InputSpec
from keras.engine.functional import Functional
from keras.layers.core.dense import Dense
from keras.layers.merging import concatenate
from keras.layers.normalization.batch_normalization import BatchNormalization
from keras.layers.reshaping.flatten import Flatten
from keras.layers.rnn import LSTM
from keras.models import Model, Sequential
from keras.saving.save import load_model, save_model
from keras.utils.all_utils import to_categorical
import keras.api._v2.keras as keras
import tensorflow.python.keras.optimizer_v2.gradient_descent as sgd
from tensorflow.keras.mixed_precision import experimental as mixed_precision
from tensorflow.keras.experimental import CosineDecay
import keras as plain
import keras.layers

assert Adam is adam_v2.Adam is plain.optimizers.Adam and sgd.SGD is gradient_descent_v2.SGD and rmsprop.RMSprop
assert Dense is keras.layers.Dense is plain.layers.Dense and LSTM is keras.layers.LSTM
assert callable(plain.layers.add) and callable(plain.layers.concatenate)
mixed_precision.set_policy("float32")
model = Sequential([Dense(3, input_shape=(2,)), BatchNormalization(), Flatten()])
model.compile(adam_v2.Adam(learning_rate=CosineDecay(0.1, 10), decay=0), "mse")
assert isinstance(Model(model.input, model.output), Functional)
