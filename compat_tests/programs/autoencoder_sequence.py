import numpy as np
from keras.layers import Input, LSTM, RepeatVector, TimeDistributed, Dense
from keras.models import Model

np.random.seed(2)
timesteps, input_dim, latent_dim = 5, 2, 16
t = np.linspace(0, 1, timesteps)[None, :] + np.random.rand(200, 1) * 6
x = np.stack([np.sin(t), np.cos(t)], axis=-1)

inputs = Input(shape=(timesteps, input_dim))
encoded = LSTM(latent_dim)(inputs)
decoded = RepeatVector(timesteps)(encoded)
decoded = LSTM(16, return_sequences=True)(decoded)
decoded = TimeDistributed(Dense(input_dim))(decoded)
sequence_autoencoder = Model(inputs, decoded)
encoder = Model(inputs, encoded)
sequence_autoencoder.compile(optimizer='rmsprop', loss='mse')
history = sequence_autoencoder.fit(x, x, batch_size=20, epochs=40, verbose=0)
print(history.history['loss'][0], history.history['loss'][-1])
assert history.history['loss'][-1] < 0.05
assert encoder.predict(x[:3]).shape == (3, latent_dim)
