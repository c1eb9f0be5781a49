import os
os.environ['CUDA_VISIBLE_DEVICES'] = '0'
import tensorflow as tf
from keras import backend as K
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
config.gpu_options.per_process_gpu_memory_fraction = 0.4
K.set_session(tf.Session(config=config))
from keras.backend.tensorflow_backend import set_session
set_session(tf.Session(config=tf.ConfigProto(allow_soft_placement=True)))
sess = K.get_session()
K.clear_session()
tf.set_random_seed(3)
