# Characters are reversed by an encoder and a decoder that is fed the right answer while it learns.
from __future__ import print_function
from keras.models import Model
from keras.layers import Input, LSTM, Dense
import numpy as np

np.random.seed(4)
chars = 'abc'
words = [''.join(np.random.choice(list(chars), 3)) for _ in range(250)]
targets = ['\t' + w[::-1] + '\n' for w in words]
target_chars = sorted(set(''.join(targets)))
token_index = dict([(c, i) for i, c in enumerate(target_chars)])
input_index = {c: i for i, c in enumerate(chars)}
num_encoder_tokens, num_decoder_tokens, max_len = len(chars), len(target_chars), 5
encoder_input_data = np.zeros((len(words), 3, num_encoder_tokens), dtype='float32')
decoder_input_data = np.zeros((len(words), max_len, num_decoder_tokens), dtype='float32')
decoder_target_data = np.zeros((len(words), max_len, num_decoder_tokens), dtype='float32')
for i, (word, target) in enumerate(zip(words, targets)):
    for t, char in enumerate(word):
        encoder_input_data[i, t, input_index[char]] = 1.
    for t, char in enumerate(target):
        decoder_input_data[i, t, token_index[char]] = 1.
        if t > 0:
            decoder_target_data[i, t - 1, token_index[char]] = 1.

latent_dim = 32
encoder_inputs = Input(shape=(None, num_encoder_tokens))
encoder = LSTM(latent_dim, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, num_decoder_tokens))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(num_decoder_tokens, activation='softmax')
decoder_outputs = decoder_dense(decoder_outputs)
model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
from keras.optimizers import RMSprop
model.compile(optimizer=RMSprop(lr=0.01), loss='categorical_crossentropy')
model.fit([encoder_input_data, decoder_input_data], decoder_target_data, batch_size=25, epochs=40,
          validation_split=0.1, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
decoder_state_input_h = Input(shape=(latent_dim,))
decoder_state_input_c = Input(shape=(latent_dim,))
decoder_states_inputs = [decoder_state_input_h, decoder_state_input_c]
decoder_outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=decoder_states_inputs)
decoder_states = [state_h, state_c]
decoder_outputs = decoder_dense(decoder_outputs)
decoder_model = Model([decoder_inputs] + decoder_states_inputs, [decoder_outputs] + decoder_states)
reverse_index = dict((i, char) for char, i in token_index.items())


def decode_sequence(input_seq):
    states_value = encoder_model.predict(input_seq)
    target_seq = np.zeros((1, 1, num_decoder_tokens))
    target_seq[0, 0, token_index['\t']] = 1.
    decoded = ''
    while True:
        output_tokens, h, c = decoder_model.predict([target_seq] + states_value)
        sampled = np.argmax(output_tokens[0, -1, :])
        char = reverse_index[sampled]
        decoded += char
        if char == '\n' or len(decoded) > max_len:
            return decoded
        target_seq = np.zeros((1, 1, num_decoder_tokens))
        target_seq[0, 0, sampled] = 1.
        states_value = [h, c]


right = 0
for i in range(20):
    right += decode_sequence(encoder_input_data[i: i + 1]).strip() == words[i][::-1]
print(right, 'of 20')
assert right >= 15
