from keras.utils import np_utils, to_categorical
from keras.preprocessing.text import Tokenizer, one_hot, text_to_word_sequence
from keras.preprocessing.sequence import pad_sequences
import numpy as np
assert np_utils.to_categorical([0, 2, 1], 3).tolist() == to_categorical([0, 2, 1]).tolist()
t = Tokenizer(nb_words=10)
t.fit_on_texts(['the cat', 'the dog'])
assert t.texts_to_sequences(['the cat']) == [[1, 2]] and t.word_index['dog'] == 3
assert pad_sequences([[1], [1, 2, 3]], 2).tolist() == [[0, 1], [2, 3]]
assert len(one_hot('a b c', 10)) == 3 and text_to_word_sequence('A, b') == ['a', 'b']
