import numpy as np
from keras.optimizers import RMSprop
from keras.models import Sequential, Model
from keras.layers import Embedding, Reshape, Input, Dense, Dot
from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import skipgrams, make_sampling_table

np.random.seed(23)
corpus = ['a b a b c a b', 'x y z x y z y'] * 30
tokenizer = Tokenizer(filters='')
tokenizer.fit_on_texts(corpus)
V = len(tokenizer.word_index) + 1
couples_all, labels_all = [], []
for doc in tokenizer.texts_to_sequences(corpus):
    couples, labels = skipgrams(doc, vocabulary_size=V, window_size=2, negative_samples=1.)
    couples_all += couples
    labels_all += labels
pairs, labels = np.array(couples_all, dtype='int32'), np.array(labels_all)
input_target, input_context = Input((1,)), Input((1,))
embedding = Embedding(V, 6, input_length=1, name='embedding')
target = Reshape((6, 1))(embedding(input_target))
context = Reshape((6, 1))(embedding(input_context))
dot_product = Dot(axes=1)([target, context])
dot_product = Reshape((1,))(dot_product)
output = Dense(1, activation='sigmoid')(dot_product)
model = Model(inputs=[input_target, input_context], outputs=output)
model.compile(loss='binary_crossentropy', optimizer=RMSprop(lr=0.01))
losses = []
for epoch in range(6):
    loss = 0.
    for start in range(0, len(labels), 64):
        batch = slice(start, start + 64)
        loss += model.train_on_batch([pairs[batch, 0], pairs[batch, 1]], labels[batch])
    losses.append(loss)
print(losses)
assert losses[-1] < 0.97 * losses[0]
vectors = model.get_layer('embedding').get_weights()[0]
assert vectors.shape == (V, 6)
assert make_sampling_table(V).shape == (V,)
