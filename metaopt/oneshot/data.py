"""Images of a search: two halves, batches in a seeded order, and cutout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metaopt.errors import ConfigError
from metaopt.images import Images, Labels, split_classes
from metaopt.seeds import stream


@dataclass(frozen=True)
class Half:
    """Images (N, C, H, W) and labels (N,) on the device of the search."""

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, images: Images, labels: Labels, device: torch.device) -> Half:
        """Puts images (N, H, W, C) and labels (N,) on a device, once."""
        tensor = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return cls(tensor.to(device), torch.from_numpy(labels).to(device))

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields shuffled batches of ``size``; what does not fill one is left out of this pass."""
        order = torch.from_numpy(rng.permutation(len(self.labels))).to(self.labels.device)
        for chosen in order[: len(order) // size * size].split(size):
            yield self.images[chosen], self.labels[chosen]


def halves(train: tuple[Images, Labels], seed: int, device: torch.device) -> tuple[Half, Half]:
    """Splits the training images in two, each class evenly: one for the weights, one for the architecture.

    Args:
        train: Images (N, H, W, C) and labels (N,).
        seed: Of the search.
        device: Where the images are put, once.
    """
    images, labels = train
    parts = split_classes(labels, (len(labels) // 2,), stream(seed, "halves"))
    first, second = (Half.of(images[part], labels[part], device) for part in parts)
    return first, second


def check_batch_size(batch_size: int, half: Half) -> None:
    """Checks that a half of the training images fills at least one batch.

    Raises:
        ConfigError: if it does not.
    """
    if not 2 <= batch_size <= len(half.labels):
        raise ConfigError(
            f"batch_size {batch_size} does not fit: a half of the training images has {len(half.labels)}",
            f"choose a batch_size in [2, {len(half.labels)}]",
        )


def cutout(images: Tensor, probability: float, length: int, rng: np.random.Generator) -> Tensor:
    """Sets a square of side ``length`` to 0, the mean, in some of the images (DeVries and Taylor 2017, section 3.2).

    The centre is uniform over the image, so that squares are cut by its border.

    Args:
        images: (N, C, H, W).
        probability: Of an image to be cut, independently of the others.
        length: Pixels.
        rng: Decides which images and where.
    """
    n, _, height, width = images.shape
    chosen = rng.random(n) < probability
    rows, columns = rng.integers(height, size=n), rng.integers(width, size=n)
    top, left = rows - length // 2, columns - length // 2
    in_rows = (np.arange(height) >= top[:, None]) & (np.arange(height) < top[:, None] + length)
    in_columns = (np.arange(width) >= left[:, None]) & (np.arange(width) < left[:, None] + length)
    hole = in_rows[:, :, None] & in_columns[:, None, :] & chosen[:, None, None]  # (N, H, W)
    return images.masked_fill(torch.from_numpy(hole).to(images.device).unsqueeze(1), 0.0)
