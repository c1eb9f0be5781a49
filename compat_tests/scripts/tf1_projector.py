import os
import tensorflow as tf
from tensorflow.contrib.tensorboard.plugins import projector

step = tf.get_variable('global_step', initializer=tf.constant(0), trainable=False)
assert step.shape == ()
words = tf.Variable(tf.random_normal([4, 2]), name='words')
config = projector.ProjectorConfig()
embedding = config.embeddings.add()
embedding.tensor_name = words.name
embedding.metadata_path = 'labels.tsv'
embedding.sprite.image_path = 'digits.png'
embedding.sprite.single_image_dim.extend([28, 28])
with tf.summary.FileWriter('logs', tf.get_default_graph()) as writer:
    projector.visualize_embeddings(writer, config)
with open(os.path.join('logs', 'projector_config.pbtxt')) as file:
    text = file.read()
assert 'tensor_name: "words:0"' in text and 'metadata_path: "labels.tsv"' in text and text.count('single_image_dim: 28') == 2
