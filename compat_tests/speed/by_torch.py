"""What the works share when they are written by hand with PyTorch, without compiling: networks and a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# (network, batch) -> the loss, and more numbers to average over the epoch
Score = Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]
Train = Callable[..., Any]


def place(*arrays: np.ndarray) -> tuple[Any, ...]:
    """Tensors on the device, which is a GPU if there is one."""
    return tuple(torch.as_tensor(array).to(device) for array in arrays)


def dense(weights: Sequence[np.ndarray], hidden: Callable[[], nn.Module]) -> nn.Sequential:
    """A network of dense layers, its last one without activation, from kernel, bias, kernel, bias..."""
    layers: list[nn.Module] = []
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        layers += [linear(kernel, bias), hidden()]
    return nn.Sequential(*layers[:-1]).to(device)


def linear(kernel: np.ndarray, bias: np.ndarray) -> nn.Linear:
    """A dense layer with these weights."""
    layer = nn.Linear(*kernel.shape)
    return fill(layer, weight=kernel.T, bias=bias)


def convolution(kernel: np.ndarray, bias: np.ndarray, padding: str) -> nn.Conv2d:
    """A convolution from a kernel of height, width, inputs, outputs."""
    height, width, inputs, outputs = kernel.shape
    layer = nn.Conv2d(inputs, outputs, (height, width), padding=padding)
    return fill(layer, weight=kernel.transpose(3, 2, 0, 1), bias=bias)


def fill(module: Any, **arrays: np.ndarray) -> Any:
    """The module, its parameters of these names set."""
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(module, name).copy_(torch.tensor(array))
    return module


def scores(logits: Any, classes: Any) -> tuple[Any, Any]:
    """Cross-entropy and accuracy, for class numbers."""
    return nn.functional.cross_entropy(logits, classes), (logits.argmax(1) == classes).float().mean()


def fit(
    network: nn.Module,
    score: Score,
    optimizer: torch.optim.Optimizer,
    data: tuple[Any, ...],
    batch: int,
    after: Callable[[], float] | None = None,
) -> Train:
    """A function that trains for some epochs more and returns the mean scores of each and what `after` says of each.

    Returns:
        train: (epochs, samples) -> logs; an epoch is made of the first so many samples, by default of all.
    """

    def train(epochs: int, samples: int = len(data[0])) -> tuple[list[list[float]], list[float]]:
        means, ends = [], []
        for _ in range(epochs):
            network.train()
            order = torch.randperm(samples, device=device)
            total: Any = 0
            for first in range(0, samples, batch):
                rows = order[first : first + batch]
                optimizer.zero_grad()
                found = score(network, tuple(tensor[rows] for tensor in data))
                found[0].backward()
                optimizer.step()
                total = total + torch.stack([value.detach() for value in found]) * len(rows)
            # Fetched at the epoch's end, so that the device never waits for the host.
            means.append((total / samples).tolist())
            if after is not None:
                network.eval()
                with torch.no_grad():
                    ends.append(after())
        return means, ends

    return train
