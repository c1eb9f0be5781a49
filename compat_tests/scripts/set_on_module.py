import tensorflow as tf
tf.model = tf.keras.Sequential()
tf.model.add(tf.keras.layers.Dense(units=1, input_dim=1))
tf.model.compile(loss='mse', optimizer=tf.keras.optimizers.SGD(lr=0.1))
tf.model.fit([1, 2, 3], [1, 2, 3], epochs=50, verbose=0)
assert abs(tf.model.predict([5])[0, 0] - 5) < 1
