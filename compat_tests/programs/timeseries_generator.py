import numpy as np
from keras.preprocessing.sequence import TimeseriesGenerator
from keras.models import Sequential
from keras.layers import LSTM, Dense
import math
from math import sqrt

np.random.seed(30)
series = np.sin(np.arange(220) / 6.)[:, None]
train, test = series[:160], series[160:]
n_input = 6
generator = TimeseriesGenerator(train, train, length=n_input, batch_size=16)
model = Sequential()
model.add(LSTM(16, activation='relu', input_shape=(n_input, 1)))
model.add(Dense(1))
model.compile(optimizer='adam', loss='mse')
model.fit_generator(generator, steps_per_epoch=len(generator), epochs=50, verbose=0)
check = TimeseriesGenerator(test, test, length=n_input, batch_size=8)
error = model.evaluate_generator(check)
print(error)
assert error < 0.03
current = train[-n_input:].reshape(1, n_input, 1)
made = []
for i in range(10):
    made.append(model.predict(current)[0])
    current = np.append(current[:, 1:, :], [[made[-1]]], axis=1)
assert sqrt(np.mean((np.array(made) - test[:10]) ** 2)) < 0.6
