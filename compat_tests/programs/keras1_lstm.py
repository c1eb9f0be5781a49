from __future__ import print_function
import numpy as np
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Activation, Embedding, Dropout, TimeDistributedDense
from keras.layers.recurrent import LSTM, GRU

np.random.seed(27)
X = np.random.randint(3, 30, (200, 10))
y = np.arange(200) % 2
X[np.arange(200), np.random.randint(0, 10, 200)] = 1 + y
model = Sequential()
model.add(Embedding(30, 12, input_length=10, dropout=0.1))
model.add(LSTM(12, dropout_W=0.1, dropout_U=0.1, inner_activation='hard_sigmoid', return_sequences=True,
               inner_init='orthogonal', forget_bias_init='one', consume_less='gpu'))
model.add(TimeDistributedDense(8, activation='tanh'))
model.add(GRU(output_dim=8))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, batch_size=20, nb_epoch=20, validation_data=(X, y), verbose=0)
score, acc = model.evaluate(X, y, batch_size=20, verbose=0)
print(acc)
assert acc > 0.9
