from keras.models import Sequential
from keras.layers import Dense
from keras.callbacks import EarlyStopping, ModelCheckpoint
import numpy as np, glob
x, y = np.random.rand(40, 3), np.eye(2)[np.arange(40) % 2]
for metric in ('accuracy', 'acc'):
    m = Sequential([Dense(2, activation='softmax', input_dim=3)])
    m.compile('adam', 'categorical_crossentropy', metrics=[metric])
    h = m.fit(x, y, epochs=3, validation_split=.25, verbose=0, callbacks=[
        EarlyStopping(monitor='val_acc', patience=9), EarlyStopping(monitor='val_accuracy', patience=9),
        ModelCheckpoint(metric + '-{epoch:02d}-{val_acc:.2f}-{val_accuracy:.2f}.h5', monitor='val_accuracy')])
    assert h.history['acc'] == h.history['accuracy'] and h.history['val_acc'] == h.history['val_accuracy']
    assert len(h.history['acc']) == 3 and h.epoch == [0, 1, 2]
assert len(glob.glob('*.h5')) == 6
