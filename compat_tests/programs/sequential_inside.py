# Models are layers: a Sequential in a Sequential, in a functional model, and shared.
import numpy as np
from keras.models import Sequential, Model
from keras.layers import Dense, Input, Lambda, Add, Multiply, Activation, add
import keras.backend as K

np.random.seed(33)
vision = Sequential(name='vision')
vision.add(Dense(16, activation='relu', input_shape=(6,)))
vision.add(Dense(4))
inner = Sequential([vision, Activation('tanh')])
a, b = Input(shape=(6,)), Input(shape=(6,))
left, right = inner(a), inner(b)
merged = Lambda(lambda t: K.abs(t[0] - t[1]))([left, right])
gate = Dense(4, activation='sigmoid')(merged)
out = Dense(1, activation='sigmoid')(add([Multiply()([merged, gate]), merged]))
model = Model([a, b], out)
model.compile('adam', 'binary_crossentropy', ['acc'])
x1, x2 = np.random.randn(300, 6), np.random.randn(300, 6)
y = np.arange(300) % 2
x2[y == 1] = x1[y == 1] + 0.1 * np.random.randn(150, 6)
model.fit([x1, x2], y, epochs=25, batch_size=20, verbose=0)
acc = model.evaluate([x1, x2], y, verbose=0)[1]
print(acc, [l.name for l in model.layers])
assert acc > 0.9
assert model.get_layer('sequential_1').layers[0] is vision
assert len(vision.inbound_nodes) >= 1 and len(inner.get_weights()) == 4
middle = Model(model.input, model.layers[2].get_output_at(1))
assert middle.predict([x1, x2]).shape == (300, 4)
