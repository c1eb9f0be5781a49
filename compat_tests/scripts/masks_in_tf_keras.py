# In tf.keras a mask ended where a layer knew nothing of masks. Keras 2 raised a TypeError.
import numpy as np
import tensorflow as tf

words = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
model = tf.keras.Sequential(
    [
        tf.keras.layers.Embedding(10, 4, mask_zero=True, input_length=4),
        tf.keras.layers.Conv1D(3, 2, padding="same"),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(1),
    ]
)
model.compile("sgd", "mse")
model.fit(words, np.ones((2, 1)), epochs=2, verbose=0)
table, kernel, bias, weights, offset = model.get_weights()
rows = np.pad(table[words], ((0, 0), (0, 1), (0, 0)))
made = sum(rows[:, i : i + 4] @ kernel[i] for i in range(2)) + bias
np.testing.assert_allclose(model.predict(words), made.reshape(2, -1) @ weights + offset, rtol=1e-4, atol=1e-6)

import keras

try:
    keras.models.Sequential([keras.layers.Embedding(10, 4, mask_zero=True, input_length=4), keras.layers.Flatten()])
except TypeError as error:
    assert "does not support masking" in str(error)
else:
    raise AssertionError("Keras raises")
