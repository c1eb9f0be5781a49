# What scripts of TensorFlow 2 say around tf.keras: devices, strategies, functions, values of eager tensors.
import numpy as np
import tensorflow as tf

gpus = tf.config.experimental.list_physical_devices("GPU")
for gpu in gpus:
    tf.config.experimental.set_memory_growth(gpu, True)
assert len(gpus) == len(tf.config.list_physical_devices("GPU"))
assert tf.config.list_physical_devices("CPU")[0].device_type == "CPU"
assert tf.test.is_gpu_available() == bool(gpus)
assert bool(tf.test.gpu_device_name()) == bool(gpus)

# As scripts of TensorFlow 1 looked for a GPU.
from tensorflow.python.client import device_lib

local = device_lib.list_local_devices()
assert local[0].name == "/device:CPU:0"
assert len([device for device in local if device.device_type == "GPU"]) == len(gpus)

# Where TensorFlow 1.1 to 1.3 had Keras.
from tensorflow.contrib import keras as contributed
from tensorflow.contrib.keras.api.keras.layers import Dense
from tensorflow.contrib.keras.python.keras.models import Sequential

assert contributed.layers.Dense is Dense
assert Sequential is tf.keras.models.Sequential

try:
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
    strategy = tf.distribute.experimental.TPUStrategy(resolver)
except ValueError:
    strategy = tf.distribute.MirroredStrategy() if gpus else tf.distribute.get_strategy()

with strategy.scope():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,), kernel_initializer="ones")])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss=tf.keras.losses.MeanSquaredError())
batch_size = 4 * strategy.num_replicas_in_sync

x = np.arange(6, dtype="float32").reshape(2, 3)
outputs = model(x).numpy()
assert isinstance(outputs, np.ndarray)
assert outputs.tolist() == [[3, 3], [12, 12]]
assert tf.keras.losses.MeanSquaredError()(np.zeros((1, 2)), np.ones((1, 2))).numpy() == 1


@tf.function
def doubled(a):
    return 2 * a


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
def total(a):
    return tf.reduce_sum(a)


assert doubled(x)[1, 2] == 10
assert total(tf.ones((5,))).numpy() == 5
model.fit(x, np.zeros((2, 2)), batch_size=batch_size, verbose=0)
