import numpy as np
from sklearn.model_selection import GridSearchCV
from keras.models import Sequential
from keras.layers import Dense
from keras.wrappers.scikit_learn import KerasClassifier


def create_model(optimizer='adam', neurons=4):
    model = Sequential()
    model.add(Dense(neurons, input_dim=3, activation='relu'))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
    return model


seed = 7
np.random.seed(seed)
X = np.random.randn(150, 3)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = KerasClassifier(build_fn=create_model, epochs=40, batch_size=10, verbose=0)
grid = GridSearchCV(estimator=model, param_grid=dict(neurons=[1, 24]), cv=2)
grid_result = grid.fit(X, Y)
print("Best: %f using %s" % (grid_result.best_score_, grid_result.best_params_))
for mean, param in zip(grid_result.cv_results_['mean_test_score'], grid_result.cv_results_['params']):
    print("%f with: %r" % (mean, param))
assert grid_result.best_params_ == {'neurons': 24}
assert grid.best_estimator_.score(X, Y) > 0.8
