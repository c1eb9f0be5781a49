import numpy as np
import theano
import theano.tensor as T
from theano.tensor import nnet
from keras.layers.core import Dense, Dropout
from keras.models import Sequential

theano.config.optimizer = 'fast_compile'


def cosine_distance(y_true, y_pred):
    lengths = T.sqrt(T.sum(T.sqr(y_true), axis=1)) * T.sqrt(T.sum(T.sqr(y_pred), axis=1))
    return 1 - T.sum(y_true * y_pred, axis=1) / (lengths + 1e-4)


model = Sequential()
model.add(Dense(5, input_dim=4, activation='tanh'))
model.add(Dropout(0.5))
model.add(Dense(3))
model.compile(loss=cosine_distance, optimizer='sgd')
x, y = np.random.rand(6, 4), np.random.rand(6, 3)
p = model.predict(x)
cosines = (y * p).sum(1) / (np.sqrt((y ** 2).sum(1) * (p ** 2).sum(1)) + 1e-4)
assert np.isclose(model.test_on_batch(x, y), np.mean(1 - cosines), atol=1e-5)

hidden = theano.function([model.layers[0].input], model.layers[1].get_output(train=False), allow_input_downcast=True)
kernel, bias = model.layers[0].get_weights()
assert np.allclose(hidden(x), np.tanh(x.dot(kernel) + bias), atol=1e-5)

z = T.fmatrix('z')
slope = theano.function(inputs=[z], outputs=[T.grad(T.mean(T.nnet.relu(z) ** 2), z)])
assert np.allclose(slope(x - 0.5)[0], 2 * np.maximum(x - 0.5, 0) / x.size, atol=1e-6)
count = theano.shared(np.zeros(2, theano.config.floatX), name='count')
add = theano.function([], T.sum(count), updates=[(count, count + 1)])
assert (add(), add()) == (0, 2) and count.get_value().tolist() == [2, 2]
assert np.allclose(theano.function([z], T.flatten(nnet.softmax(z), 1))(x).reshape(6, 4).sum(1), 1)
try:
    theano.scan
    raise SystemExit('there is a scan')
except AttributeError:
    pass
