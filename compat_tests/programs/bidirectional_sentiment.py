from __future__ import print_function
import numpy as np
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Dropout, Embedding, LSTM, Bidirectional

np.random.seed(20)
max_features, maxlen, batch_size = 30, 12, 25
x, y = [], []
for i in range(250):
    s = list(np.random.randint(3, max_features, np.random.randint(4, 15)))
    s.insert(np.random.randint(len(s)), 1 + i % 2)
    x.append(s[-12:] if (1 + i % 2) in s[-12:] else s[-11:] + [1 + i % 2])
    y.append(i % 2)
x = sequence.pad_sequences(x, maxlen=maxlen)
y = np.array(y)
model = Sequential()
model.add(Embedding(max_features, 16, input_length=maxlen))
model.add(Bidirectional(LSTM(12)))
model.add(Dropout(0.2))
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
model.fit(x, y, batch_size=batch_size, epochs=20, validation_data=[x, y], verbose=0)
score, acc = model.evaluate(x, y, batch_size=batch_size, verbose=0)
print('Test accuracy:', acc)
assert acc > 0.9
