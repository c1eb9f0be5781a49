"""The same script run again: whatever a library keeps on the disk can serve it."""

from __future__ import annotations

from dataclasses import replace

from compat_tests.speed.works import script

WORK = replace(
    script.WORK,
    name="script-second",
    about="The same as `script`, run again where a first run has left what it keeps on the disk, by its defaults; "
    "without the slowest, which keep nothing there.",
    at_most={"keras-tensorflow": 0, "keras-torch": 0, "tf-keras": 0},
    second=True,
)
