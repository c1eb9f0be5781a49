"""Compiled programs kept on disk: a second run compiles nothing, and nobody else's files are ever loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kjax.engine import _kept

_ROOT = Path(__file__).parent.parent

_SCRIPT = """
import json
import jax
SETTINGS
found = []
jax.monitoring.register_event_listener(lambda event, **kwargs: found.append(event))
import numpy as np
from kjax.layers import Dense
from kjax.models import Sequential
np.random.seed(1)
model = Sequential([Dense(2, input_dim=3)])
model.compile("adam", "mse")
model.fit(np.ones((8, 3)), np.ones((8, 2)), batch_size=3, epochs=2, verbose=0)
value = model.predict(np.ones((2, 3))).tolist()
names = [event.rpartition("/")[2] for event in found]
print(json.dumps({
    "value": value,
    "hits": names.count("cache_hits"),
    "misses": names.count("cache_misses"),
    "folder": jax.config.jax_compilation_cache_dir,
}))
"""


def run(home: Path | str, settings: str = "", **environment: str) -> dict[str, Any]:
    """What the script says with this home folder."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "KJAX_"))}
    clean.update({"JAX_PLATFORMS": "cpu", "KJAX_HOME": str(home), "PYTHONPATH": str(_ROOT), **environment})
    script = _SCRIPT.replace("SETTINGS", settings)
    done = subprocess.run([sys.executable, "-c", script], env=clean, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def files(folder: Path) -> dict[str, int]:
    """The files below a folder, and when each was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_compiles_nothing(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    old = os.umask(0o002)  # under which a new folder may be written to by a group
    try:
        first = run(home)
    finally:
        os.umask(old)
    kept = files(home)
    assert len(kept) >= 2
    assert first["hits"] == 0
    assert first["misses"] >= 2
    folder = Path(first["folder"])
    assert folder.parent == home / "programs"
    for made in (folder, folder.parent):
        assert made.stat().st_mode & 0o777 == 0o700
    second = run(home)
    assert files(home) == kept
    assert second["misses"] == 0
    assert second["hits"] == first["misses"]
    assert second["value"] == first["value"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes of folders mean something else here")
@pytest.mark.parametrize("which", ["programs", "inner", "home", "link"])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path, which: str) -> None:
    home = tmp_path / "home"
    inner = home / "programs" / _kept._processor()
    inner.mkdir(parents=True)
    for made in (home, inner.parent, inner):
        made.chmod(0o755)
    if which == "link":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o755)
        inner.rmdir()
        inner.symlink_to(elsewhere)
    else:
        {"programs": inner.parent, "inner": inner, "home": home}[which].chmod(0o777)
    before = inner.stat().st_mode
    said = run(home)
    assert said["folder"] is None
    assert not files(tmp_path)
    assert inner.stat().st_mode == before  # what others left in it is not made to look private


def test_what_the_user_said_to_jax_counts(tmp_path: Path) -> None:
    assert run(tmp_path / "a", JAX_ENABLE_COMPILATION_CACHE="0")["folder"] is None
    assert not (tmp_path / "a").exists()
    mine = tmp_path / "mine"
    settings = f"jax.config.update('jax_compilation_cache_dir', {str(mine)!r})"
    assert run(tmp_path / "b", settings)["folder"] == str(mine)
    assert run(tmp_path / "b", JAX_COMPILATION_CACHE_DIR=str(mine))["folder"] == str(mine)
    assert not (tmp_path / "b").exists()


def test_a_home_that_cannot_be_written_to_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(blocked)["folder"] is None
    if sys.platform == "linux":
        assert run("/proc/kjax")["folder"] is None


def fill(folder: Path, count: int) -> list[Path]:
    """Files of 100 bytes, the first used last."""
    made = [folder / f"program-{i}" for i in range(count)]
    for i, path in enumerate(made):
        path.write_bytes(bytes(100))
        os.utime(path, (1_000_000 - i, 1_000_000 + i))
    return made


def test_what_was_used_longest_ago_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fill(tmp_path, 10)
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(_kept, "_MOST", 1000)
    _kept._prune(tmp_path)
    assert all(path.exists() for path in made)
    monkeypatch.setattr(_kept, "_MOST", 999)
    _kept._prune(tmp_path)
    # Down to the half of what is allowed, 499 bytes.
    assert [path.exists() for path in made] == [True] * 4 + [False] * 6
    assert (tmp_path / "folder").exists()


def test_pruning_goes_on_where_another_process_was_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fill(tmp_path, 4)
    monkeypatch.setattr(_kept, "_MOST", 300)
    unlink = os.unlink

    def late(path: Any) -> None:
        unlink(path)
        if str(path) == str(made[-1]):
            raise FileNotFoundError(path)

    monkeypatch.setattr(os, "unlink", late)
    _kept._prune(tmp_path)
    assert [path.exists() for path in made] == [True, False, False, False]
