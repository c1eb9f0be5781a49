import numpy as np
import keras
import keras.backend as K
from keras.callbacks import Callback, ReduceLROnPlateau, CSVLogger, LearningRateScheduler
from keras.models import Sequential
from keras.layers.core import Dense, Dropout
from keras.optimizers import SGD


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs={}):
        self.losses = []
        self.lr = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))

    def on_epoch_end(self, epoch, logs={}):
        self.lr.append(float(K.get_value(self.model.optimizer.lr)))


class Metrics(Callback):
    def on_train_begin(self, logs={}):
        self.val_f1s = []

    def on_epoch_end(self, epoch, logs={}):
        val_predict = (np.asarray(self.model.predict(self.validation_data[0]))).round()
        val_targ = self.validation_data[1]
        tp = (val_predict * val_targ).sum()
        self.val_f1s.append(2 * tp / (val_predict.sum() + val_targ.sum() + 1e-7))


def recall(y_true, y_pred):
    true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
    possible_positives = K.sum(K.round(K.clip(y_true, 0, 1)))
    return true_positives / (possible_positives + K.epsilon())


def step_decay(epoch):
    return 0.2 * (0.5 ** (epoch // 4))


np.random.seed(13)
x = np.random.randn(240, 5)
y = (x.sum(axis=1, keepdims=True) > 0).astype('float32')
model = Sequential([Dense(16, activation='tanh', input_dim=5), Dropout(0.1), Dense(1, activation='sigmoid')])
model.compile(loss='binary_crossentropy', optimizer=SGD(lr=0.2, momentum=0.9), metrics=['accuracy', recall])
history, metrics = LossHistory(), Metrics()
hist = model.fit(x, y, batch_size=24, epochs=9, validation_data=(x, y), verbose=0,
                 callbacks=[history, metrics, LearningRateScheduler(step_decay), CSVLogger('log.csv', separator=';')])
assert len(history.losses) == 90
assert np.allclose(history.lr, [0.2] * 4 + [0.1] * 4 + [0.05])
assert metrics.val_f1s[-1] > 0.9
assert hist.history['val_recall'][-1] > 0.9
lines = open('log.csv').read().strip().split('\n')
assert len(lines) == 10 and lines[0].startswith('epoch;')
plateau = ReduceLROnPlateau(monitor='val_loss', factor=0.1, patience=1, epsilon=10., min_lr=1e-5)
K.set_value(model.optimizer.lr, 0.01)
model.fit(x, y, epochs=5, validation_split=0.2, verbose=0, callbacks=[plateau])
assert K.get_value(model.optimizer.lr) < 0.001
