from keras import backend as K
K.set_image_dim_ordering('th')
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, Flatten, Dense
import numpy as np
assert K.image_data_format() == 'channels_first' and K.image_dim_ordering() == 'th'
m = Sequential()
m.add(Convolution2D(3, 3, 3, input_shape=(1, 8, 8)))
m.add(MaxPooling2D(pool_size=(2, 2)))
m.add(Flatten())
m.add(Dense(2))
assert m.layers[0].output_shape == (None, 3, 6, 6)
assert m.predict(np.ones((2, 1, 8, 8))).shape == (2, 2)
