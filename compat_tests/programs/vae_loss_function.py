# The loss function that is compiled closes over the tensors of the encoder.
import numpy as np
from keras.layers import Input, Dense, Lambda
from keras.models import Model
from keras import backend as K
from keras import objectives

np.random.seed(0)
batch_size, original_dim, latent_dim = 20, 12, 2
x = Input(batch_shape=(batch_size, original_dim))
h = Dense(16, activation='relu')(x)
z_mean = Dense(latent_dim)(h)
z_log_std = Dense(latent_dim)(h)


def sampling(args):
    z_mean, z_log_std = args
    epsilon = K.random_normal(shape=(batch_size, latent_dim), mean=0., std=0.1)
    return z_mean + K.exp(z_log_std) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_std])
x_decoded_mean = Dense(original_dim, activation='sigmoid')(Dense(16, activation='relu')(z))


def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.mean(1 + z_log_std - K.square(z_mean) - K.exp(z_log_std), axis=-1)
    return xent_loss + kl_loss


vae = Model(x, x_decoded_mean)
vae.compile(optimizer='rmsprop', loss=vae_loss)
x_train = np.clip(np.random.rand(200, 2).dot(np.random.rand(2, original_dim)) / 2, 0, 1)
hist = vae.fit(x_train, x_train, shuffle=True, nb_epoch=15, batch_size=batch_size,
               validation_data=(x_train, x_train), verbose=0)
assert hist.history['val_loss'][-1] < hist.history['val_loss'][0] - 0.05
