# A script of Keras 1.0, whose pictures were (channels, rows, columns) unless it said otherwise.
import numpy as np
from keras.layers import Activation, Convolution2D, Dense, Flatten, MaxPooling2D, ZeroPadding2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator

rows, cols = 9, 8
x = np.random.rand(12, rows * cols).reshape(12, 1, rows, cols)
y = np.eye(2)[np.arange(12) % 2]
model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(1, rows, cols)))
model.add(Convolution2D(4, 3, 3, border_mode='valid'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
assert model.output_shape == (None, 4, 4, 4), model.output_shape
model.add(Flatten())
model.add(Dense(2, activation='softmax'))
model.compile('sgd', 'categorical_crossentropy')
model.fit_generator(ImageDataGenerator().flow(x, y, batch_size=6), samples_per_epoch=12, nb_epoch=1, verbose=0)
assert model.predict(x).shape == (12, 2)
