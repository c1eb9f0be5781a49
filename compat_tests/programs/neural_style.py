# An image is changed by L-BFGS until its features and its style are those that are wanted.
import numpy as np
from scipy.optimize import fmin_l_bfgs_b
from keras import backend as K
from keras.layers import Conv2D, AveragePooling2D, Input
from keras.models import Model

np.random.seed(24)
rows, cols = 10, 10
base_image = K.variable(np.random.rand(1, rows, cols, 3))
style_reference_image = K.variable(np.random.rand(1, rows, cols, 3) * 2)
combination_image = K.placeholder((1, rows, cols, 3))
input_tensor = K.concatenate([base_image, style_reference_image, combination_image], axis=0)
inp = Input(tensor=input_tensor)
h = Conv2D(6, (3, 3), activation='relu', padding='same', name='conv1')(inp)
h = AveragePooling2D((2, 2))(h)
h = Conv2D(6, (3, 3), activation='relu', padding='same', name='conv2')(h)
model = Model(inp, h)
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    S, C = gram_matrix(style), gram_matrix(combination)
    return K.sum(K.square(S - C)) / (4. * (3 ** 2) * ((rows * cols) ** 2))


def total_variation_loss(x):
    a = K.square(x[:, :rows - 1, :cols - 1, :] - x[:, 1:, :cols - 1, :])
    b = K.square(x[:, :rows - 1, :cols - 1, :] - x[:, :rows - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.)
layer_features = outputs_dict['conv2']
loss = loss + 0.025 * K.sum(K.square(layer_features[2, :, :, :] - layer_features[0, :, :, :]))
for name in ['conv1']:
    layer_features = outputs_dict[name]
    loss = loss + style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
loss = loss + 1e-4 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
outputs = [loss]
if isinstance(grads, (list, tuple)):
    outputs += grads
else:
    outputs.append(grads)
f_outputs = K.function([combination_image], outputs)


class Evaluator(object):
    def __init__(self):
        self.loss_value = None
        self.grads_values = None

    def loss(self, x):
        assert self.loss_value is None
        outs = f_outputs([x.reshape((1, rows, cols, 3))])
        self.loss_value = outs[0]
        self.grad_values = outs[1].flatten().astype('float64')
        return self.loss_value

    def grads(self, x):
        grad_values = np.copy(self.grad_values)
        self.loss_value = None
        self.grad_values = None
        return grad_values


evaluator = Evaluator()
x = np.random.uniform(0, 1, (1, rows, cols, 3))
values = []
for i in range(2):
    x, min_val, info = fmin_l_bfgs_b(evaluator.loss, x.flatten(), fprime=evaluator.grads, maxfun=15)
    values.append(min_val)
print(values)
assert values[1] <= values[0]
