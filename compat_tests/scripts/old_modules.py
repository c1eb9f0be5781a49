from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D, Conv2D
from keras.layers.advanced_activations import LeakyReLU, PReLU, ELU
from keras.layers.normalization import BatchNormalization
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM, GRU, SimpleRNN
from keras.layers.wrappers import TimeDistributed, Bidirectional
from keras.layers.pooling import GlobalAveragePooling2D
from keras.layers.noise import GaussianNoise, GaussianDropout
from keras.layers.merge import concatenate, add, Concatenate
from keras.layers.core import Dense, Dropout, Activation, Flatten, Reshape, Lambda, RepeatVector, Permute, Masking
from keras.engine.topology import Layer, InputSpec, Input
from keras.engine import Model
from keras.engine.training import Model as M2
from keras.utils.np_utils import to_categorical
from keras.utils.vis_utils import plot_model
from keras.utils.visualize_util import plot
from keras.utils.generic_utils import get_custom_objects, CustomObjectScope
from keras.utils.data_utils import get_file, Sequence
from keras.utils.io_utils import HDF5Matrix
from keras.preprocessing import image, sequence, text
from keras.datasets import mnist, cifar10, imdb, reuters, boston_housing, fashion_mnist
from tensorflow.python.keras.layers import Dense as D2
from tensorflow.keras.layers import Dense as D3
import keras
assert D2 is Dense and D3 is keras.layers.Dense and M2 is Model
