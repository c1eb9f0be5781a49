# A generator that is told the class; the discriminator has two outputs.
import numpy as np
from keras.layers import Input, Dense, Embedding, Flatten, Dropout, multiply, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam
from keras.utils.generic_utils import Progbar
from collections import defaultdict

np.random.seed(39)
latent = 4
cls = Sequential([Dense(24, input_dim=2), LeakyReLU(0.2), Dropout(0.1)])
image = Input(shape=(2,))
features = cls(image)
fake = Dense(1, activation='sigmoid', name='generation')(features)
aux = Dense(2, activation='softmax', name='auxiliary')(features)
discriminator = Model(image, [fake, aux])
discriminator.compile(optimizer=Adam(lr=0.01, beta_1=0.5),
                      loss=['binary_crossentropy', 'sparse_categorical_crossentropy'])
noise, label = Input(shape=(latent,)), Input(shape=(1,), dtype='int32')
h = multiply([noise, Flatten()(Embedding(2, latent, embeddings_initializer='glorot_normal')(label))])
generator = Model([noise, label], Dense(2)(Dense(16, activation='relu')(h)))
discriminator.trainable = False
combined = Model([noise, label], discriminator(generator([noise, label])))
combined.compile(optimizer=Adam(lr=0.01, beta_1=0.5), loss=['binary_crossentropy', 'sparse_categorical_crossentropy'])
train_history = defaultdict(list)
progress_bar = Progbar(target=150)
for index in range(150):
    y = np.random.randint(0, 2, 40)
    real = np.stack([y * 4. - 2, np.zeros(40)], axis=1) + np.random.normal(0, .2, (40, 2))
    sampled = np.random.randint(0, 2, 40)
    made = generator.predict([np.random.normal(0, 1, (40, latent)), sampled.reshape((-1, 1))], verbose=0)
    X = np.concatenate((real, made))
    target = np.array([0.95] * 40 + [0] * 40)
    aux_y = np.concatenate((y, sampled), axis=0)
    weights = [np.ones(80), np.concatenate((np.ones(40) * 2, np.zeros(40)))]
    train_history['d'].append(discriminator.train_on_batch(X, [target, aux_y], sample_weight=weights))
    sampled = np.random.randint(0, 2, 80)
    g = combined.train_on_batch([np.random.normal(0, 1, (80, latent)), sampled.reshape((-1, 1))],
                                [np.ones(80) * 0.95, sampled])
    train_history['g'].append(g)
    progress_bar.update(index + 1)
assert combined.metrics_names[0] == 'loss' and len(g) == 3
assert np.mean(train_history['d'], axis=0).shape == (3,)
assert discriminator.evaluate(real, [np.ones(40), y], verbose=0)[2] < 0.3
