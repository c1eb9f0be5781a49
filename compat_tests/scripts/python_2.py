# As it ran under Python 2.7: statements, integers that stay integers, names that have moved.
import cPickle as pickle, sys
from itertools import izip
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation

np.random.seed(1)
samples, batch = 40, 16
batches = samples / batch
assert batches == 2 and isinstance(batches, int)
counts = {"train": samples - 7 / 2, "test": 7 / 2}
for name, count in sorted(counts.iteritems()):
    print "%s: %d" % (name, count),
print
if counts.has_key("train"):
    print >>sys.stderr, counts.keys()[0]
x = np.array([[i / 20, i % 20] for i in xrange(samples)], dtype="float32")
half = np.arange(6)
half /= 2
assert half.tolist() == [0, 0, 1, 1, 2, 2] and (half / 2).tolist() == [0, 0, 0, 0, 1, 1]
x /= x.max(axis=0) / 1.
model = Sequential()
model.add(Dense(2, 8, init="uniform"))
model.add(Activation("tanh"))
model.add(Dense(8, 1))
model.compile(loss="mse", optimizer="sgd")
try:
    model.fit(x, x[:3, :1], nb_epoch=1, verbose=0)
    raise AssertionError, "lengths differ"
except ValueError, error:
    print "refused:", str(error)[:30]
before, after = [model.fit(x, x[:, :1], nb_epoch=5, batch_size=batch, verbose=0).history["loss"][-1] for _ in xrange(2)]
assert after < before and pickle.loads(pickle.dumps(x)).shape == (40, 2)
for a, b in izip(map(lambda v: v + 1, [1, 2]), filter(None, [0, 3, 4])):
    print a, b, `a`, 010, 10L, isinstance(u"", basestring), a <> b
