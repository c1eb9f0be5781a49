"""Which scripts have pictures with their channels first, told from their text."""

from __future__ import annotations

import pathlib

import pytest

from kjax.compat._ordering import channels_first

FIRST = {
    "by the shape": "m.add(Convolution2D(8, 3, 3, input_shape=(3, 32, 32)))",
    "by names": "rows, cols = 32, 32\nm.add(Convolution2D(8, 3, 3, input_shape=(img_channels, rows, cols)))",
    "by a name's value": "ch, row, col = 3, 16, 32\nLambda(f, input_shape=(ch, row, col))\nConvolution2D(16, 8, 8)",
    "by a name for all": "shape = (1, 28, 28)\nConvolution2D(8, 3, 3, border_mode='same', input_shape=shape)",
    "by the width": "Convolution2D(8, 3, 3, input_shape=(n * steps, map_height, map_width))",
    "by an input": "x = Input((1, rows, cols))\nConvolution2D(8, 3, 3)(x)",
    "by data": "x = x.reshape(x.shape[0], 1, 28, 28)\nConvolution2D(8, 3, 3, input_shape=x.shape[1:])",
    "by a turn": "x = im.transpose((2, 0, 1))\nConvolution2D(8, 3, 3)",
    "by Keras 0": "m.add(Convolution2D(32, 3, 3, 3, border_mode='full'))",
    "in three dimensions": "Convolution3D(64, 3, 3, 3, input_shape=(3, 16, 112, 112))",
    "by a text as an image": "Reshape(dims=(1, length, size), input_shape=(length, size))\nConvolution2D(8, 3, size)",
}
NOT = {
    "channels last": "m.add(Convolution2D(8, 3, 3, input_shape=(32, 32, 3)))",
    "it says so": "K.set_image_dim_ordering('tf')\nConvolution2D(8, 3, 3, input_shape=(3, 32, 32))",
    "it asks": "if K.image_dim_ordering() == 'th': x = x.reshape(n, 1, 28, 28)\nConvolution2D(8, 3, 3)",
    "Keras 2": "m.add(Conv2D(8, (3, 3), input_shape=(3, 32, 32)))",
    "Keras 2 with an old name": "m.add(Convolution2D(8, (3, 3), input_shape=(3, 32, 32)))",
    "both": "Convolution2D(8, 3, 3, input_shape=(3, 32, 32))\nInput((32, 32, 3))",
    "unknown": "Convolution2D(8, 3, 3, input_shape=shape)",
    "no pictures": "LSTM(output_dim=3, input_shape=(3, 10, 10))",
    "samples, not channels": "x = x.reshape(3, 28, 28)\nConvolution2D(8, 3, 3)",
    "not Python 3": "print 'x'\nConvolution2D(8, 3, 3, input_shape=(3, 32, 32))",
}


@pytest.mark.parametrize("text", FIRST.values(), ids=FIRST)
def test_channels_first(text: str, tmp_path: pathlib.Path) -> None:
    assert channels_first(text, str(tmp_path))


@pytest.mark.parametrize("text", NOT.values(), ids=NOT)
def test_not_told(text: str, tmp_path: pathlib.Path) -> None:
    assert not channels_first(text, str(tmp_path))


def test_modules_beside_the_script(tmp_path: pathlib.Path) -> None:
    (tmp_path / "net.py").write_text(FIRST["by the shape"])
    assert channels_first("from net import *\n", str(tmp_path))
    (tmp_path / "settings.py").write_text("K.set_image_data_format('channels_last')")
    assert not channels_first("import net, settings\n", str(tmp_path))
