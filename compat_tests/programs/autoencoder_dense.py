# A single fully-connected layer as encoder and decoder, and both as models of their own.
import numpy as np
from keras.layers import Input, Dense
from keras.models import Model
from keras import regularizers

np.random.seed(0)
codes = np.random.rand(400, 4)
x_train = codes.dot(np.random.rand(4, 32)).astype('float32')
x_train /= x_train.max()

encoding_dim = 8
input_img = Input(shape=(32,))
encoded = Dense(encoding_dim, activation='relu', activity_regularizer=regularizers.l1(10e-8))(input_img)
decoded = Dense(32, activation='sigmoid')(encoded)
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
encoded_input = Input(shape=(encoding_dim,))
decoder_layer = autoencoder.layers[-1]
decoder = Model(encoded_input, decoder_layer(encoded_input))

autoencoder.compile(optimizer='adadelta', loss='binary_crossentropy')
before = np.mean((autoencoder.predict(x_train) - x_train) ** 2)
autoencoder.fit(x_train, x_train, epochs=40, batch_size=32, shuffle=True, validation_data=(x_train, x_train), verbose=0)
encoded_imgs = encoder.predict(x_train)
decoded_imgs = decoder.predict(encoded_imgs)
after = np.mean((decoded_imgs - x_train) ** 2)
print(before, after)
assert encoded_imgs.shape == (400, 8)
assert np.allclose(decoded_imgs, autoencoder.predict(x_train), atol=1e-5)
assert after < before / 2
