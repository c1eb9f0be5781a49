from keras.layers import Input, Dense, LSTM, concatenate
from keras.models import Model, Sequential
import numpy as np
base = Sequential([Dense(3, input_shape=(4,))])
a, b = Input(shape=(4,)), Input(shape=(4,))
m = Model(inputs=[a, b], outputs=concatenate([base(a), base(b)], axis=-1))
assert m.count_params() == 15
shared = LSTM(2)
s, t = Input(shape=(3, 1)), Input(shape=(3, 1))
u, v = shared(s), shared(t)
assert shared.get_output_at(0) is u and shared.get_output_at(1) is v
try:
    shared.output
    raise SystemExit('a shared layer has no single output')
except AttributeError:
    pass
