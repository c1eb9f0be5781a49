from keras.models import Sequential
from keras.layers.core import Dense, Activation, Dropout
from keras.optimizers import SGD
import numpy as np

np.random.seed(28)
X = np.random.randn(200, 10)
y = np.eye(2)[(X[:, 0] > 0).astype(int)]
model = Sequential()
model.add(Dense(10, 16, init='uniform'))
model.add(Activation('tanh'))
model.add(Dropout(0.1))
model.add(Dense(16, 2, init='uniform'))
model.add(Activation('softmax'))
sgd = SGD(lr=0.3, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss='categorical_crossentropy', optimizer=sgd)
model.fit(X, y, nb_epoch=20, batch_size=16, show_accuracy=True, validation_split=0.1, verbose=2)
loss, acc = model.evaluate(X, y, batch_size=16, show_accuracy=True, verbose=0)
assert acc > 0.9
