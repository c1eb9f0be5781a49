import tensorflow as tf
import numpy as np
from tensorflow.keras.layers import Dense, Flatten, Conv2D
from tensorflow.keras import Model


class MyModel(Model):
    def __init__(self):
        super(MyModel, self).__init__()
        self.conv1 = Conv2D(4, 3, activation='relu')
        self.flatten = Flatten()
        self.d1 = Dense(16, activation='relu')
        self.d2 = Dense(3, activation='softmax')

    def call(self, x):
        x = self.conv1(x)
        x = self.flatten(x)
        x = self.d1(x)
        return self.d2(x)


np.random.seed(32)
y = np.arange(180) % 3
x = np.random.rand(180, 6, 6)
for i in range(180):
    x[i, 2 * y[i]: 2 * y[i] + 2] += 1
x = x[..., np.newaxis].astype('float32')
model = MyModel()
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.01), loss='sparse_categorical_crossentropy',
              metrics=['accuracy'])
history = model.fit(x, y, epochs=8, batch_size=30, validation_split=0.2, verbose=0)
print(history.history['val_accuracy'])
assert history.history['val_accuracy'][-1] > 0.9
assert len(model.trainable_variables) == 6
model.summary()
