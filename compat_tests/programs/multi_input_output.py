import numpy as np
import keras
from keras.layers import Input, Embedding, LSTM, Dense
from keras.models import Model

np.random.seed(15)
headline = np.random.randint(1, 20, (200, 6))
additional = np.random.rand(200, 3)
labels = ((headline[:, -1] > 9) ^ (additional[:, 0] > .5)).astype(int)
aux = (headline[:, -1] > 9).astype(int)
main_input = Input(shape=(6,), dtype='int32', name='main_input')
x = Embedding(output_dim=8, input_dim=20, input_length=6)(main_input)
lstm_out = LSTM(8)(x)
auxiliary_output = Dense(1, activation='sigmoid', name='aux_output')(lstm_out)
auxiliary_input = Input(shape=(3,), name='aux_input')
x = keras.layers.concatenate([lstm_out, auxiliary_input])
x = Dense(16, activation='relu')(x)
x = Dense(16, activation='relu')(x)
main_output = Dense(1, activation='sigmoid', name='main_output')(x)
model = Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])
model.compile(optimizer='rmsprop', loss={'main_output': 'binary_crossentropy', 'aux_output': 'binary_crossentropy'},
              loss_weights={'main_output': 1., 'aux_output': 0.2}, metrics={'aux_output': 'accuracy'})
hist = model.fit({'main_input': headline, 'aux_input': additional}, {'main_output': labels, 'aux_output': aux},
                 epochs=60, batch_size=10, verbose=0)
print(hist.history['aux_output_acc'][-1], sorted(hist.history))
assert sorted(hist.history) == ['aux_output_acc', 'aux_output_loss', 'loss', 'main_output_loss']
assert np.isclose(hist.history['loss'][3], hist.history['main_output_loss'][3] + .2 * hist.history['aux_output_loss'][3])
assert hist.history['aux_output_acc'][-1] > 0.9
assert len(model.predict([headline, additional])) == 2
