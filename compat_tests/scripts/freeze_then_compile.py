from keras.models import Sequential
from keras.layers import Dense
import numpy as np
m = Sequential([Dense(3, input_dim=2), Dense(1)])
m.layers[0].trainable = False
m.compile('sgd', 'mse')
before = m.get_weights()
m.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0)
after = m.get_weights()
assert np.array_equal(before[0], after[0]) and not np.array_equal(before[2], after[2])
m.trainable = False
assert m.trainable_weights == []
