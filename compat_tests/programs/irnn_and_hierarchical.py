import numpy as np
from keras.models import Sequential, Model
from keras.layers import Dense, Activation, SimpleRNN, LSTM, Input, TimeDistributed
from keras.initializers import RandomNormal, Identity
from keras.optimizers import RMSprop

np.random.seed(36)
y = np.arange(160) % 2
x = np.random.rand(160, 6, 6, 1) * 0.2
for i in range(160):
    if y[i]:
        x[i, i % 5: i % 5 + 2] += 0.8
    else:
        x[i, :, i % 5: i % 5 + 2] += 0.8
flat = x.reshape(160, 36, 1)
model = Sequential()
model.add(SimpleRNN(24, kernel_initializer=RandomNormal(stddev=0.001), recurrent_initializer=Identity(gain=1.0),
                    activation='relu', input_shape=flat.shape[1:]))
model.add(Dense(2))
model.add(Activation('softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer=RMSprop(lr=1e-3), metrics=['accuracy'])
first = model.evaluate(flat, y, verbose=0)[0]
model.fit(flat, y, batch_size=16, epochs=10, verbose=0)
assert model.evaluate(flat, y, verbose=0)[0] < first

inp = Input(shape=(6, 6, 1))
encoded_rows = TimeDistributed(LSTM(8))(inp)
encoded_columns = LSTM(8)(encoded_rows)
prediction = Dense(1, activation='sigmoid')(encoded_columns)
model = Model(inp, prediction)
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x, y, batch_size=16, epochs=40, verbose=0)
assert model.evaluate(x, y, verbose=0)[1] > 0.85
