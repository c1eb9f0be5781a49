"""Files are written beside and renamed: whole or not at all, in bad weather too."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kjax._core import atomic

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_seen_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    with atomic.writing(path) as file:
        file.write(b"new" * 1000)
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" * 1000
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), OSError(errno.ENOENT, "another file")])
def test_what_is_raised_in_the_block_comes_out_as_it_was(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")

    def write() -> None:
        with atomic.writing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    assert caught.value is error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.parametrize("name", ["gewichte äöü 权重.h5", "a b'c\"d.h5", "-rf", "x" * 255, "mi\nne", "naïve\udcff"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    atomic.write_text(tmp_path / name, "ä")
    assert (tmp_path / name).read_bytes() == "ä".encode()
    assert names(tmp_path) == [name]


def test_paths_of_every_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, path in enumerate(["plain", b"bytes", Path("path"), "./dot"]):
        atomic.write_bytes(path, bytes([number]))
    assert names(tmp_path) == ["bytes", "dot", "path", "plain"]


def test_rights_of_a_new_file_follow_the_mask_and_a_replaced_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    before = os.umask(0o027)
    try:
        atomic.write_bytes(path, b"")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        atomic.write_bytes(path, b"")
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    real, link, dangling = tmp_path / "store" / "real", tmp_path / "link", tmp_path / "dangling"
    real.write_bytes(b"old")
    link.symlink_to("store/real")
    dangling.symlink_to("store/later")
    atomic.write_bytes(link, b"new")
    atomic.write_bytes(dangling, b"made")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert (tmp_path / "store" / "later").read_bytes() == b"made"
    assert names(tmp_path / "store") == ["later", "real"]


def full(path: Path) -> None:
    with atomic.writing(path) as file:
        file.write(b"part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def plainly(path: Path) -> None:
    atomic.write_bytes(path, b"new")


WEATHER: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no such folder": ("nowhere/model.bin", plainly, "its folder does not exist"),
    "a file as folder": ("file/model.bin", plainly, "its folder is not a folder"),
    "a folder": ("folder", plainly, "it is a folder"),
    "too long": ("x" * 256, plainly, "its name is too long"),
    "full disk": ("file", full, "the disk is full"),
}


@pytest.mark.parametrize("case", WEATHER)
def test_bad_weather_is_told_and_leaves_everything_as_it_was(tmp_path: Path, case: str) -> None:
    name, write, reason = WEATHER[case]
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=f"is not written: {reason}") as caught:
        write(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.errno is not None
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_link_that_leads_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises((OSError, RuntimeError), match=r"circle|loop"):
        plainly(tmp_path / "a")
    assert names(tmp_path) == ["a", "b"]


def child(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )


# Not even `kjax` itself is imported: only the module, which needs nothing but the standard library.
LOADED = """
    import importlib.util, os, sys, pathlib
    spec = importlib.util.spec_from_file_location("atomic", "kjax/_core/atomic.py")
    atomic = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(atomic)
    path = pathlib.Path(sys.argv[1])
"""


def test_a_limit_for_files_that_is_really_hit(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    code = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        atomic.write_bytes(path, bytes(100_000))
    except OSError as error:
        print(error)
    """
    done = child(LOADED + code, path)
    assert "larger than a file may be" in done.stdout, done.stderr
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.skipif(not AS_ROOT, reason="a small disk can be mounted by root alone")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    code = """
    import subprocess
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(path)])
    if made.returncode:
        print("no mount")
        sys.exit()
    (path / "file").write_bytes(b"old")
    for name in ("file", "new"):
        try:
            atomic.write_bytes(path / name, bytes(200_000))
        except OSError as error:
            print(error)
    print(sorted(os.listdir(path)), (path / "file").read_bytes())
    """
    done = child(LOADED + code, tmp_path, prefix=("unshare", "-m"))
    if done.returncode or "no mount" in done.stdout:
        pytest.skip(f"a small disk cannot be mounted here: {done.stdout} {done.stderr}")
    assert done.stdout.count("the disk is full") == 2
    assert done.stdout.endswith("['file'] b'old'\n")


READ_ONLY = """
    try:
        os.setuid(65534)
    except OSError:
        pass
    try:
        atomic.write_bytes(path, b"new")
    except PermissionError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o555, 0o666), (0o777, 0o444)], ids=["folder", "file"])
def test_what_may_not_be_written_to(tmp_path: Path, folder_mode: int, file_mode: int) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"old")
    (folder / "file").chmod(file_mode)
    folder.chmod(folder_mode)
    # Another user has to get at the folder through those of pytest.
    for parent in list(tmp_path.parents)[:-1]:
        if parent.stat().st_uid == os.getuid() and parent.stat().st_mode & 0o077 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    try:
        done = child(LOADED + READ_ONLY, folder / "file")
        assert "may not be written to" in done.stdout, done.stderr
        assert (folder / "file").read_bytes() == b"old"
        assert names(folder) == ["file"]
    finally:
        folder.chmod(0o755)


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    def write() -> None:
        with atomic.writing(folder / "file") as file:
            file.write(b"data")
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    with pytest.raises(FileNotFoundError, match="its folder does not exist"):
        write()


def test_devices_and_pipes_are_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    atomic.write_bytes(pipe, b"through")
    reader.join(10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    atomic.write_bytes(os.devnull, b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


WRITER = """
    text = sys.argv[2].encode() * 200_000
    for _ in range(20):
        atomic.write_bytes(path, text)
"""


def test_two_processes_that_write_one_file_both_write_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 200_000)
    writers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(LOADED + WRITER), path, letter], cwd=os.getcwd())
        for letter in "ab"
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        data = path.read_bytes()
        seen.add((len(data), len(set(data))))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == {(200_000, 1)}
    assert names(tmp_path) == ["file"]


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    code = """
    with atomic.writing(path) as file:
        file.write(b"half")
        print(os.listdir(path.parent), flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(LOADED + code), tmp_path / "file"]
    writer = subprocess.Popen(command, stdin=-1, stdout=-1, cwd=os.getcwd())
    assert writer.stdout is not None
    writer.stdout.readline()
    atomic.write_bytes(tmp_path / "other", b"1")
    assert len(names(tmp_path)) == 2, "the file of a process that lives has to stay"
    writer.kill()
    writer.communicate()
    assert len(names(tmp_path)) == 2
    strange = tmp_path / ".incoming-notes"
    old = tmp_path / ".incoming-00000000-1-0123456789abcdef"
    for path in (strange, old):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 10**6, time.time() - 10**6))
    atomic.write_bytes(tmp_path / "other", b"2")
    assert names(tmp_path) == [".incoming-notes", "other"]


def test_a_folder_to_prepare_files_in(tmp_path: Path) -> None:
    with atomic.staging(tmp_path / "deep" / "folder") as place:
        (place / "x").write_bytes(b"x")
        atomic.install(place / "x", place.parent / "x")
    assert names(tmp_path / "deep" / "folder") == ["x"]
