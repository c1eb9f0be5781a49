from keras.models import Sequential
from keras.layers.core import Dense, Activation, Dropout
import numpy as np
m = Sequential()
m.add(Dense(4, 8, init='uniform', activation='tanh'))
m.add(Dropout(0.5))
m.add(Dense(8, 2))
m.add(Activation('softmax'))
m.compile(loss='categorical_crossentropy', optimizer='adam')
x, y = np.random.rand(10, 4), np.eye(2)[np.arange(10) % 2]
m.fit(x, y, nb_epoch=1, show_accuracy=True, verbose=0)
pair = m.evaluate(x, y, show_accuracy=True, verbose=0)
assert len(pair) == 2
