"""Compiled programs kept on disk, so that a script's second run does not compile again.

JAX's own compilation cache does it; here it is given a place, unless the user has given it one. Compiled programs are
code: the folder belongs to the user alone, or it is not used.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import stat
from pathlib import Path

import jax

from kjax._core import config

# Bytes in the folder beyond which the files that were used longest ago are removed, down to the half.
_MOST = 2**30


@functools.cache
def keep_programs() -> None:
    """Let JAX keep compiled programs in `~/.kjax/programs`; nothing if it keeps them elsewhere, or must not.

    Turned off by `JAX_ENABLE_COMPILATION_CACHE=0`, and moved by `KJAX_HOME` or JAX's own `jax_compilation_cache_dir`.
    """
    if getattr(jax.config, "jax_compilation_cache_dir", None) is not None or not getattr(
        jax.config, "jax_enable_compilation_cache", True
    ):
        return
    folder = config.home() / "programs" / _processor()
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for made in (folder.parent, folder):
            # One that is there already keeps its mode: others may have left files in it.
            made.mkdir(mode=0o700, exist_ok=True)
            if not _is_private(made):
                return
        if _is_open(config.home()):
            return
        _prune(folder)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # Also what compiles quickly: a script compiles many small programs.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    from jax.experimental.compilation_cache import compilation_cache

    compilation_cache.reset_cache()  # JAX may have found before that there is none


def _processor() -> str:
    """A name for this kind of processor: programs for another one may not run here."""
    facts = platform.machine() + platform.processor()
    try:
        with open("/proc/cpuinfo") as lines:
            facts += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        pass
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user can write into a folder, or put another in its place."""
    if not hasattr(os, "getuid"):
        return True
    facts = folder.lstat()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o022


def _is_open(home: Path) -> bool:
    """Whether anybody can put another folder in the place of one in it."""
    mode = home.stat().st_mode
    return hasattr(os, "getuid") and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _prune(folder: Path) -> None:
    files = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
    total = sum(facts.st_size for facts, _ in files)
    if total <= _MOST:
        return
    for facts, path in sorted(files, key=lambda pair: pair[0].st_atime):
        with contextlib.suppress(FileNotFoundError):  # another process prunes too
            os.unlink(path)
        total -= facts.st_size
        if total <= _MOST // 2:
            return
