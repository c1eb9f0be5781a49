from keras.layers import Input, Dense, merge, Merge
from keras.models import Model, Sequential
import numpy as np
a, b = Input((4,)), Input((4,))
outs = [merge([a, b], mode=m) for m in ('sum', 'mul', 'concat', 'ave', 'max', 'dot', 'cos')]
outs.append(merge([a, b], mode=lambda t: t[0] - t[1], output_shape=lambda s: s[0]))
model = Model([a, b], outs)
x, y = np.random.rand(3, 4), np.random.rand(3, 4)
got = model.predict([x, y])
assert np.allclose(got[0], x + y) and np.allclose(got[2], np.hstack([x, y])) and np.allclose(got[7], x - y, atol=1e-6)
left, right = Sequential([Dense(3, input_dim=4)]), Sequential([Dense(3, input_dim=4)])
both = Sequential()
both.add(Merge([left, right], mode='concat', concat_axis=1))
both.add(Dense(1))
both.compile('sgd', 'mse')
both.fit([x, y], np.ones(3), nb_epoch=1, verbose=0)
assert both.predict([x, y]).shape == (3, 1)
