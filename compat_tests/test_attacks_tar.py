"""Attacks through tar archives: nothing is written outside of the folder, and nothing piles up."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_tests import attacks
from compat_tests.attacks import naive_fails, refuses
from kjax._core.guards import tar
from kjax.utils import get_file

Member = tuple[str, bytes, bytes]  # name, type, content or target of a link


def archive(*members: Member) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as made:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                made.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content.decode()
                info.mode = 0o755
                made.addfile(info)
    return buffer.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder in which a naive reader and kjax unpack; nothing beside it may change."""
    (tmp_path / "naive" / "base").mkdir(parents=True)
    (tmp_path / "cache" / "base").mkdir(parents=True)
    return tmp_path


def naive(place: Path, data: bytes) -> list[str]:
    """What an extraction without a guard leaves outside of its folder."""
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        opened.extractall(place / "naive" / "base", filter="fully_trusted")
    return sorted(path.name for path in (place / "naive").iterdir() if path.name != "base")


def all_refuse(place: Path, data: bytes, match: str) -> None:
    """`get_file` in both of its ways of unpacking; the file itself may come, nothing else."""
    (place / "offered.tar.gz").write_bytes(data)
    for arguments in ({"extract": True}, {"untar": True}):
        fname = "x" if "untar" in arguments else "x.tar.gz"
        cached = place / "cache" / "base" / "x.tar.gz"
        cached.write_bytes(data)

        def read(arguments: Any = arguments, fname: str = fname) -> Any:
            origin = (place / "offered.tar.gz").as_uri()
            return get_file(fname, origin, cache_dir=str(place / "cache"), cache_subdir="base", **arguments)

        refuses(read, place, match)
    with tar.reading(place / "offered.tar.gz") as members:
        refuses(lambda: [sum(map(len, member.chunks())) for member in members], place, match)


def test_36_a_chain_of_links_past_the_longest_path(place: Path) -> None:
    folder, steps = "d" * 247, "abcdefghijklmnop"
    members: list[Member] = []
    path = ""
    for step in steps:
        members.append((os.path.join(path, folder), tarfile.DIRTYPE, b""))
        members.append((os.path.join(path, step), tarfile.SYMTYPE, folder.encode()))
        path = os.path.join(path, folder)
    link = os.path.join("/".join(steps), "l" * 254)
    members.append((link, tarfile.SYMTYPE, b"../" * len(steps)))
    members.append(("escape", tarfile.SYMTYPE, f"{link}/../".encode()))
    members.append(("escape/escaped.txt", tarfile.REGTYPE, b"out"))
    data = archive(*members)
    assert naive(place, data) == ["escaped.txt"]
    shutil.rmtree(place / "naive")  # paths too long to be listed
    all_refuse(place, data, "a link")


def test_37_a_hard_link_whose_own_name_leads_out(place: Path) -> None:
    data = archive(("inside", tarfile.REGTYPE, b"in"), ("../escaped", tarfile.LNKTYPE, b"inside"))
    assert naive(place, data) == ["escaped"]
    all_refuse(place, data, "outside of the folder")
    harmless = archive(("inside", tarfile.REGTYPE, b"in"), ("second", tarfile.LNKTYPE, b"../../secret"))
    all_refuse(place, harmless, "a link")


def test_38_a_link_to_its_own_folder(place: Path) -> None:
    data = archive(("link", tarfile.SYMTYPE, b"."), ("link/../escaped.txt", tarfile.REGTYPE, b"out"))
    assert os.path.normpath("link/../escaped.txt") == "escaped.txt", "a check of the text alone sees no harm"
    assert naive(place, data) == ["escaped.txt"]
    all_refuse(place, data, "a link|outside of the folder")


def test_39_another_working_directory_than_the_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    name = str(elsewhere / "escaped.txt")
    data = archive((name, tarfile.REGTYPE, b"out"))
    assert os.path.realpath(name).startswith(os.path.realpath(".")), "a check against the working directory is passed"
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        opened.extractall(place / "naive" / "base", filter="fully_trusted")
    assert (elsewhere / "escaped.txt").is_file()
    os.unlink(elsewhere / "escaped.txt")
    all_refuse(place, data, "outside of the folder")
    honest = archive(("a/b.txt", tarfile.REGTYPE, b"in"))
    (place / "honest.tar.gz").write_bytes(honest)
    get_file("h.tar.gz", (place / "honest.tar.gz").as_uri(), extract=True, cache_dir=str(place), cache_subdir="h")
    assert (place / "h" / "a" / "b.txt").read_bytes() == b"in"
    assert not any(elsewhere.iterdir())


def gzipped_zeros(start: bytes, nbytes: int) -> bytes:
    """`start` and zeros behind it as gzip, without compressing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = packer.compress(bytes(1 << 20)) + packer.flush()
    return gzip.compress(start) + block * (nbytes >> 20)


def header(kind: bytes, size: int, name: str = "x") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a member": lambda: gzipped_zeros(header(tarfile.REGTYPE, 1 << 30), 1 << 30),
    "a long name": lambda: gzipped_zeros(header(tarfile.GNUTYPE_LONGNAME, 1 << 30), 1 << 30),
    "a pax header": lambda: gzipped_zeros(header(tarfile.XHDTYPE, 1 << 30), 1 << 30),
    "a global header": lambda: gzipped_zeros(header(tarfile.XGLTYPE, 1 << 30), 1 << 30),
    "members that add up": lambda: b"".join(
        gzipped_zeros(header(tarfile.REGTYPE, 50 << 20, f"m{i}"), 50 << 20) for i in range(30)
    ),
    "members without end": lambda: gzip.compress(header(tarfile.REGTYPE, 0) * 150_000),
}


@pytest.mark.parametrize("case", BOMBS)
def test_40_a_bomb(place: Path, case: str) -> None:
    data = BOMBS[case]()
    assert len(data) < 4 << 20
    path = place / "bomb.tar.gz"
    path.write_bytes(data)
    if case in ("a long name", "a pax header", "a global header"):
        assert "MemoryError" in naive_fails("import tarfile; tarfile.open(sys.argv[1]).next()", path, memory=256 << 20)
    elif case == "members without end":
        with tarfile.open(path) as opened:
            assert sum(1 for _ in zip(opened, range(100_000), strict=False)) == 100_000
    else:
        limited = """
        import signal, tarfile
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40 << 20, 40 << 20))
        tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")
        """
        assert "File too large" in naive_fails(limited, path, place / "naive" / "base")
        for left in (place / "naive" / "base").iterdir():
            left.unlink()
    all_refuse(place, data, "would take|header of")


def test_a_folder_with_files_stays_as_it_was(place: Path) -> None:
    base = place / "cache" / "base"
    (base / "kept").write_bytes(b"old")
    data = archive(("kept", tarfile.REGTYPE, b"new"), ("../escaped", tarfile.REGTYPE, b"out"))
    all_refuse(place, data, "outside of the folder")
    assert (base / "kept").read_bytes() == b"old"
    assert attacks.tree(base).keys() == {"kept", "x.tar.gz"}
