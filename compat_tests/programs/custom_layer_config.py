import numpy as np
from keras import backend as K
from keras import activations, initializers
from keras.layers import Layer, Dense, InputSpec
from keras.models import Sequential, model_from_json, model_from_config


class Antirectifier(Layer):
    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        assert len(shape) == 2
        shape[-1] *= 2
        return tuple(shape)

    def call(self, inputs):
        inputs -= K.mean(inputs, axis=1, keepdims=True)
        inputs = K.l2_normalize(inputs, axis=1)
        pos = K.relu(inputs)
        neg = K.relu(-inputs)
        return K.concatenate([pos, neg], axis=1)


class MyDense(Layer):
    def __init__(self, output_dim, activation='linear', **kwargs):
        self.output_dim = output_dim
        self.activation = activations.get(activation)
        self.input_spec = [InputSpec(ndim=2)]
        super(MyDense, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(name='kernel', shape=(input_shape[1], self.output_dim),
                                      initializer='uniform', trainable=True)
        self.scale = K.variable(np.ones((self.output_dim,)), name='scale')
        self.trainable_weights.append(self.scale) if False else None
        self._trainable_weights.append(self.scale)
        super(MyDense, self).build(input_shape)

    def call(self, x):
        return self.activation(K.dot(x, self.kernel)) * self.scale

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        config = {'output_dim': self.output_dim, 'activation': activations.serialize(self.activation)}
        base_config = super(MyDense, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


np.random.seed(12)
x = np.random.randn(300, 6)
y = np.eye(2)[(x[:, 0] * x[:, 1] > 0).astype(int)]
model = Sequential()
model.add(MyDense(32, input_shape=(6,)))
model.add(Antirectifier())
model.add(Dense(16, activation='relu'))
model.add(Dense(2, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
assert len(model.layers[0].get_weights()) == 2
hist = model.fit(x, y, batch_size=16, epochs=60, verbose=0)
print(hist.history['acc'][-1])
assert hist.history['acc'][-1] > 0.85
clone = model_from_json(model.to_json(), custom_objects={'MyDense': MyDense, 'Antirectifier': Antirectifier})
clone.set_weights(model.get_weights())
assert np.allclose(clone.predict(x), model.predict(x), atol=1e-5)
