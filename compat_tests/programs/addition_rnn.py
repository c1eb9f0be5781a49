from __future__ import print_function
from keras.models import Sequential
from keras import layers
import numpy as np


class CharacterTable(object):
    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = dict((c, i) for i, c in enumerate(self.chars))
        self.indices_char = dict((i, c) for i, c in enumerate(self.chars))

    def encode(self, C, num_rows):
        x = np.zeros((num_rows, len(self.chars)))
        for i, c in enumerate(C):
            x[i, self.char_indices[c]] = 1
        return x

    def decode(self, x, calc_argmax=True):
        if calc_argmax:
            x = x.argmax(axis=-1)
        return ''.join(self.indices_char[x] for x in x)


np.random.seed(35)
DIGITS, REVERSE = 1, True
MAXLEN = DIGITS + 1 + DIGITS
chars = '0123456789+ '
ctable = CharacterTable(chars)
questions = ['%d+%d' % (a, b) for a in range(10) for b in range(10)]
expected = [str(eval(q)).ljust(DIGITS + 1) for q in questions]
x = np.zeros((len(questions), MAXLEN, len(chars)), dtype=bool)
y = np.zeros((len(questions), DIGITS + 1, len(chars)), dtype=bool)
for i, sentence in enumerate(questions):
    x[i] = ctable.encode(sentence, MAXLEN)
for i, sentence in enumerate(expected):
    y[i] = ctable.encode(sentence, DIGITS + 1)
RNN = layers.LSTM
model = Sequential()
model.add(RNN(48, input_shape=(MAXLEN, len(chars))))
model.add(layers.RepeatVector(DIGITS + 1))
for _ in range(1):
    model.add(RNN(48, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(len(chars), activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
for iteration in range(1, 4):
    model.fit(x, y, batch_size=10, epochs=25, validation_data=(x, y), verbose=0)
ind = np.random.randint(0, len(x))
rowx, rowy = x[np.array([ind])], y[np.array([ind])]
preds = model.predict_classes(rowx, verbose=0)
print('Q', ctable.decode(rowx[0]), 'T', ctable.decode(rowy[0]), 'P', ctable.decode(preds[0], calc_argmax=False))
assert model.evaluate(x, y, verbose=0)[1] > 0.7
