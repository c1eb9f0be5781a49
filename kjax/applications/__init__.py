"""Networks for images, as they were published, with their ImageNet weights where these can be had."""

from __future__ import annotations

from kjax._core import arguments
from kjax.applications import (
    densenet,
    efficientnet,
    imagenet_utils,
    inception_resnet_v2,
    inception_v3,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    nasnet,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
    xception,
)
from kjax.applications._outside import (
    correct_pad,
    get_keras_submodule,
    get_submodules_from_kwargs,
    set_keras_submodules,
)
from kjax.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from kjax.applications.efficientnet import (
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
)
from kjax.applications.inception_resnet_v2 import InceptionResNetV2
from kjax.applications.inception_v3 import InceptionV3
from kjax.applications.mobilenet import MobileNet
from kjax.applications.mobilenet_v2 import MobileNetV2
from kjax.applications.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from kjax.applications.nasnet import NASNetLarge, NASNetMobile
from kjax.applications.resnet import ResNet101, ResNet152
from kjax.applications.resnet50 import ResNet50
from kjax.applications.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from kjax.applications.vgg16 import VGG16
from kjax.applications.vgg19 import VGG19
from kjax.applications.xception import Xception

__all__ = [
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "Xception",
]

arguments.loaded(__name__)
