from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, LSTM

np.random.seed(10)
tsteps, batch_size, epochs, lahead = 1, 20, 8, 1
cos = np.cos(np.arange(401) * 2 * np.pi / 40)[:, None, None]
x, y = cos[:-1], cos[1:, 0]
model = Sequential()
model.add(LSTM(20, input_shape=(tsteps, 1), batch_size=batch_size, return_sequences=True, stateful=True))
model.add(LSTM(20, return_sequences=False, stateful=True))
model.add(Dense(1))
model.compile(loss='mse', optimizer='rmsprop')
losses = []
for i in range(epochs):
    h = model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0, shuffle=False)
    model.reset_states()
    losses.append(h.history['loss'][0])
print(losses)
assert losses[-1] < losses[0] / 2
first = model.predict(x, batch_size=batch_size)
again = model.predict(x, batch_size=batch_size)
model.reset_states()
assert np.allclose(first[:20], first[:20])
assert not np.allclose(first, again)
model.reset_states()
states = model.layers[0].states
assert len(states) == 2
