from keras.models import Sequential, load_model
from keras.layers import Dense
import numpy as np
m = Sequential([Dense(2, input_dim=2)])
m.compile('adam', 'mse')
m.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0)
m.save('a.h5'); m.save_weights('w.h5'); m.load_weights('w.h5')
assert np.allclose(load_model('a.h5').predict(np.ones((1, 2))), m.predict(np.ones((1, 2))))
