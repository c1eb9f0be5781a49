import numpy as np
from keras.models import Sequential, Model
from keras.layers import Dense, Conv2D, MaxPooling2D, Flatten, Activation

np.random.seed(14)
y = np.arange(240) % 4
x = np.random.rand(240, 8, 8, 1) * 0.3
for i in range(240):
    x[i, 2 * y[i]: 2 * y[i] + 2, :, 0] += 0.7
low = y < 2
feature_layers = [Conv2D(6, (3, 3), padding='valid', input_shape=(8, 8, 1)), Activation('relu'),
                  MaxPooling2D(pool_size=2), Flatten()]
classification_layers = [Dense(16), Activation('relu'), Dense(2), Activation('softmax')]
model = Sequential(feature_layers + classification_layers)
model.compile('adam', 'sparse_categorical_crossentropy', ['accuracy'])
model.fit(x[low], y[low], batch_size=16, epochs=10, verbose=0)
for l in feature_layers:
    l.trainable = False
kept = feature_layers[0].get_weights()[0].copy()
model.compile('adam', 'sparse_categorical_crossentropy', ['accuracy'])
assert len(model.trainable_weights) == 4
model.fit(x[~low], y[~low] - 2, batch_size=16, epochs=12, verbose=0)
assert np.array_equal(kept, feature_layers[0].get_weights()[0])
assert model.evaluate(x[~low], y[~low] - 2, verbose=0)[1] > 0.9

# The last layers are popped, and new ones are put on what is left.
model.layers.pop()
model.layers.pop()
x_new = Dense(4, activation='softmax', name='predictions')(model.layers[-1].output)
model2 = Model(model.input, x_new)
from keras.optimizers import Adam
model2.compile(Adam(lr=0.01), 'sparse_categorical_crossentropy', ['acc'])
model2.fit(x, y, batch_size=16, epochs=15, verbose=0)
assert model2.evaluate(x, y, verbose=0)[1] > 0.9

model.pop()
features = Model(inputs=model.inputs, outputs=model.layers[3].output).predict(x[:5])
assert features.shape == (5, 54)
