# One network on both inputs, the distance of what it says, and a loss that contrasts.
from __future__ import absolute_import
import random
import numpy as np
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Input, Lambda
from keras.optimizers import RMSprop
from keras import backend as K


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def create_base_network(input_dim):
    seq = Sequential()
    seq.add(Dense(32, input_shape=(input_dim,), activation='relu'))
    seq.add(Dropout(0.1))
    seq.add(Dense(16, activation='relu'))
    return seq


def compute_accuracy(predictions, labels):
    return labels[predictions.ravel() < 0.5].mean()


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


np.random.seed(5)
centres = np.random.randn(4, 10) * 2
classes = np.arange(240) % 4
x = (centres[classes] + np.random.randn(240, 10) * 0.5).astype('float32')
pairs, labels = [], []
for i in range(240):
    pairs += [[x[i], x[(i + 4) % 240]], [x[i], x[(i + 1) % 240]]]
    labels += [1, 0]
tr_pairs, tr_y = np.array(pairs), np.array(labels)

base_network = create_base_network(10)
input_a = Input(shape=(10,))
input_b = Input(shape=(10,))
processed_a = base_network(input_a)
processed_b = base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([processed_a, processed_b])
model = Model([input_a, input_b], distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop(), metrics=[accuracy])
model.fit([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=32, epochs=20, verbose=0,
          validation_data=([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y))
pred = model.predict([tr_pairs[:, 0], tr_pairs[:, 1]])
acc = compute_accuracy(pred, tr_y)
print('* Accuracy: %0.2f%%' % (100 * acc))
assert acc > 0.95
assert model.evaluate([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, verbose=0)[1] > 0.9
