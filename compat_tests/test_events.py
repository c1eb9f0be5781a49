"""Event files: checksums and encodings against their definitions, and read back by a reader written apart.

Where TensorFlow is installed, it reads the file too.
"""

from __future__ import annotations

import pathlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax._core import events


def read_fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: number and raw content."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        field, kind = divmod(varint(), 8)
        if kind == 0:
            yield field, varint()
        elif kind == 2:
            size = varint()
            yield field, data[at : at + size]
            at += size
        else:
            size, code = {1: (8, "<d"), 5: (4, "<f")}[kind]
            yield field, struct.unpack(code, data[at : at + size])[0]
            at += size


def read_records(path: pathlib.Path) -> Iterator[bytes]:
    """The records of a TFRecord file, their lengths and checksums compared."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (size,) = struct.unpack("<Q", data[at : at + 8])
        assert struct.unpack("<I", data[at + 8 : at + 12])[0] == events.masked_crc(data[at : at + 8])
        content = data[at + 12 : at + 12 + size]
        assert struct.unpack("<I", data[at + 12 + size : at + 16 + size])[0] == events.masked_crc(content)
        yield content
        at += 16 + size


def test_checksum_is_crc32c() -> None:
    # Check values of the polynomial: RFC 3720, section B.4, and the usual nine digits.
    assert events.crc32c(b"123456789") == 0xE3069283
    assert events.crc32c(bytes(32)) == 0x8A9136AA
    assert events.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert events.crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize(("value", "size"), [(0, 1), (127, 1), (128, 2), (300, 2), (2**63 - 1, 9), (-1, 10)])
def test_varint(value: int, size: int) -> None:
    encoded = events.integer(3, value)
    assert len(encoded) == 1 + size
    assert list(read_fields(encoded)) == [(3, value % 2**64)]


def test_scalars_and_steps_come_back(tmp_path: pathlib.Path) -> None:
    with events.EventWriter(tmp_path / "logs", suffix=".v2") as writer:
        writer.scalar("loss", np.float32(0.25), 7)
        writer.scalar("loss", 1e300)
    assert writer.closed
    assert writer.path.name.endswith(".v2")
    version, first, second = (dict(read_fields(r)) for r in read_records(writer.path))
    assert version[3] == b"brain.Event:2"
    assert first[2] == 7
    assert 2 not in second
    value = dict(read_fields(dict(read_fields(first[5]))[1]))
    assert value == {1: b"loss", 2: 0.25}
    assert dict(read_fields(dict(read_fields(second[5]))[1]))[2] == float("inf")
    with pytest.raises(ValueError, match="closed"):
        writer.scalar("loss", 1.0)


def test_writers_of_one_second_have_files_of_their_own(tmp_path: pathlib.Path) -> None:
    writers = [events.EventWriter(tmp_path) for _ in range(3)]
    assert len({w.path for w in writers}) == len(list(tmp_path.iterdir())) == 3
    for writer in writers:
        writer.close()


def test_histogram_counts_every_number() -> None:
    numbers = np.concatenate([np.random.default_rng(0).normal(size=1000), [0.0, -1e30, 1e30, np.nan, np.inf]])
    value = dict(read_fields(events.histogram_value("w", numbers)))
    fields = dict(read_fields(value[5]))
    finite = numbers[np.isfinite(numbers)]
    assert [fields[i] for i in range(1, 6)] == pytest.approx(
        [finite.min(), finite.max(), 1003, finite.sum(), np.square(finite).sum()]
    )
    limits, counts = (np.frombuffer(fields[i]) for i in (6, 7))
    assert np.all(np.diff(limits) > 0)
    # A bucket holds what lies from the limit before it up to its own.
    expected = np.histogram(finite, [-np.inf, *limits])[0]
    expected[-1] = np.sum(finite >= limits[-2])
    np.testing.assert_array_equal(counts, expected)


def test_histogram_of_nothing() -> None:
    fields = dict(read_fields(dict(read_fields(events.histogram_value("w", [])))[5]))
    assert fields[3] == 0.0
    assert np.frombuffer(fields[7]).sum() == 0.0


def unpacked(data: bytes) -> np.ndarray:
    """The pixels of a PNG file, read by its definition."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + content)
        chunks[name] = content
        at += 12 + size
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[kind]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert depth == 8
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_image_is_a_png(channels: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, channels), np.uint8)
    value = dict(read_fields(events.image_value("x", pixels)))
    fields = dict(read_fields(value[4]))
    assert (fields[1], fields[2], fields[3]) == (5, 7, channels)
    np.testing.assert_array_equal(unpacked(fields[4]), pixels)


def test_images_of_floats_are_scaled() -> None:
    np.testing.assert_array_equal(events.image_bytes([[0.0, 0.5], [1.0, 0.25]])[..., 0], [[0, 127], [255, 63]])
    np.testing.assert_array_equal(events.image_bytes([[0.0, -1.0], [0.5, 1.0]])[..., 0], [[128, 1], [191, 255]])
    with pytest.raises(ValueError, match=r"\(2, 2, 5\)"):
        events.image_bytes(np.zeros((2, 2, 5)))


def test_tensorflow_reads_the_file(tmp_path: pathlib.Path) -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    with events.EventWriter(tmp_path) as writer:
        writer.scalar("loss", 0.5, 1)
        writer.histogram("w", np.arange(10.0), 2)
        writer.image("x", np.eye(4), 3)
        writer.text("t", "hello", 4)
        writer.graph(events.graph_def([("a", "Placeholder", [], {}), ("b", "Square", ["a"], {"shape": "(2,)"})]))
    _, scalar, histogram, image, text, graph = tf.compat.v1.train.summary_iterator(str(writer.path))
    assert (scalar.step, scalar.summary.value[0].tag, scalar.summary.value[0].simple_value) == (1, "loss", 0.5)
    assert (histogram.step, histogram.summary.value[0].histo.num) == (2, 10)
    assert tf.io.decode_png(image.summary.value[0].image.encoded_image_string).shape == (4, 4, 1)
    assert text.summary.value[0].tensor.string_val == [b"hello"]
    nodes = tf.compat.v1.GraphDef.FromString(graph.graph_def).node
    assert [(n.name, n.op, list(n.input)) for n in nodes] == [("a", "Placeholder", []), ("b", "Square", ["a"])]
    assert nodes[1].attr["shape"].s == b"(2,)"
