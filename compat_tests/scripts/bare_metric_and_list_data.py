from keras.models import Sequential
from keras.layers import Dense
import numpy as np
import pandas as pd
m = Sequential()
m.add(Dense(8, activation='relu'))
m.add(Dense(1, activation='sigmoid'))
m.compile(loss='binary_crossentropy', optimizer='adam', metrics='accuracy')
x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
h = m.fit(np.array(x), y, epochs=2, validation_data=[np.array(x), np.array(y)], verbose=0)
assert 'val_acc' in h.history
frame = pd.DataFrame({'a': [0., 1, 2, 3], 'b': [1., 0, 1, 0], 'y': [0, 1, 0, 1]})
m.fit(frame[['a', 'b']], frame['y'], verbose=0)
m.fit(frame[['a', 'b']].values, frame.y.values, verbose=0)
assert m.predict(frame[['a', 'b']]).shape == (4, 1)
