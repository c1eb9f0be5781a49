"""Numbers in the place of unknown dimensions, while shapes are inferred.

An operation is traced with two numbers; a dimension of the result that differs between both is unknown too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kjax._core.tensors import Tensor

# Both divide by many numbers, so that reshaping goes through.
FILLS = (20160, 40320)
# For operations that take no more than so many, such as a table of positions that is cut to the length of a text.
_SMALL_FILLS = ((60, 120), (12, 24), (4, 8), (2, 3))


def for_inputs(inputs: Sequence[Any]) -> Sequence[int]:
    """The numbers for an operation with these inputs; one alone where nothing is unknown."""
    unknown = any(None in x.shape or (isinstance(x, Tensor) and x.static is not None) for x in inputs)
    return FILLS if unknown else FILLS[:1]


def others(arguments: Sequence[Any], error: str) -> Iterator[Sequence[int]]:
    """What to try where an operation of these arguments fails with the usual numbers: smaller ones, then known ones."""
    yield from _SMALL_FILLS
    # An unknown batch size beside a known one means the same number, be it given or made inside.
    shapes = [x.shape for x in arguments if hasattr(x, "shape")]
    firsts, seconds = ({d for shape in shapes for d in shape[i : i + 1] if d is not None} for i in (0, 1))
    firsts = firsts or set(map(int, re.findall(r"\d+", error))) - {0, 1, *FILLS}
    if any(None in shape[:2] for shape in shapes):
        for size in (*sorted(firsts), *sorted(seconds - firsts)):  # time may come before the samples
            yield (size,)


def readable(part: Any) -> Any:
    """A part of an error message without the stand-ins, which mean nothing to a user."""
    return re.sub(rf"\b({'|'.join(map(str, FILLS))})\b", "None", part) if isinstance(part, str) else part
