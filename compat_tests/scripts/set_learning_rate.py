from keras.models import Sequential
from keras.layers import Dense
from keras import backend as K
import numpy as np
m = Sequential([Dense(1, input_dim=1)])
m.compile('sgd', 'mse')
assert abs(K.get_value(m.optimizer.lr) - 0.01) < 1e-8
K.set_value(m.optimizer.lr, 0.5)
assert K.eval(m.optimizer.lr) == 0.5
m.optimizer.lr = 0.25
assert float(K.get_value(m.optimizer.lr)) == 0.25
m.optimizer.lr.assign(0.125)
assert float(K.get_value(m.optimizer.lr)) == 0.125
