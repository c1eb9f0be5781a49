from keras.wrappers.scikit_learn import KerasClassifier
from keras.models import Sequential
from keras.layers import Dense
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import LabelEncoder
import numpy as np
np.random.seed(1)
def build():
    m = Sequential([Dense(8, input_dim=2, activation='relu'), Dense(2, activation='softmax')])
    m.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
    return m
x = np.random.randn(60, 2)
y = LabelEncoder().fit_transform(np.where(x[:, 0] > 0, 'a', 'b'))
scores = cross_val_score(KerasClassifier(build_fn=build, nb_epoch=40, batch_size=5, verbose=0), x, y, cv=2)
assert scores.mean() > 0.7
