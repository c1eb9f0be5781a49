"""`tf.app`: `run`, and the flags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from kjax.compat.tensorflow import flags


def run(main: Callable[..., Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, call `main` (that of the script if None) with what is left of the arguments, and leave."""
    words = list(sys.argv if argv is None else argv)
    rest = flags.FLAGS(words)
    function = main or sys.modules["__main__"].main  # type: ignore[attr-defined]
    sys.exit(function(rest))


__all__ = ["flags", "run"]
