import numpy as np
from keras.models import Model
from keras.layers import Input, Dense, Embedding, Flatten, BatchNormalization, Dropout, merge
from keras.regularizers import l2, l1_l2

np.random.seed(22)
user, item = np.random.randint(0, 12, 400), np.random.randint(0, 10, 400)
taste, quality = np.random.randn(12, 2), np.random.randn(10, 2)
y = (taste[user] * quality[item]).sum(axis=1)
user_in, item_in = Input(shape=(1,), dtype='int64', name='user_in'), Input(shape=(1,), dtype='int64', name='item_in')
u = Embedding(12, 4, input_length=1, W_regularizer=l2(1e-5))(user_in)
m = Embedding(10, 4, input_length=1, W_regularizer=l2(1e-5))(item_in)
wide = merge([u, m], mode='dot', dot_axes=2)
wide = Flatten()(wide)
x = merge([Flatten()(u), Flatten()(m)], mode='concat')
x = Dense(24, activation='relu')(x)
x = Dropout(0.1)(x)
deep = Dense(1)(x)
out = merge([wide, deep], mode='sum')
model = Model([user_in, item_in], out)
model.compile('adam', loss='mse')
hist = model.fit([user, item], y, batch_size=32, nb_epoch=40, verbose=0)
assert hist.history['loss'][-1] < 0.3 * np.var(y)
