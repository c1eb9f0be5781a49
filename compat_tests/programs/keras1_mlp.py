'''Trains a simple deep NN, as the examples of Keras 1 did.'''
from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD, Adam, RMSprop
from keras.utils import np_utils
from keras.regularizers import l2, activity_l2
from keras.constraints import maxnorm

batch_size, nb_classes, nb_epoch = 32, 3, 15
y_train = np.arange(300) % nb_classes
X_train = (np.random.randn(3, 20)[y_train] + np.random.randn(300, 20)).astype('float32')
Y_train = np_utils.to_categorical(y_train, nb_classes)

model = Sequential()
model.add(Dense(32, input_shape=(20,), init='lecun_uniform', W_regularizer=l2(0.0001), W_constraint=maxnorm(3)))
model.add(Activation('relu'))
model.add(Dropout(p=0.2))
model.add(Dense(output_dim=16, input_dim=32, activity_regularizer=activity_l2(1e-5)))
model.add(Activation('relu'))
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
model.summary()
model.compile(loss='categorical_crossentropy', optimizer=RMSprop(), metrics=['accuracy'])
history = model.fit(X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch, verbose=1,
                    validation_data=(X_train, Y_train))
score = model.evaluate(X_train, Y_train, verbose=0)
print('Test score:', score[0])
print('Test accuracy:', score[1])
assert score[1] > 0.95 and len(history.history['val_acc']) == nb_epoch
assert model.predict_proba(X_train, verbose=0).shape == (300, 3)
assert (model.predict_classes(X_train, verbose=0) == y_train).mean() > 0.95
