from __future__ import print_function
import numpy as np
np.random.seed(1337)
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten
from keras.layers import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.utils import np_utils
from keras import backend as K
from keras.preprocessing.image import ImageDataGenerator

img_rows, img_cols, nb_filters, pool_size, kernel_size = 8, 8, 6, (2, 2), (3, 3)
y_train = np.arange(240) % 4
X_train = np.random.rand(240, img_rows, img_cols) * 100
for i in range(240):
    X_train[i, 2 * y_train[i]: 2 * y_train[i] + 2] += 150
if K.image_dim_ordering() == 'th':
    X_train = X_train.reshape(X_train.shape[0], 1, img_rows, img_cols)
    input_shape = (1, img_rows, img_cols)
else:
    X_train = X_train.reshape(X_train.shape[0], img_rows, img_cols, 1)
    input_shape = (img_rows, img_cols, 1)
X_train = X_train.astype('float32')
X_train /= 255
Y_train = np_utils.to_categorical(y_train, 4)
model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=input_shape))
model.add(Convolution2D(nb_filters, kernel_size[0], kernel_size[1], border_mode='valid', init='glorot_normal'))
model.add(Activation('relu'))
model.add(Convolution2D(nb_filters, kernel_size[0], kernel_size[1], subsample=(1, 1)))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=pool_size, border_mode='valid'))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(4))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
model.fit(X_train, Y_train, batch_size=24, nb_epoch=6, verbose=0, validation_split=0.1)
datagen = ImageDataGenerator(featurewise_center=True, width_shift_range=0.1)
datagen.fit(X_train)
model.fit_generator(ImageDataGenerator().flow(X_train, Y_train, batch_size=24), samples_per_epoch=X_train.shape[0],
                    nb_epoch=6, validation_data=(X_train, Y_train), verbose=0)
score = model.evaluate(X_train, Y_train, verbose=0)
print(score)
assert score[1] > 0.95
