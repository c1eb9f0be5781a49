from __future__ import absolute_import, division, print_function, unicode_literals
import tensorflow as tf
from tensorflow import keras
import numpy as np
import matplotlib.pyplot as plt

print(tf.__version__)
tf.random.set_seed(1)
np.random.seed(31)
train_labels = np.arange(300) % 3
train_images = np.random.randint(0, 90, (300, 8, 8))
for i in range(300):
    train_images[i, :, 2 * train_labels[i]: 2 * train_labels[i] + 3] += 160
train_images = train_images / 255.0
class_names = ['left', 'middle', 'right']
model = keras.Sequential([
    keras.layers.Flatten(input_shape=(8, 8)),
    keras.layers.Dense(32, activation=tf.nn.relu),
    keras.layers.Dense(3, activation=tf.nn.softmax)
])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(train_images, train_labels, epochs=5)
test_loss, test_acc = model.evaluate(train_images, train_labels, verbose=2)
print('Test accuracy:', test_acc)
predictions = model.predict(train_images)
plt.figure()
plt.imshow(train_images[0], cmap=plt.cm.binary)
plt.colorbar()
plt.xlabel(class_names[np.argmax(predictions[0])])
plt.show()
img = np.expand_dims(train_images[0], 0)
assert np.argmax(model.predict(img)[0]) == train_labels[0]
assert test_acc > 0.95
