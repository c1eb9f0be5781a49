from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences
from keras.utils import to_categorical
from keras.layers import Dense, Input, GlobalMaxPooling1D, Conv1D, MaxPooling1D, Embedding, Dropout, concatenate
from keras.models import Model
import numpy as np

np.random.seed(19)
good, bad, other = ['good', 'fine', 'great'], ['bad', 'awful', 'poor'], ['the', 'film', 'is', 'a', 'and', 'very']
texts, labels = [], []
for i in range(240):
    words = list(np.random.choice(other, 6)) + [np.random.choice(good if i % 2 else bad)]
    np.random.shuffle(words)
    texts.append(' '.join(words).capitalize() + '!')
    labels.append(i % 2)
MAX_SEQUENCE_LENGTH, MAX_NUM_WORDS, EMBEDDING_DIM = 10, 15, 8
tokenizer = Tokenizer(num_words=MAX_NUM_WORDS)
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
word_index = tokenizer.word_index
data = pad_sequences(sequences, maxlen=MAX_SEQUENCE_LENGTH)
labels = to_categorical(np.asarray(labels))
indices = np.arange(data.shape[0])
np.random.shuffle(indices)
data, labels = data[indices], labels[indices]
num_words = min(MAX_NUM_WORDS, len(word_index) + 1)
embedding_matrix = np.random.randn(num_words, EMBEDDING_DIM)
embedding_layer = Embedding(num_words, EMBEDDING_DIM, weights=[embedding_matrix],
                            input_length=MAX_SEQUENCE_LENGTH, trainable=False)
sequence_input = Input(shape=(MAX_SEQUENCE_LENGTH,), dtype='int32')
embedded_sequences = embedding_layer(sequence_input)
convs = []
for fsz in [2, 3]:
    l_conv = Conv1D(nb_filter=12, filter_length=fsz, activation='relu')(embedded_sequences)
    convs.append(GlobalMaxPooling1D()(l_conv))
l_merge = concatenate(convs)
x = Dropout(0.2)(l_merge)
preds = Dense(2, activation='softmax')(x)
model = Model(sequence_input, preds)
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['acc'])
model.fit(data[:200], labels[:200], batch_size=20, epochs=70, validation_data=(data[200:], labels[200:]), verbose=0)
assert np.array_equal(embedding_layer.get_weights()[0], embedding_matrix.astype('float32'))
assert model.evaluate(data[200:], labels[200:], verbose=0)[1] > 0.9
