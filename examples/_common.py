"""What the examples share: the command line, tables, figures, and digits to learn from."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

# The examples belong to the kjax beside them, installed or not.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kjax.datasets import drawn_digits, mnist

plt.rcParams.update(
    {
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 11,
        "font.size": 10,
        "grid.alpha": 0.3,
        "legend.fontsize": 9,
        "legend.framealpha": 0.9,
    }
)

Split = tuple[np.ndarray, np.ndarray]


def options(doc: str | None, argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line: `--quick`, and `--out` for the folder of the figures."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small data and few epochs: seconds, not minutes")
    default = pathlib.Path(__file__).parent / "out"
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the figures: examples/out")
    return parser.parse_args(argv)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a header; floats get four digits."""
    texts = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    for number, row in enumerate(texts):
        cells = [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def save(figure: Any, folder: pathlib.Path, name: str) -> pathlib.Path:
    """Write a figure as PNG, and say where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"Figure: {path}")
    return path


def flat(images: np.ndarray) -> np.ndarray:
    """Images (n, 28, 28) from 0 to 255 as rows (n, 784) from 0 to 1."""
    return images.reshape(len(images), 784).astype("float32") / 255


def digits(quick: bool) -> tuple[str, Split, Split]:
    """MNIST, or digits drawn by a program where MNIST cannot be had and for a quick run. Says which."""
    name = "drawn digits (not MNIST)"
    if quick:
        train, test = drawn_digits.load_data(n_train=6000, n_test=2000)
    else:
        try:
            name, (train, test) = "MNIST", mnist.load_data()
        except OSError:
            print("MNIST was found nowhere and could not be downloaded.")
            train, test = drawn_digits.load_data()
    print(f"Data: {name}, {len(train[0])} to learn from, {len(test[0])} to test with.")
    return name, train, test
