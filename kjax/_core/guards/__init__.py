"""Reading files that may come from a stranger: one guard for each way in, and nothing else of kjax opens such files.

A guard checks sizes against a budget and against what the file really holds before memory is taken, never runs
anything from a file, and ends with a clear error: `Refused` for what a file holds, `OSError` for what cannot be opened.
"""

from __future__ import annotations

from kjax._core.guards._budget import Budget, Refused, open_file, size_of

__all__ = ["Budget", "Refused", "open_file", "size_of"]
