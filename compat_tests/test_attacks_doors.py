"""The attacks through ways in that older scripts use: pictures, parts of HDF5 files, YAML, checkpoints, pipes."""

# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false, reportArgumentType=false

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from compat_tests.attacks import refuses, watched
from kjax.compat import _pictures, tensorflow
from kjax.layers import Dense
from kjax.legacy import saving
from kjax.legacy.h5dict import H5Dict
from kjax.models import Sequential, load_model, model_from_yaml
from kjax.preprocessing.image import load_img
from kjax.preprocessing.text import tokenizer_from_json
from kjax.utils.io_utils import HDF5Matrix


def model() -> Any:
    return Sequential([Dense(2, input_shape=(2,), name="entry")])


def bomb(filtered: str) -> bytes:
    """A stream of 1.5 GiB (deflate) or 200 MiB (LZF) of zeros."""
    if filtered == "lzf":  # a byte of its own, then it 264 times again, and again
        return b"\0\0" + b"\xe0\xff\0" * ((200 << 20) // 264)
    packer = zlib.compressobj(9)
    stream = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return stream + stream[2:] * 1535


@pytest.mark.parametrize("filtered", ["gzip", "lzf"])
@pytest.mark.parametrize("side", [2048, 16])
def test_chunks_that_unpack_to_more(tmp_path: Path, filtered: str, side: int) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset("entry/x", (side, side), "f4", chunks=(side, side), compression=filtered)
        made.id.write_direct_chunk((0, 0), bomb(filtered))
        file.attrs["layer_names"] = [b"entry"]
        file["entry"].attrs["weight_names"] = [b"x"]
    path, match = str(tmp_path / "x.h5"), "unpacks to|bytes for"
    refuses(lambda: HDF5Matrix(path, "entry/x")[3], tmp_path, match)
    refuses(lambda: np.asarray(HDF5Matrix(path, "entry/x")), tmp_path, match)
    with H5Dict(path, "r") as opened:
        refuses(lambda: opened["entry"]["x"], tmp_path, match)
    with h5py.File(path) as file:
        refuses(lambda: saving.load_weights_from_hdf5_group(file, model().layers), tmp_path, match)
        refuses(lambda: saving.load_weights_from_hdf5_group_by_name(file, model().layers), tmp_path, match)


def test_links_and_texts_in_a_part_of_a_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["s/t"] = np.arange(3.0)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["link"] = h5py.ExternalLink("secret.h5", "/s")
        file["soft"] = h5py.SoftLink("/")
        file.create_dataset("stored", (3,), "f8", external=[("secret.h5", 0, 24)])
        file.attrs["text"] = "any length"
        file.attrs["layer_names"] = ["any length"]
    with H5Dict(str(tmp_path / "x.h5"), "r") as opened:
        for name in ("link", "link/t", "soft", "soft/stored", "stored"):
            refuses(lambda name=name: opened[name], tmp_path, "never")
    # A reference says that its text has 3 GiB.
    data = (tmp_path / "x.h5").read_bytes()
    heap = data.index(b"GCOL")
    for number in (1, 2):
        reference = struct.pack("<IQI", 10, heap, number)
        assert reference in data
        data = data.replace(reference, struct.pack("<IQI", 3 << 30, heap, number))
    (tmp_path / "y.h5").write_bytes(data)
    for source in (str(tmp_path / "y.h5"), h5py.File(io.BytesIO(data), "r")):
        with H5Dict(source, "r") as opened:
            refuses(lambda: opened["text"], tmp_path, "is not there")
            refuses(lambda: saving.load_attributes_from_hdf5_group(opened.data, "layer_names"), tmp_path, "not there")


def test_pictures(tmp_path: Path) -> None:
    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    def png(rows: int, columns: int) -> bytes:
        start = part(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + start + part(b"IDAT", zlib.compress(bytes(1 << 20))) + part(b"IEND", b"")

    drawn = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) (w) file\n%%EOF\n"
    for name, content, match in (
        ("a.png", png(9000, 9000), "MAX_IMAGE_PIXELS"),
        ("b.png", png(2**30, 2**30), "decompression bomb"),
        ("c.png", drawn, "another program"),
        ("d.png", b"text", "cannot identify"),
    ):
        (tmp_path / name).write_bytes(content)
        refuses(lambda name=name: load_img(tmp_path / name), tmp_path, match)
        refuses(lambda name=name: _pictures.imread(str(tmp_path / name)), tmp_path, match)


@pytest.mark.parametrize("ending", ["h5", "keras", "png", "npz"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, ending: str) -> None:
    path = str(tmp_path / f"pipe.{ending}")
    os.mkfifo(path)
    for read in (load_model, model().load_weights, load_img, H5Dict):
        refuses(lambda read=read: read(path), tmp_path, "pipe")


def test_texts(tmp_path: Path) -> None:
    merged = "a: &a {" + ", ".join(f"k{i}: 1" for i in range(300)) + "}\nb: {<<: [" + ",".join(["*a"] * 3000) + "]}"
    refuses(lambda: model_from_yaml(merged), tmp_path, "merges mappings")
    for text in ("[" * 100_000, "{}", "null", '{"config": {"word_counts": "5"}}'):
        refuses(lambda text=text: tokenizer_from_json(text), tmp_path, "no tokenizer")


def test_a_checkpoint_is_restored_whole_or_not_at_all(tmp_path: Path) -> None:
    tf: Any = tensorflow
    with tf.Graph().as_default():
        first, second = tf.Variable(np.zeros(2, "f4"), name="first"), tf.Variable(np.zeros(2, "f4"), name="second")
        saver, session = tf.train.Saver([first, second]), tf.Session()
        session.run(tf.global_variables_initializer())
        prefix = str(tmp_path / "c")
        for bad in (np.zeros(3, "f4"), np.array(["a", "b"])):
            np.savez(prefix + ".npz", first=np.ones(2, "f4"), second=bad)
            with watched(tmp_path), pytest.raises(tf.errors.InvalidArgumentError, match="second"):
                saver.restore(session, prefix)
            assert session.run(first).tolist() == [0, 0]
        (tmp_path / "checkpoint").write_text("model_checkpoint_path: 5\n")
        refuses(lambda: tf.train.latest_checkpoint(str(tmp_path)), tmp_path, "checkpoint")
