from keras.models import Sequential, Model
from keras.layers import Dense
from keras import backend as K
import numpy as np
m = Sequential([Dense(5, activation='relu', input_dim=3), Dense(2)])
x = np.random.rand(4, 3)
middle = Model(m.input, m.layers[0].output).predict(x)
f = K.function([m.layers[0].input, K.learning_phase()], [m.layers[0].output])
assert np.allclose(f([x, 0])[0], middle, atol=1e-6)
g = K.function([m.input], [m.get_layer(index=1).output])
assert np.allclose(g([x])[0], m.predict(x), atol=1e-6)
