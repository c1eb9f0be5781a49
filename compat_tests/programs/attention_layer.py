# Attention over time steps, in a layer written with K.*, masks included.
import numpy as np
from keras import backend as K
from keras.engine.topology import Layer
from keras import initializers, regularizers, constraints
from keras.layers import Input, Embedding, Bidirectional, GRU, Dense
from keras.models import Model


def dot_product(x, kernel):
    if K.backend() == 'tensorflow':
        return K.squeeze(K.dot(x, K.expand_dims(kernel)), axis=-1)
    else:
        return K.dot(x, kernel)


class AttentionWithContext(Layer):
    def __init__(self, W_regularizer=None, u_regularizer=None, W_constraint=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get('glorot_uniform')
        self.W_regularizer = regularizers.get(W_regularizer)
        self.u_regularizer = regularizers.get(u_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.bias = bias
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight((input_shape[-1], input_shape[-1],), initializer=self.init,
                                 name='{}_W'.format(self.name), regularizer=self.W_regularizer,
                                 constraint=self.W_constraint)
        if self.bias:
            self.b = self.add_weight((input_shape[-1],), initializer='zero', name='{}_b'.format(self.name))
        self.u = self.add_weight((input_shape[-1],), initializer=self.init, name='{}_u'.format(self.name),
                                 regularizer=self.u_regularizer)
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        uit = dot_product_2(x, self.W)
        if self.bias:
            uit += self.b
        uit = K.tanh(uit)
        ait = dot_product(uit, self.u)
        a = K.exp(ait)
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        a = K.expand_dims(a)
        weighted_input = x * a
        return K.sum(weighted_input, axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[-1]


def dot_product_2(x, kernel):
    return K.dot(x, kernel)


np.random.seed(11)
x = np.random.randint(2, 20, (300, 8))
x[:, 6:] = 0
y = (np.arange(300) % 2)
x[y == 1, np.random.randint(0, 6, 150)] = 1
inp = Input(shape=(8,), dtype='int32')
h = Embedding(20, 8, mask_zero=True)(inp)
h = Bidirectional(GRU(8, return_sequences=True))(h)
h = AttentionWithContext(W_regularizer=regularizers.l2(1e-4))(h)
out = Dense(1, activation='sigmoid')(h)
model = Model(inp, out)
model.compile('adam', 'binary_crossentropy', metrics=['acc'])
hist = model.fit(x, y, batch_size=20, epochs=20, verbose=0)
print(hist.history['acc'][-1])
assert hist.history['acc'][-1] > 0.9
