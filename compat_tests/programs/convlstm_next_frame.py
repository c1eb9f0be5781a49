from keras.models import Sequential
from keras.layers.convolutional import Conv3D
from keras.layers.convolutional_recurrent import ConvLSTM2D
from keras.layers.normalization import BatchNormalization
import numpy as np

np.random.seed(21)
n, frames = 20, 4
movies = np.zeros((n, frames + 1, 8, 8, 1), dtype=float)
for i in range(n):
    row, column = np.random.randint(0, 4), np.random.randint(0, 2)
    for t in range(frames + 1):
        movies[i, t, row: row + 2, (column + t) % 8, 0] = 1
movies = movies[:, :, :6, :6]
x, y = movies[:, :-1], movies[:, 1:]
seq = Sequential()
seq.add(ConvLSTM2D(filters=3, kernel_size=(3, 3), input_shape=(None, 6, 6, 1), padding='same', return_sequences=True))
seq.add(BatchNormalization())
seq.add(Conv3D(filters=1, kernel_size=(3, 3, 3), activation='sigmoid', padding='same', data_format='channels_last'))
seq.compile(loss='binary_crossentropy', optimizer='adadelta')
h = seq.fit(x, y, batch_size=10, epochs=20, validation_split=0.1, verbose=0)
print(h.history['loss'][0], h.history['loss'][-1])
assert h.history['loss'][-1] < 0.7 * h.history['loss'][0]
track = x[0][:3]
new_pos = seq.predict(track[np.newaxis, ::, ::, ::, ::])
assert new_pos.shape == (1, 3, 6, 6, 1)
