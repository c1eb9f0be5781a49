import numpy as np
from keras.models import Sequential
from keras.layers import TimeDistributed, Conv2D, MaxPooling2D, Flatten, LSTM, Dense, BatchNormalization

np.random.seed(18)
n, frames = 120, 4
x = np.zeros((n, frames, 6, 6, 1))
y = np.arange(n) % 2
for i in range(n):
    for t in range(frames):
        place = t if y[i] else frames - 1 - t
        x[i, t, place: place + 2, :, 0] = 1
x += np.random.rand(*x.shape) * 0.3
model = Sequential()
model.add(TimeDistributed(Conv2D(4, (3, 3), activation='relu'), input_shape=(frames, 6, 6, 1)))
model.add(TimeDistributed(BatchNormalization()))
model.add(TimeDistributed(MaxPooling2D(pool_size=(2, 2))))
model.add(TimeDistributed(Flatten()))
model.add(LSTM(8, return_sequences=False))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x, y, epochs=25, batch_size=20, verbose=0)
assert model.output_shape == (None, 1)
assert model.evaluate(x, y, verbose=0)[1] > 0.9
