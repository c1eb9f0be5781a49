"""No test of data sets sees the user's folders or the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from kjax.datasets import _download


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home folder, no other places to look in, and no network."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KJAX_HOME", str(tmp_path / "kjax"))
    for name in ("KJAX_DATASETS", "KERAS_HOME", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_download, "reachable", lambda url: False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """kjax's own folder of data sets."""
    folder = tmp_path / "kjax" / "datasets"
    folder.mkdir(parents=True)
    return folder
