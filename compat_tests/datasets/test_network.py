"""Downloads, and what is said where there is no network."""

from __future__ import annotations

import functools
import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from compat_tests.datasets.files import check, digits, found, refuse, write_idx
from kjax.datasets import _download, _tfds, cifar10, cifar100, fashion_mnist, mnist
from kjax.datasets._download import RemoteFile


def test_offline_error_lists_every_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KJAX_DATASETS", str(tmp_path / "mine"))
    (tmp_path / "home" / ".keras" / "datasets").mkdir(parents=True)
    started = time.perf_counter()
    with pytest.raises(OSError, match="mnist was not found") as caught:
        mnist.load_data()
    assert time.perf_counter() - started < 2
    text = str(caught.value)
    places = [
        f"{tmp_path / 'mine'} (KJAX_DATASETS): no such folder",
        f"{tmp_path / 'kjax' / 'datasets'} (kjax's own): no such folder",
        f"{tmp_path / 'home' / '.keras' / 'datasets'} (Keras's): not in it",
        f"{tmp_path / 'home' / 'tensorflow_datasets' / 'mnist'} (TFDS): no such folder",
        "no network (storage.googleapis.com not reached",
        "Put mnist.npz",
        "kjax.datasets.drawn_digits",
    ]
    assert [text.find(place) for place in places] == sorted(text.find(place) for place in places)
    assert text.find(places[0]) > 0
    for load in (fashion_mnist.load_data, cifar10.load_data, cifar100.load_data):
        with pytest.raises(OSError, match="or set KJAX_DATASETS to a folder"):
            load()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server on this machine, and the folder that it serves."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", folder
        running.shutdown()
        thread.join()


@pytest.fixture
def small_mnist(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets mnist be downloaded from this machine; returns the folder that is served."""
    address, folder = server
    write_idx(folder, digits(), True)
    downloads = tuple(
        RemoteFile(
            path.name,
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
            *[address + path.name] * 2,
        )
        for path in sorted(folder.iterdir())
    )
    monkeypatch.setattr(mnist, "_MNIST", replace(mnist._MNIST, downloads=downloads))
    monkeypatch.setattr(_download, "reachable", lambda url: True)
    return folder


@pytest.mark.parametrize("with_tfds", [True, False])
def test_download(small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_tfds: bool):
    other = "get" if with_tfds else "download"
    monkeypatch.setattr(_download if with_tfds else _tfds, other, refuse)
    check(mnist.load_data(), digits())
    assert found(tmp_path / "kjax" / "datasets") == [f"mnist/{path.name}" for path in sorted(small_mnist.iterdir())]
    monkeypatch.setattr(_download, "reachable", lambda url: False)
    check(mnist.load_data(), digits())


@pytest.mark.parametrize("change", [b"x", b""], ids=["longer", "other bytes"])
def test_download_that_fails_its_check_leaves_nothing(small_mnist: Path, tmp_path: Path, change: bytes):
    path = small_mnist / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07" + change)
    with pytest.raises(OSError, match=r"through TFDS: .*train-labels.*without TFDS: ChecksumError: train-labels"):
        mnist.load_data()
    assert found(tmp_path / "kjax") == []
    assert list((tmp_path / "kjax" / "datasets" / "mnist").iterdir()) == []


def test_missing_file_on_the_server(small_mnist: Path, tmp_path: Path):
    (small_mnist / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(OSError, match="without TFDS: HTTPError: HTTP Error 404"):
        mnist.load_data()
    assert found(tmp_path / "kjax") == []


def test_probe(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    address, _ = server
    assert _download.reachable(address + "file")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        assert not _download.reachable(closed)
        monkeypatch.setenv("http_proxy", address.removeprefix("http://"))
        assert _download.reachable("http://nowhere.invalid/file")


def test_probe_does_not_wait_for_a_name_that_is_not_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    release = threading.Event()

    def hang(*_: object, **__: object) -> socket.socket:
        release.wait(30)
        raise OSError("given up")

    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr(_download, "PROBE_SECONDS", 0.1)
    started = time.perf_counter()
    try:
        assert not _download.reachable("http://host.invalid/")
    finally:
        release.set()
    assert time.perf_counter() - started < 5
