import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Activation
from keras.utils.np_utils import to_categorical

np.random.seed(17)
x = np.random.randn(400, 4)
labels = (x[:, 0] + 0.7 * np.random.randn(400) > 1.2).astype(int)


def build():
    np.random.seed(1)
    model = Sequential()
    model.add(Dense(8, input_dim=4, activation='relu'))
    model.add(Dense(2))
    model.add(Activation('softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


y = to_categorical(labels)
plain, weighted, sampled = build(), build(), build()
plain.fit(x, y, epochs=20, verbose=0)
np.random.seed(2)
weighted.fit(x, y, epochs=20, class_weight={0: 1., 1: 6.}, verbose=0)
np.random.seed(2)
sampled.fit(x, y, epochs=20, sample_weight=np.where(labels == 1, 6., 1.), verbose=0)
found = [m.predict_classes(x, verbose=0)[labels == 1].mean() for m in (plain, weighted, sampled)]
print(found)
assert found[1] > found[0]
assert np.allclose(weighted.predict(x), sampled.predict(x), atol=1e-4)
print(weighted.evaluate(x, y, sample_weight=np.ones(400), verbose=0), weighted.metrics_names)
