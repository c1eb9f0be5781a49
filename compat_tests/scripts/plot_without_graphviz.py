from keras.utils import plot_model
from keras.utils.vis_utils import model_to_dot
from keras.models import Sequential
from keras.layers import Dense
import os
m = Sequential([Dense(2, input_dim=2), Dense(1)])
plot_model(m, to_file='model.png', show_shapes=True)
assert os.path.getsize('model.png') > 500
