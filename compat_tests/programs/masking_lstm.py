import numpy as np
from keras.models import Sequential
from keras.layers import Masking, LSTM, Dense, TimeDistributed
from keras.preprocessing.sequence import pad_sequences

np.random.seed(37)
seqs = [np.random.rand(np.random.randint(2, 8), 2) for _ in range(200)]
y = np.array([s[:, 0].mean() for s in seqs])
x = pad_sequences(seqs, maxlen=8, dtype='float32', padding='post', value=-1.)
model = Sequential()
model.add(Masking(mask_value=-1., input_shape=(8, 2)))
model.add(LSTM(16))
model.add(Dense(1))
model.compile(loss='mean_absolute_error', optimizer='adam')
model.fit(x, y, epochs=30, batch_size=20, verbose=0)
assert model.evaluate(x, y, verbose=0) < 0.08
longer = np.concatenate([x, -np.ones((200, 3, 2), 'float32')], axis=1)
other = Sequential([Masking(-1., input_shape=(None, 2)), LSTM(16), Dense(1)])
other.set_weights(model.get_weights())
assert np.allclose(other.predict(longer), model.predict(x), atol=1e-5)

tagger = Sequential([Masking(-1., input_shape=(8, 2)), LSTM(8, return_sequences=True), TimeDistributed(Dense(1))])
tagger.compile('rmsprop', 'mse', sample_weight_mode='temporal')
weights = (x[:, :, 0] >= 0).astype(float)
h = tagger.fit(x, x[:, :, :1], sample_weight=weights, epochs=10, verbose=0)
assert h.history['loss'][-1] < h.history['loss'][0]
