from keras.constraints import maxnorm, max_norm, nonneg, unitnorm
from keras import objectives, initializations
from keras.layers import Dense
from keras.regularizers import l1, l2, l1l2, WeightRegularizer
Dense(3, W_constraint=maxnorm(3), input_dim=2)
Dense(3, kernel_constraint=maxnorm(m=3))
assert objectives.get('mse') is objectives.mean_squared_error
assert initializations.get('glorot_uniform') is not None
