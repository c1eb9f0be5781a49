# A script of 2016: what numpy, SciPy and Python had then, a layer that asks for gradients, numbers in a list.
import collections
import time

import numpy as np
from keras import backend as K
from keras.layers import Convolution2D, Flatten, Input, Lambda, MaxPooling2D
from keras.models import Model
from scipy.misc import imread, imresize, imsave

start = time.clock()
picture = np.zeros((8, 8, 3), dtype=np.float)
picture[2:4] = 1
imsave("picture.png", picture)
assert imresize(imread("picture.png"), (4, 4)).shape == (4, 4, 3)
assert isinstance([1], collections.Iterable)

x = Input(shape=(8, 8, 3))
features = Convolution2D(2, 3, 3, border_mode="same")(x)
pooled = MaxPooling2D()(features)
where = Lambda(lambda pair: K.gradients(K.sum(pair[1]), pair[0]), output_shape=lambda shapes: shapes[0])([features, pooled])
model = Model(input=x, output=Flatten()(where))
assert model.predict(picture[np.newaxis]).sum() == 4 * 4 * 2

# Where the largest number of a window stands has a gradient of zeros: such a model was trained, and stayed as it was.
model.compile("sgd", "mse", metrics=["mae"])
numbers = model.train_on_batch(picture[np.newaxis], np.zeros((1, 128)))
print(numbers, "%.1f seconds" % (time.clock() - start))
assert "array" not in str(numbers)
