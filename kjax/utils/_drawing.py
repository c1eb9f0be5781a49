"""Drawings of models: what is to be drawn, as DOT text, and a simple layout where Graphviz is not installed."""

from __future__ import annotations

import html
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any

from kjax._core import atomic


@dataclass
class Box:
    """A layer: its number, its label and its shapes, if they are to be shown."""

    key: str
    label: str
    inputs: str | None = None
    outputs: str | None = None

    @property
    def lines(self) -> list[str]:
        """The text of the box, line by line."""
        if self.outputs is None:
            return [self.label]
        return [self.label, f"input: {self.inputs}", f"output: {self.outputs}"]


@dataclass
class Drawing:
    """Boxes and the arrows between them.

    Attributes:
        rankdir: `'TB'` from top to bottom, `'LR'` from left to right.
        dpi: dots in an inch.
    """

    rankdir: str = "TB"
    dpi: int = 96
    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)

    def to_string(self) -> str:
        """The drawing in Graphviz's language."""
        lines = ["digraph G {", f"rankdir={self.rankdir};", "concentrate=True;", f"dpi={self.dpi};"]
        lines.append("node [shape=record];")
        for box in self.boxes:
            label = _escaped(box.label)
            if box.outputs is not None:
                label += f"\\n|{{input:|output:}}|{{{{{_escaped(box.inputs or '')}}}|{{{_escaped(box.outputs)}}}}}"
            lines.append(f'{box.key} [label="{label}"];')
        lines += [f"{start} -> {end};" for start, end in self.arrows]
        return "\n".join([*lines, "}", ""])

    def __str__(self) -> str:
        return self.to_string()

    def create(self, prog: Any = "dot", format: str = "svg") -> bytes:
        """The drawing as a file's content: by Graphviz if it is installed, else in a plain layout of its own.

        Arguments:
            prog: a program of Graphviz.
            format: `'svg'`, `'png'`, `'dot'`, ...

        Raises:
            ValueError: for a format that only Graphviz writes, if it is not installed.
        """
        if format in ("dot", "raw"):
            return self.to_string().encode()
        program = shutil.which(prog if isinstance(prog, str) else prog[0])
        if program is not None:
            done = subprocess.run([program, f"-T{format}"], input=self.to_string().encode(), stdout=-1, check=True)
            return done.stdout
        if format == "svg":
            return _svg(self).encode()
        return _raster(self, format)

    def write(self, path: Any, prog: Any = "dot", format: str = "raw") -> bool:
        """Write what `create` makes to a file."""
        atomic.write_bytes(path, self.create(prog, format), durable=False)
        return True

    def write_png(self, path: Any, prog: Any = "dot") -> bool:
        """Write a PNG file."""
        return self.write(path, prog, "png")

    def write_svg(self, path: Any, prog: Any = "dot") -> bool:
        """Write an SVG file."""
        return self.write(path, prog, "svg")


def _escaped(text: str) -> str:
    for sign in '\\"{}|<>':
        text = text.replace(sign, "\\" + sign)
    return text


# -- where there is no Graphviz: rows of boxes, a row for each step from the inputs ----------------------------------

_CHAR, _LINE, _GAP, _MARGIN = 7, 16, 36, 12


def _places(drawing: Drawing) -> tuple[dict[str, tuple[int, int, int, int]], tuple[int, int]]:
    """Left, top, width and height of each box, and the size of the whole."""
    depth = dict.fromkeys((box.key for box in drawing.boxes), 0)
    for _ in drawing.boxes:  # the longest way to a box has no more steps than there are boxes
        moved = [(b, depth[a] + 1) for a, b in drawing.arrows if depth[b] <= depth[a]]
        if not moved:
            break
        for key, value in moved:
            depth[key] = max(depth[key], value)
    sizes = {b.key: (max(map(len, b.lines)) * _CHAR + 16, len(b.lines) * _LINE + 10) for b in drawing.boxes}
    rows = [[b.key for b in drawing.boxes if depth[b.key] == row] for row in range(max(depth.values(), default=0) + 1)]
    across = drawing.rankdir in ("LR", "RL")
    main, other = (0, 1) if across else (1, 0)
    widths = [sum(sizes[key][other] + _GAP for key in row) - _GAP for row in rows]
    places: dict[str, tuple[int, int, int, int]] = {}
    along = _MARGIN
    for row, width in zip(rows, widths, strict=True):
        place = _MARGIN + (max(widths) - width) // 2
        for key in row:
            x, y = (along, place) if across else (place, along)
            places[key] = (x, y, *sizes[key])
            place += sizes[key][other] + _GAP
        along += max((sizes[key][main] for key in row), default=0) + _GAP
    whole = (along - _GAP + _MARGIN, max(widths, default=0) + 2 * _MARGIN)
    return places, whole if across else (whole[1], whole[0])


def _ends(drawing: Drawing, places: dict[str, tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Where the arrows begin and end."""
    found: list[tuple[int, int, int, int]] = []
    for start, end in drawing.arrows:
        ax, ay, aw, ah = places[start]
        bx, by, bw, bh = places[end]
        if drawing.rankdir in ("LR", "RL"):
            found.append((ax + aw, ay + ah // 2, bx, by + bh // 2))
        else:
            found.append((ax + aw // 2, ay + ah, bx + bw // 2, by))
    return found


def _svg(drawing: Drawing) -> str:
    places, (width, height) = _places(drawing)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="monospace" '
        'font-size="12">',
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    ]
    for box in drawing.boxes:
        x, y, w, h = places[box.key]
        parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="white" stroke="black"/>')
        for i, line in enumerate(box.lines):
            parts.append(f'<text x="{x + 8}" y="{y + 16 + i * _LINE}">{html.escape(line)}</text>')
    for x1, y1, x2, y2 in _ends(drawing, places):
        parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="black" marker-end="url(#head)"/>')
    return "\n".join([*parts, "</svg>", ""])


def _raster(drawing: Drawing, format: str) -> bytes:
    import io

    from PIL import Image, ImageDraw

    places, (width, height) = _places(drawing)
    scale = max(drawing.dpi, 1) / 96

    def size(value: float) -> int:
        return round(value * scale)

    image = Image.new("RGB", (size(width), size(height)), "white")
    pen = ImageDraw.Draw(image)
    for box in drawing.boxes:
        x, y, w, h = places[box.key]
        pen.rectangle((size(x), size(y), size(x + w), size(y + h)), outline="black")
        for i, line in enumerate(box.lines):
            pen.text((size(x + 8), size(y + 6 + i * _LINE)), line, fill="black", font_size=12 * scale)
    for x1, y1, x2, y2 in _ends(drawing, places):
        pen.line((size(x1), size(y1), size(x2), size(y2)), fill="black")
        pen.polygon([(size(x2), size(y2)), (size(x2 - 3), size(y2 - 6)), (size(x2 + 3), size(y2 - 6))], fill="black")
    file = io.BytesIO()
    try:
        image.save(file, {"jpg": "jpeg"}.get(format, format))
    except (KeyError, ValueError):
        raise ValueError(
            f"A drawing in the format {format!r} needs Graphviz, which is not installed (the program `dot`). Without "
            "it there are png, jpg, pdf, svg and dot."
        ) from None
    return file.getvalue()
