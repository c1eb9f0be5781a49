# What an image must look like to please a filter, by K.function and K.gradients.
from __future__ import print_function
import numpy as np
from keras import backend as K
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, Flatten, Dense

np.random.seed(16)
model = Sequential()
model.add(Conv2D(4, (3, 3), activation='relu', padding='same', name='block1_conv1', input_shape=(12, 12, 3)))
model.add(MaxPooling2D((2, 2)))
model.add(Conv2D(6, (3, 3), activation='relu', name='block2_conv1'))
model.add(Flatten())
model.add(Dense(3, activation='softmax'))
input_img = model.input
layer_dict = dict([(layer.name, layer) for layer in model.layers[:]])


def normalize(x):
    return x / (K.sqrt(K.mean(K.square(x))) + K.epsilon())


gained = 0
for filter_index in range(3):
    layer_output = layer_dict['block2_conv1'].output
    if K.image_data_format() == 'channels_first':
        loss = K.mean(layer_output[:, filter_index, :, :])
    else:
        loss = K.mean(layer_output[:, :, :, filter_index])
    grads = K.gradients(loss, input_img)[0]
    grads = normalize(grads)
    iterate = K.function([input_img], [loss, grads])
    input_img_data = np.random.random((1, 12, 12, 3)) * 0.2 + 0.5
    first = iterate([input_img_data])[0]
    for i in range(10):
        loss_value, grads_value = iterate([input_img_data])
        input_img_data += grads_value * 0.1
        if loss_value <= 0.:
            break
    gained += loss_value > 1.2 * first
print(gained)
assert gained >= 1

# Saliency: which pixel matters, also with the learning phase among the inputs.
saliency = K.function([model.input, K.learning_phase()], K.gradients(K.max(model.output, axis=1), [model.input]))
found = saliency([np.random.rand(2, 12, 12, 3), 0])[0]
assert found.shape == (2, 12, 12, 3) and np.abs(found).max() > 0
