from keras.optimizers import adam, sgd, rmsprop, adadelta, SGD
from keras.models import Sequential
from keras.layers import Dense
for optimizer in (adam(lr=0.1), sgd(0.01), rmsprop(), adadelta(), 'Adam', 'SGD', 'nadam', SGD(lr=0.1, clipnorm=1.)):
    m = Sequential([Dense(1, input_dim=1)])
    m.compile(loss='mse', optimizer=optimizer)
    m.train_on_batch([[1.]], [[2.]])
