import tensorflow as tf
from tensorflow.keras import layers, models, optimizers
tf.random.set_seed(7)
tf.set_random_seed(7)
model = models.Sequential()
model.add(layers.Dense(4, activation=tf.nn.relu, input_shape=(3,)))
model.add(layers.Dense(2, activation=tf.nn.softmax))
model.compile(optimizer=optimizers.Adam(learning_rate=0.01), loss=tf.keras.losses.CategoricalCrossentropy(),
              metrics=['accuracy'])
y = tf.one_hot([0, 1, 1], 2)
import numpy as np
h = model.fit(np.random.rand(3, 3), np.array(y), verbose=0)
assert 'accuracy' in h.history
