# Questions about stories, by dot products of embeddings, as the examples of bAbI.
from __future__ import print_function
import numpy as np
from keras.models import Sequential, Model
from keras.layers.embeddings import Embedding
from keras.layers import Input, Activation, Dense, Permute, Dropout
from keras.layers import add, dot, concatenate
from keras.layers import LSTM

np.random.seed(34)
# A story is pairs of who and where; the question is who; the answer is where.
vocab_size, story_maxlen, query_maxlen = 12, 6, 1
stories, queries, answers = [], [], []
for i in range(400):
    people = np.random.permutation([1, 2, 3])
    places = np.random.randint(4, 8, 3)
    stories.append(np.stack([people, places], axis=1).ravel())
    asked = np.random.randint(3)
    queries.append([people[asked]])
    answers.append(np.eye(vocab_size)[places[asked]])
stories, queries, answers = np.array(stories), np.array(queries), np.array(answers)
input_sequence = Input((story_maxlen,))
question = Input((query_maxlen,))
input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=vocab_size, output_dim=16))
input_encoder_m.add(Dropout(0.05))
input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=vocab_size, output_dim=query_maxlen))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=vocab_size, output_dim=16, input_length=query_maxlen))
input_encoded_m = input_encoder_m(input_sequence)
input_encoded_c = input_encoder_c(input_sequence)
question_encoded = question_encoder(question)
match = dot([input_encoded_m, question_encoded], axes=(2, 2))
match = Activation('softmax')(match)
response = add([match, input_encoded_c])
response = Permute((2, 1))(response)
answer = concatenate([response, question_encoded])
answer = LSTM(24)(answer)
answer = Dense(vocab_size)(answer)
answer = Activation('softmax')(answer)
model = Model([input_sequence, question], answer)
from keras.optimizers import Adam
model.compile(optimizer=Adam(lr=0.02), loss='categorical_crossentropy', metrics=['accuracy'])
history = model.fit([stories, queries], answers, batch_size=32, epochs=40, verbose=0)
print(history.history['acc'][0], history.history['acc'][-1])
assert history.history['acc'][-1] > 0.35  # four places: chance is a quarter
