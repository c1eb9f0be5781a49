import os
import numpy as np
from PIL import Image
from keras.preprocessing.image import ImageDataGenerator, img_to_array, load_img
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D
from keras.layers import Activation, Dropout, Flatten, Dense
from keras import backend as K

np.random.seed(9)
for part, count in (('train', 30), ('validation', 10)):
    for kind in ('across', 'along'):
        folder = os.path.join('data', part, kind)
        os.makedirs(folder)
        for i in range(count):
            pixels = np.random.randint(0, 60, (20, 24, 3))
            if kind == 'across':
                pixels[6 + i % 8: 10 + i % 8] = 230
            else:
                pixels[:, 6 + i % 8: 10 + i % 8] = 230
            Image.fromarray(pixels.astype('uint8')).save(os.path.join(folder, '%d.png' % i))

img_width, img_height = 16, 16
train_data_dir, validation_data_dir = 'data/train', 'data/validation'
nb_train_samples, nb_validation_samples, epochs, batch_size = 60, 20, 8, 10
if K.image_data_format() == 'channels_first':
    input_shape = (3, img_width, img_height)
else:
    input_shape = (img_width, img_height, 3)

model = Sequential()
model.add(Conv2D(8, (3, 3), input_shape=input_shape))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(16))
model.add(Activation('relu'))
model.add(Dropout(0.2))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])

train_datagen = ImageDataGenerator(rescale=1. / 255, shear_range=0.1, zoom_range=0.1, horizontal_flip=True,
                                   width_shift_range=0.1, fill_mode='nearest')
test_datagen = ImageDataGenerator(rescale=1. / 255)
train_generator = train_datagen.flow_from_directory(train_data_dir, target_size=(img_width, img_height),
                                                    batch_size=batch_size, class_mode='binary')
validation_generator = test_datagen.flow_from_directory(validation_data_dir, target_size=(img_width, img_height),
                                                        batch_size=batch_size, class_mode='binary')
history = model.fit_generator(train_generator, steps_per_epoch=nb_train_samples // batch_size, epochs=epochs,
                              validation_data=validation_generator,
                              validation_steps=nb_validation_samples // batch_size, verbose=2)
print(train_generator.class_indices)
assert train_generator.class_indices == {'across': 0, 'along': 1}
score = model.evaluate_generator(validation_generator, 2)
assert score[1] > 0.9, score

img = load_img('data/train/across/0.png')
x = img_to_array(img)
x = x.reshape((1,) + x.shape)
os.mkdir('preview')
i = 0
for batch in train_datagen.flow(x, batch_size=1, save_to_dir='preview', save_prefix='a', save_format='jpeg'):
    i += 1
    if i > 3:
        break
assert len(os.listdir('preview')) == 4
