from keras.layers import Embedding, Flatten, Dense
from keras.models import Sequential
import numpy as np
matrix = np.random.rand(10, 4)
m = Sequential()
m.add(Embedding(10, 4, weights=[matrix], input_length=3, trainable=False))
m.add(Flatten())
m.add(Dense(1))
m.compile('adam', 'mse')
m.fit(np.random.randint(0, 10, (8, 3)), np.random.rand(8), verbose=0)
assert np.allclose(m.layers[0].get_weights()[0], matrix)
