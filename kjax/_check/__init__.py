"""`kjax check`: which names and arguments of a script kjax does not have, found without running it."""

from __future__ import annotations

from kjax._check._report import check_files, check_source

__all__ = ["check_files", "check_source"]
