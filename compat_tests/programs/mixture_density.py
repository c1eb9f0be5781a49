# The network says the parts of a mixture of two normal distributions; the loss is their likelihood.
import numpy as np
from keras import backend as K
from keras.layers import Input, Dense, Concatenate, Activation, Lambda
from keras.models import Model

np.random.seed(38)
x = np.random.uniform(-1, 1, (400, 1))
y = np.where(np.random.rand(400, 1) < .5, x, -x) + 0.05 * np.random.randn(400, 1)
n = 2
inp = Input((1,))
h = Dense(24, activation='tanh')(inp)
mu = Dense(n)(h)
sigma = Dense(n, activation=lambda t: K.exp(t))(h)
pi = Activation('softmax')(Lambda(lambda t: t / 1.0)(Dense(n)(h)))
out = Concatenate(name='output')([mu, sigma, pi])


def mdn_loss(y_true, y_pred):
    mu, sigma, pi = y_pred[:, :n], y_pred[:, n: 2 * n], y_pred[:, 2 * n:]
    d = K.exp(-K.square(y_true - mu) / (2 * K.square(sigma))) / (sigma * np.sqrt(2 * np.pi))
    return -K.log(K.sum(pi * d, axis=1) + 1e-8)


model = Model(inp, out)
model.compile(loss=mdn_loss, optimizer='adam')
h = model.fit(x, y, epochs=60, batch_size=20, verbose=0)
print(h.history['loss'][0], h.history['loss'][-1])
single = 0.5 * np.log(2 * np.pi * np.e * np.var(y))  # what one normal distribution reaches
assert h.history['loss'][-1] < single - 0.2
