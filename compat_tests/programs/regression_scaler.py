import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split, cross_val_score, KFold
from sklearn.pipeline import Pipeline
from keras.models import Sequential
from keras.layers import Dense
from keras.wrappers.scikit_learn import KerasRegressor

np.random.seed(29)
frame = pd.DataFrame(np.random.rand(160, 4) * [1, 10, 100, 5], columns=list('abcd'))
frame['price'] = 3 * frame['a'] + 0.2 * frame['b'] + 0.01 * frame['c'] - frame['d']
dataset = frame.values
X, Y = dataset[:, 0:4], dataset[:, 4]


def baseline_model():
    model = Sequential()
    model.add(Dense(16, input_dim=4, kernel_initializer='normal', activation='relu'))
    model.add(Dense(1, kernel_initializer='normal'))
    model.compile(loss='mean_squared_error', optimizer='adam')
    return model


estimators = [('standardize', StandardScaler()),
              ('mlp', KerasRegressor(build_fn=baseline_model, epochs=60, batch_size=8, verbose=0))]
pipeline = Pipeline(estimators)
kfold = KFold(n_splits=2, shuffle=True, random_state=7)
results = cross_val_score(pipeline, X, Y, cv=kfold)
print("Results: %.2f (%.2f) MSE" % (results.mean(), results.std()))
assert results.mean() > -0.5 * Y.var()
X_train, X_test, y_train, y_test = train_test_split(frame[list('abcd')], frame['price'], random_state=0)
model = baseline_model()
model.fit(X_train / [1, 10, 100, 5], y_train, epochs=40, batch_size=8, verbose=0)
assert model.evaluate(X_test / [1, 10, 100, 5], y_test, verbose=0) < 0.5 * Y.var()
