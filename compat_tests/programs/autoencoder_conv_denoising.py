import numpy as np
import matplotlib.pyplot as plt
from keras.layers import Input, Dense, Convolution2D, MaxPooling2D, UpSampling2D
from keras.models import Model
from keras.callbacks import EarlyStopping

np.random.seed(1)
x = np.zeros((200, 8, 8, 1), dtype='float32')
for i, image in enumerate(x):
    image[i % 8, :, 0] = 1.
    image[:, (i // 8) % 8, 0] = 1.
noise_factor = 0.4
x_noisy = np.clip(x + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=x.shape), 0., 1.)

input_img = Input(shape=(8, 8, 1))
h = Convolution2D(12, 3, 3, activation='relu', border_mode='same')(input_img)
h = MaxPooling2D((2, 2), border_mode='same')(h)
encoded = Convolution2D(12, 3, 3, activation='relu', border_mode='same')(h)
h = UpSampling2D((2, 2))(encoded)
decoded = Convolution2D(1, 3, 3, activation='sigmoid', border_mode='same')(h)
autoencoder = Model(input=input_img, output=decoded)
autoencoder.compile(optimizer='adam', loss='binary_crossentropy')
history = autoencoder.fit(x_noisy, x, nb_epoch=60, batch_size=25, verbose=0,
                          callbacks=[EarlyStopping(monitor='loss', patience=10)])
out = autoencoder.predict(x_noisy)
print(np.mean((x_noisy - x) ** 2), np.mean((out - x) ** 2))
assert np.mean((out - x) ** 2) < 0.7 * np.mean((x_noisy - x) ** 2)

plt.figure(figsize=(4, 2))
for i in range(2):
    ax = plt.subplot(1, 2, i + 1)
    plt.imshow(out[i].reshape(8, 8))
    plt.gray()
    ax.get_xaxis().set_visible(False)
plt.show()
