"""Trains the convolutional network of convolutional_network.py, which starts this program.

    PYTHON benchmarks/torch_network.py IMAGES.npz ACCURACY SECONDS LEARNING_RATE THREADS

IMAGES.npz contains pixels (n, height, width, channels), labels (n,) and is_validation (n,). After
each half epoch, prints the number of epochs, the seconds of training so far and the accuracy on the
validation images; stops once ACCURACY or SECONDS is reached. Needs PyTorch and NumPy.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor, nn

WIDTHS = 32, 64, 128
BATCH = 128


def network(height: int, width: int, channels: int, n_classes: int) -> nn.Sequential:
    """For each of WIDTHS a convolution, batch normalisation, ReLU and pooling; a linear layer."""
    layers: list[nn.Module] = []
    for n_outputs in WIDTHS:
        layers += [
            nn.Conv2d(channels, n_outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        height, width, channels = height // 2, width // 2, n_outputs
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, n_classes)).to(
        memory_format=torch.channels_last
    )


def accuracy(net: nn.Sequential, pixels: Tensor, labels: Tensor) -> float:
    """The share of images classified correctly."""
    net.eval()
    with torch.no_grad():
        predicted = torch.cat([net(block).argmax(1) for block in pixels.split(500)])
    net.train()
    return float((predicted == labels).double().mean())


def batches(n: int) -> Iterator[Tensor]:
    """Rows of n in random order, again and again; incomplete batches are left out."""
    while True:
        yield from torch.randperm(n).split(BATCH)[: max(n // BATCH, 1)]


def scaled(images: np.ndarray) -> Tensor:
    """-1 … 1, (n, channels, height, width); in memory, the channels remain last."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


class Training:
    """A new network and its optimizer."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int, rate: float) -> None:
        self.net = network(*shape, n_classes)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=rate)

    def step(self, x: Tensor, y: Tensor) -> None:
        """One step on a batch, whose images are mirrored with a probability of one half."""
        is_flipped = torch.rand(len(x), 1, 1, 1) < 0.5
        outputs = self.net(torch.where(is_flipped, x.flip(3), x))
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(outputs, y).backward()
        self.optimizer.step()


def main() -> None:
    """Train, and print the progress."""
    target, limit, rate = map(float, sys.argv[2:5])
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[5]))
    with np.load(sys.argv[1]) as file:
        pixels, labels, is_out = (file[name] for name in ("pixels", "labels", "is_validation"))
    shape, n_classes = pixels.shape[1:], int(labels.max()) + 1
    # The first step imports modules, which takes seconds.
    Training(shape, n_classes, rate).step(scaled(pixels[:2]), torch.from_numpy(labels[:2]))
    began = time.perf_counter()
    x, y = scaled(pixels[~is_out]), torch.from_numpy(labels[~is_out])
    training = Training(shape, n_classes, rate)
    seconds = time.perf_counter() - began
    x_out, y_out = scaled(pixels[is_out]), torch.from_numpy(labels[is_out])
    n_per_epoch = max(len(x) // BATCH, 1)
    n_half = -(-n_per_epoch // 2)
    rows = batches(len(x))
    for n_steps in count(n_half, n_half):
        began = time.perf_counter()
        for chosen in islice(rows, n_half):
            training.step(x[chosen], y[chosen])
        seconds += time.perf_counter() - began
        reached = accuracy(training.net, x_out, y_out)
        print(n_steps / n_per_epoch, seconds, reached, flush=True)
        if reached >= target or seconds >= limit:
            break


if __name__ == "__main__":
    main()
