"""How each digit is written: control points and the strokes through them, as matrices for a renderer."""

from __future__ import annotations

from functools import cache

import numpy as np

SAMPLES = 72
"""Points at which the ink of one digit is laid down, shared out between its strokes by their length."""

_GLYPHS: tuple[tuple[int, str, str], ...] = (
    # digit, control points "x y  x y ..." in hundredths of a box whose y points down, strokes. A stroke is a
    # smooth curve through the points of these numbers; one that ends where it began is closed. Strokes that
    # share a point stay joined when the points are moved.
    # 0: round; narrow; begun and ended apart at the top
    (0, "50 0  78 15  90 50  78 85  50 100  22 85  10 50  22 15", "012345670"),
    (0, "64 7  76 37  73 75  57 98  37 93  24 63  27 25  43 2", "012345670"),
    (0, "62 2  36 3  14 30  14 70  42 100  76 82  88 45  72 12  44 10", "012345678"),
    # 1: a bare line; with a flag; with a flag and a foot
    (1, "52 0  51 35  49 70  48 100", "0123"),
    (1, "30 24  55 0  54 50  53 100", "01, 123"),
    (1, "30 22  52 0  52 50  52 100  26 100  78 99", "01, 123, 435"),
    # 2: a sharp corner at the foot; a loop at the foot; a wavy foot
    (2, "15 24  32 4  62 2  80 22  68 50  40 76  12 100  88 98", "0123456, 67"),
    (2, "18 20  42 0  72 12  74 40  50 74  22 98  8 86  24 76  54 92  92 94", "0123456789"),
    (2, "20 12  52 0  78 18  64 52  14 96  40 86  64 97  92 88", "01234, 4567"),
    # 3: two bowls that meet in a cusp; a flat top; one smooth line
    (3, "18 14  48 0  76 16  68 38  40 47  74 56  84 78  54 100  14 90", "01234, 45678"),
    (3, "18 2  80 0  46 40  78 54  84 78  52 100  12 88", "01, 12, 23456"),
    (3, "22 6  58 2  74 22  54 44  50 50  76 62  74 90  44 100  16 94", "012345678"),
    # 4: open at the top; closed at the top; with a rounded elbow
    (4, "22 2  14 34  16 56  88 54  74 0  72 50  70 100", "012, 23, 456"),
    (4, "66 0  8 66  92 65  66 50  65 100", "01, 12, 034"),
    (4, "26 0  14 30  28 52  56 52  78 44  80 4  76 50  66 100", "01234, 567"),
    # 5: one line with corners; with a separate bar; nearly an S
    (5, "82 2  26 3  20 42  52 36  82 58  74 88  44 100  12 90", "01, 12, 234567"),
    (5, "34 10  26 44  56 42  78 66  60 94  16 98  38 6  90 0", "01, 12345, 67"),
    (5, "84 4  50 2  26 20  34 42  64 52  76 74  54 98  16 94", "01234567"),
    # 6: a long curved stem; a straight stem; a small low loop
    (6, "70 2  38 20  18 58  28 92  58 100  82 78  64 54  36 60  20 78", "012345678"),
    (6, "36 0  24 34  18 70  34 98  66 98  80 76  60 58  34 64  19 80", "012345678"),
    (6, "78 6  50 10  26 42  20 78  44 100  70 88  66 66  40 64  22 84", "012345678"),
    # 7: plain; with a bar through the stem; a hooked top and a bent stem
    (7, "12 4  84 2  58 50  40 100", "01, 123"),
    (7, "14 3  84 2  58 50  42 100  32 52  82 48", "01, 123, 425"),
    (7, "12 20  18 4  54 8  84 2  66 36  52 68  50 100", "0123, 3456"),
    # 8: one line that crosses itself; two rings; begun at the upper right and left open
    (8, "50 0  22 20  50 47  82 76  50 100  18 76  50 47  78 20", "012345670"),
    (8, "50 47  25 31  35 4  65 4  75 31  50 47  81 65  69 95  31 95  19 65", "012340, 567895"),
    (8, "84 12  50 0  24 20  48 46  76 74  48 100  22 80  52 48  88 18", "012345678"),
    # 9: a straight stem; a stem that curls to the left; a leaning stem below a flat loop
    (9, "76 22  56 2  26 12  22 38  50 50  75 34  77 14  75 56  72 100", "012345, 6078"),
    (9, "78 22  52 0  22 20  34 46  64 42  79 18  80 62  60 96  24 96", "012345, 5678"),
    (9, "82 8  48 4  18 24  26 46  58 40  81 16  66 58  48 100", "012345, 567"),
)


def _curve(count: int, closed: bool, samples: int) -> np.ndarray:
    """Weights (samples + 1, count) that take control points to a Catmull-Rom curve through them."""
    spans = count if closed else count - 1
    position = np.linspace(0.0, spans, samples + 1)
    span = np.minimum(position.astype(int), spans - 1)
    t = (position - span)[:, None]
    blend = 0.5 * np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3])
    weights = np.zeros((samples + 1, count))
    rows = np.arange(samples + 1)
    for column, step in enumerate((-1, 0, 1, 2)):
        index = span + step
        index = index % count if closed else np.clip(index, 0, count - 1)
        np.add.at(weights, (rows, index), blend[:, column])
    return weights


def _glyph_weights(points: np.ndarray, strokes: list[list[int]]) -> np.ndarray:
    """(2, SAMPLES, points): the middles of the glyph's short segments, and their direction vectors."""
    lengths = np.array([np.hypot(*np.diff(points[stroke], axis=0).T).sum() for stroke in strokes])
    shares = np.maximum(4, np.floor(SAMPLES * lengths / lengths.sum())).astype(int)
    shares[int(np.argmax(shares))] += SAMPLES - int(shares.sum())
    parts = []
    for stroke, share in zip(strokes, shares, strict=True):
        closed = stroke[0] == stroke[-1]
        indices = stroke[:-1] if closed else stroke
        curve = np.zeros((share + 1, len(points)))
        np.add.at(curve.T, indices, _curve(len(indices), closed, int(share)).T)
        parts.append(np.stack([(curve[1:] + curve[:-1]) / 2, curve[1:] - curve[:-1]]))
    return np.concatenate(parts, axis=1)


@cache
def tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All glyphs: digits (g,), control points (g, p, 2), weights (g, 2, SAMPLES, p), padded with zeros."""
    digits = np.array([digit for digit, _, _ in _GLYPHS])
    control = [np.array(text.split(), float).reshape(-1, 2) / 100 for _, text, _ in _GLYPHS]
    width = max(len(points) for points in control)
    points = np.zeros((len(_GLYPHS), width, 2), np.float32)
    weights = np.zeros((len(_GLYPHS), 2, SAMPLES, width), np.float32)
    for row, (own, (_, _, text)) in enumerate(zip(control, _GLYPHS, strict=True)):
        strokes = [[int(number) for number in stroke] for stroke in text.split(", ")]
        points[row, : len(own)] = own
        weights[row, :, :, : len(own)] = _glyph_weights(own, strokes)
    return digits, points, weights
