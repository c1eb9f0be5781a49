from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, Flatten, Dense, Conv2D
m = Sequential()
m.add(Convolution2D(4, (3, 3), padding='same', input_shape=(8, 8, 1), activation='relu'))
m.add(Conv2D(4, 3, 3, border_mode='same', kernel_initializer='he_normal'))
m.add(Conv2D(4, 3, strides=2))
m.add(MaxPooling2D((2, 2), strides=(2, 2), border_mode='same'))
m.add(Flatten())
m.add(Dense(units=3, init='normal'))
assert m.output_shape == (None, 3) and m.count_params() > 0
