from keras.layers import *
from keras.models import *
from keras.optimizers import *
from keras.layers import regularizers, initializers, constraints, activations
from keras.layers import K as K2
from keras.models import Sequential as S
from keras.layers.core import K
m = S([Dense(2, input_dim=3, kernel_regularizer=regularizers.l2(0.1), activation=activations.relu)])
m.compile(SGD(lr=0.1), 'mse')
assert K is K2 and K.floatx() == 'float32'
del K, regularizers
from keras.layers.recurrent import *
from keras.callbacks import *
assert issubclass(LSTM, RNN) and K is K2 and regularizers.l2(0.1) and np.ones(3).sum() == 3 and os.path and time.time()
