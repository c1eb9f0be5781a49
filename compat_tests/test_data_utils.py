"""`Sequence`, the queues around sources of batches, and files that are fetched, checked and unpacked."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from compat_tests.feeding_helper import Failing, FailingOddly, Numbers, OddError, Pids, Unpicklable
from kjax._core import workers
from kjax.utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, data_utils, get_file
from kjax.utils.data_utils import _hash_file, validate_file


def taken(enqueuer: Any, count: int, threads: int = 3, ahead: int = 10) -> list[float]:
    """The first number of each of `count` batches."""
    enqueuer.start(threads, ahead)
    batches = enqueuer.get()
    try:
        return [float(np.ravel(next(batches))[0]) for _ in range(count)]
    finally:
        enqueuer.stop()


# -- Sequence and queues ---------------------------------------------------------------------------------------------


def test_a_sequence_needs_its_two_methods_and_can_be_iterated_over() -> None:
    partial: Any = type("Partial", (Sequence,), {"__len__": lambda self: 3})
    with pytest.raises(TypeError, match="abstract"):
        partial()
    assert [float(batch[0, 0]) for batch in Numbers(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_batches_come_in_order_and_the_sequence_is_told_of_each_end(threads: int) -> None:
    source = Numbers()
    got = taken(OrderedEnqueuer(source), 45, threads)
    assert got == [*range(20), *(5.0 * i for i in range(20)), *(25.0 * i for i in range(5))]
    assert source.ends == 2


def test_a_pass_ends_when_its_last_batch_is_out() -> None:
    source = Numbers(3)
    queue = OrderedEnqueuer(source)
    queue.start()
    batches = queue.get()
    for _ in range(3):
        next(batches)
    queue.join_end_of_epoch()
    assert source.ends == 1
    queue.stop()


def test_processes_get_the_changed_sequence_after_each_epoch() -> None:
    source = Numbers(6)
    got = taken(OrderedEnqueuer(source, use_multiprocessing=True), 15, 2)
    assert got == [*range(6), *(5.0 * i for i in range(6)), 0, 25, 50]


def test_processes_are_other_processes() -> None:
    pids = set(taken(OrderedEnqueuer(Pids(), use_multiprocessing=True), 20, 2))
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_shuffled_passes_hold_each_batch_once() -> None:
    np.random.seed(5)
    got = taken(OrderedEnqueuer(Numbers(10), shuffle=True), 20)
    first, second = got[:10], [number / 5 for number in got[10:]]
    assert sorted(first) == sorted(second) == list(range(10))
    order = list(range(10))
    np.random.seed(5)
    for epoch in (first, second):
        np.random.shuffle(order)
        assert epoch == order


def test_no_more_than_the_queue_holds_is_fetched_ahead() -> None:
    most, under_way = [0], [0]
    lock = threading.Lock()

    class Counted(Numbers):
        def __getitem__(self, index: int) -> np.ndarray:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            return super().__getitem__(index)

    enqueuer = OrderedEnqueuer(Counted(50))
    enqueuer.start(8, 4)
    batches = enqueuer.get()
    for _ in range(30):
        next(batches)
        with lock:
            under_way[0] -= 1
    enqueuer.stop()
    assert 2 <= most[0] <= 5  # four in the queue, and the one that was just handed out


def test_two_queues_at_once() -> None:
    one, two = OrderedEnqueuer(Numbers(10)), OrderedEnqueuer(Numbers(10, factor=100.0))
    one.start(3, 10)
    two.start(3, 10)
    assert one.is_running()
    pairs = [(float(next(a)[0, 0]), float(next(b)[0, 0])) for a, b in [(one.get(), two.get())] for _ in range(8)]
    one.stop()
    two.stop()
    assert pairs == [(i, 100.0 * i) for i in range(8)]
    assert not one.is_running()
    assert list(one.get()) == []


@pytest.mark.parametrize("threads", [1, 4])
def test_a_generator_keeps_its_order_and_ends(threads: int) -> None:
    enqueuer = GeneratorEnqueuer(iter(Numbers(20)))
    enqueuer.start(threads, 3)
    assert [float(batch[0, 0]) for batch in enqueuer.get()] == list(range(20))
    enqueuer.stop()


def test_a_generator_is_never_entered_twice() -> None:
    def slow() -> Iterator[int]:
        for i in range(1000):
            time.sleep(0.01)
            yield i

    source, got = slow(), []
    for _ in range(4):
        enqueuer = GeneratorEnqueuer(source)
        enqueuer.start(2, 2)
        got.append(next(enqueuer.get()))
        enqueuer.stop(timeout=0)  # a thread may still be inside the generator when the next queue begins
    assert got == sorted(set(got))


def test_old_arguments_of_the_generator_queue() -> None:
    with pytest.warns(DeprecationWarning, match="wait_time"):
        GeneratorEnqueuer(iter([1]), wait_time=0.05)
    make: Any = GeneratorEnqueuer
    with pytest.warns(UserWarning, match="Keras 2 API"):
        assert make(iter([1]), pickle_safe=True).use_multiprocessing is True
    enqueuer = GeneratorEnqueuer(iter(Numbers(3)), use_multiprocessing=True)
    with pytest.warns(UserWarning, match="generator cannot be sent to another process"):
        assert taken(enqueuer, 3) == [0, 1, 2]


@pytest.mark.parametrize("processes", [False, True])
def test_what_a_worker_raises_is_raised_where_its_batch_was_to_come(processes: bool) -> None:
    enqueuer = OrderedEnqueuer(Failing(), use_multiprocessing=processes)
    enqueuer.start(3, 10)
    batches = enqueuer.get()
    for _ in range(3):
        next(batches)
    with pytest.raises(KeyError, match=r"photo_3\.png") as caught:
        next(batches)
    told = str(caught.value.__cause__) if processes else "".join(map(str, caught.traceback))
    assert "feeding_helper.py" in told
    assert not enqueuer.is_running()


def test_an_exception_that_cannot_travel_is_told_by_name() -> None:
    with pytest.raises(RuntimeError, match="OddError: soso"):
        taken(OrderedEnqueuer(FailingOddly(), use_multiprocessing=True), 1, 1)
    with pytest.raises(OddError):
        taken(OrderedEnqueuer(FailingOddly()), 1, 1)


def test_a_failing_generator() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    enqueuer = GeneratorEnqueuer(failing())
    enqueuer.start(2, 10)
    batches = enqueuer.get()
    assert next(batches) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_what_cannot_be_pickled_is_fetched_by_threads_with_one_warning() -> None:
    enqueuer = OrderedEnqueuer(Unpicklable(), use_multiprocessing=True)
    with pytest.warns(UserWarning, match=r"Unpicklable cannot be sent .* cannot be pickled") as caught:
        enqueuer.start(2)
    assert len(caught) == 1
    x, _ = next(enqueuer.get())
    enqueuer.stop()
    assert x.shape == (4, 3)


def test_a_stalled_worker_is_told_of_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STALL_S", 0.2)
    release = threading.Event()

    class Stalls(Numbers):
        def __getitem__(self, index: int) -> np.ndarray:
            if index == 2:
                release.wait(20)
            return super().__getitem__(index)

    enqueuer = OrderedEnqueuer(Stalls())
    enqueuer.start(2, 10)
    batches = enqueuer.get()
    assert [float(next(batches)[0, 0]) for _ in range(2)] == [0, 1]
    threading.Timer(0.6, release.set).start()
    with pytest.warns(UserWarning, match=r"The input 2 could not be retrieved for 0\.2 s") as caught:
        assert float(next(batches)[0, 0]) == 2
    assert len(caught) == 1
    enqueuer.stop()


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("KJAX_HOME", str(tmp_path / "kjax"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    return tmp_path / "kjax"


def offered(tmp_path: pathlib.Path, name: str, data: bytes) -> str:
    """The address of a file that can be fetched."""
    (tmp_path / "offered").mkdir(exist_ok=True)
    (tmp_path / "offered" / name).write_bytes(data)
    return (tmp_path / "offered" / name).as_uri()


def tar(*members: tuple[str, bytes], change: Callable[[tarfile.TarInfo], None] | None = None) -> bytes:
    """A tar.gz with members; `change` may alter the last one's header."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for number, (name, data) in enumerate(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change is not None and number == len(members) - 1:
                change(info)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def test_hashes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 200_000)
    sha, md5 = hashlib.sha256(b"a" * 200_000).hexdigest(), hashlib.md5(b"a" * 200_000).hexdigest()
    assert _hash_file(path) == _hash_file(path, "auto") == sha
    assert _hash_file(str(path), algorithm="md5", chunk_size=7) == md5
    assert validate_file(path, sha)
    assert validate_file(path, md5)
    assert validate_file(path, sha.upper(), "sha256")
    assert not validate_file(path, md5[:-1] + "x")
    with pytest.raises(ValueError, match="crc"):
        _hash_file(path, "crc")


def test_a_file_is_fetched_once(tmp_path: pathlib.Path, home: pathlib.Path, capsys: Any) -> None:
    origin = offered(tmp_path, "table.csv", b"1,2,3")
    path = get_file("table.csv", origin)
    assert path == str(home / "datasets" / "table.csv")
    assert capsys.readouterr().out.startswith(f"Downloading data from {origin}\n")
    (tmp_path / "offered" / "table.csv").write_bytes(b"newer")
    assert get_file("table.csv", origin) == path
    assert capsys.readouterr().out == ""
    assert pathlib.Path(path).read_bytes() == b"1,2,3"
    sha = hashlib.sha256(b"newer").hexdigest()
    assert get_file("table.csv", origin, file_hash=sha) == path
    assert "does not match the original value" in capsys.readouterr().out
    assert pathlib.Path(path).read_bytes() == b"newer"
    assert get_file("table.csv", origin, md5_hash=hashlib.md5(b"newer").hexdigest(), hash_algorithm="sha256") == path
    other = get_file("table.csv", origin, cache_dir=str(tmp_path / "else"), cache_subdir="a/b")
    assert other == str(tmp_path / "else" / "a" / "b" / "table.csv")


def test_where_a_file_is_kept(tmp_path: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = offered(tmp_path, "f.txt", b"of kjax")
    there = tmp_path / "user" / ".keras" / "datasets" / "f.txt"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"of Keras")
    assert get_file("f.txt", origin) == str(there)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "set"))
    assert get_file("f.txt", origin) == str(tmp_path / "set" / "datasets" / "f.txt")
    absolute = tmp_path / "own.txt"
    assert get_file(str(absolute), origin) == str(absolute)
    assert absolute.read_bytes() == b"of kjax"


def test_what_does_not_arrive_as_announced_is_not_kept(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    origin = offered(tmp_path, "f.txt", b"something else")
    with pytest.raises(OSError, match="does not have the auto hash"):
        get_file("f.txt", origin, file_hash="0" * 64)
    with pytest.raises(OSError, match="URL fetch failure on file:"):
        get_file("g.txt", origin + ".missing")
    with pytest.raises(OSError, match=r"URL fetch failure on http://127\.0\.0\.1:9/x: None -- no network"):
        get_file("x", "http://127.0.0.1:9/x")
    assert list((home / "datasets").iterdir()) == []
    old = home / "datasets" / "old.txt"
    old.write_bytes(b"old")
    with pytest.raises(OSError, match="hash"):
        get_file("old.txt", origin, file_hash="1" * 32)
    assert old.read_bytes() == b"old"


def test_untar(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    origin = offered(tmp_path, "flowers.tgz", tar(("flowers/a/1.txt", b"one"), ("flowers/b.txt", b"two")))
    path = get_file("flowers", origin, untar=True)
    assert path == str(home / "datasets" / "flowers")
    assert pathlib.Path(path + ".tar.gz").is_file()
    assert (home / "datasets" / "flowers" / "a" / "1.txt").read_bytes() == b"one"
    (home / "datasets" / "flowers" / "b.txt").write_bytes(b"mine")
    assert get_file("flowers", origin, untar=True) == path
    assert (home / "datasets" / "flowers" / "b.txt").read_bytes() == b"mine"


@pytest.mark.parametrize(("name", "make"), [("a.tar.gz", tar), ("a.zip", zipped)])
@pytest.mark.parametrize("archive_format", ["auto", "own", "list"])
def test_extract(tmp_path: pathlib.Path, home: pathlib.Path, name: str, make: Any, archive_format: str) -> None:
    origin = offered(tmp_path, name, make(("deep/er/x.txt", b"x" * 1000), ("y.txt", b"")))
    own: Any = {"auto": "auto", "own": "zip" if "zip" in name else "tar", "list": ["zip", "tar"]}[archive_format]
    path = get_file("sub/" + name, origin, extract=True, archive_format=own)
    assert path == str(home / "datasets" / "sub" / name)
    assert (home / "datasets" / "deep" / "er" / "x.txt").read_bytes() == b"x" * 1000
    assert (home / "datasets" / "y.txt").read_bytes() == b""


def test_what_is_no_archive_stays_as_it_is(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    origin = offered(tmp_path, "f.txt", b"text")
    path = pathlib.Path(get_file("f.txt", origin, extract=True))
    assert [file.name for file in path.parent.iterdir()] == ["f.txt"]
    assert data_utils._extract_archive(path, tmp_path, None) is False
    with pytest.raises(ValueError, match="rar"):
        data_utils._extract_archive(path, tmp_path, "rar")


def link(kind: bytes, to: str) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, to, 0

    return change


def device(info: tarfile.TarInfo) -> None:
    info.type, info.devmajor, info.devminor, info.size = tarfile.CHRTYPE, 1, 5, 0


GOOD = ("good.txt", b"good")
HOSTILE = {
    "parent": tar(GOOD, ("../escaped.txt", b"x")),
    "deep parent": tar(GOOD, ("a/../../escaped.txt", b"x")),
    "absolute": tar(GOOD, ("/tmp/kjax-escaped.txt", b"x")),
    "backslash": tar(GOOD, ("..\\escaped.txt", b"x")),
    "twin": tar(GOOD, ("../datasets_other/escaped.txt", b"x")),
    "drive": tar(GOOD, ("c:/escaped.txt", b"x")),
    "soft link": tar(GOOD, ("link", b""), change=link(tarfile.SYMTYPE, "/etc/passwd")),
    "link to here": tar(GOOD, ("link", b""), change=link(tarfile.SYMTYPE, ".")),
    "hard link": tar(GOOD, ("../escaped.txt", b""), change=link(tarfile.LNKTYPE, "good.txt")),
    "device": tar(GOOD, ("zero", b""), change=device),
    "fifo": tar(GOOD, ("fifo", b""), change=link(tarfile.FIFOTYPE, "")),
    "bomb": tar(GOOD, ("bomb", bytes(150 << 20))),
    "many": tar(GOOD, *(("m", b""),) * 40_000),
    "cut": tar(GOOD, ("noise", np.random.RandomState(0).bytes(100_000)))[:-50_000],
    "zip parent": zipped(GOOD, ("../escaped.txt", b"x")),
    "zip absolute": zipped(GOOD, ("/tmp/kjax-escaped.txt", b"x")),
    "zip bomb": zipped(GOOD, *((f"b{i}", bytes(40 << 20)) for i in range(3))),
    "zip link": zipped(("link", b"/etc/passwd"), mode=0o120777),
    "zip cut": zipped(GOOD, ("noise", np.random.RandomState(0).bytes(1000))).replace(b"noise", b"naise", 1),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_leave_no_trace(tmp_path: pathlib.Path, home: pathlib.Path, kind: str) -> None:
    origin = offered(tmp_path, "archive", HOSTILE[kind])
    with pytest.raises(ValueError, match=r"The archive .* is not unpacked: "):
        get_file("archive", origin, extract=True)
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.iterdir()} == {"offered", "kjax"}
    assert [path.name for path in (home / "datasets").iterdir()] == ["archive"]
    assert not pathlib.Path("/tmp/kjax-escaped.txt").exists()


def test_what_is_unpacked_has_plain_permissions(tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    def root(info: tarfile.TarInfo) -> None:
        info.mode = 0o6777

    get_file("a", offered(tmp_path, "a", tar(("program", b"x"), change=root)), extract=True)
    assert (home / "datasets" / "program").stat().st_mode & 0o7111 == 0
