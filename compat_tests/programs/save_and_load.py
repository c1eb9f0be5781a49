import numpy as np
from keras.models import Sequential, load_model, model_from_json
from keras.layers import Dense, Dropout, BatchNormalization
from keras.callbacks import ModelCheckpoint

np.random.seed(40)
X = np.random.randn(200, 6)
Y = (X[:, :1] > 0).astype(int)
model = Sequential()
model.add(Dense(12, input_dim=6, activation='relu'))
model.add(BatchNormalization())
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
filepath = "weights-improvement-{epoch:02d}-{val_acc:.2f}.hdf5"
checkpoint = ModelCheckpoint(filepath, monitor='val_acc', verbose=1, save_best_only=True, mode='max')
model.fit(X, Y, validation_split=0.33, epochs=40, batch_size=10, callbacks=[checkpoint], verbose=0)
scores = model.evaluate(X, Y, verbose=0)
print("%s: %.2f%%" % (model.metrics_names[1], scores[1] * 100))
assert scores[1] > 0.85
model_json = model.to_json()
with open("model.json", "w") as json_file:
    json_file.write(model_json)
model.save_weights("model.h5")
loaded_model = model_from_json(open('model.json').read())
loaded_model.load_weights("model.h5")
loaded_model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
assert np.allclose(loaded_model.evaluate(X, Y, verbose=0), scores)
model.save('my_model.h5')
del model
model = load_model('my_model.h5')
assert np.allclose(model.evaluate(X, Y, verbose=0), scores)
model.fit(X, Y, epochs=1, verbose=0)
