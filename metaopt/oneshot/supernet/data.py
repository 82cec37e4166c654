"""Images of a search: two halves, batches in a seeded order, shifts and flips, and cutout."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.images import Augmentation, ImageData, ImagePart, split_classes

_PIXELS = 500 * 32 * 32  # of the images that are evaluated at once: 500 of CIFAR, which bounds the memory


@dataclass(frozen=True)
class Half:
    """Images on the device of the search: a quarter of the memory that standardised ones would take.

    Attributes:
        levels: (N, C, H, W) pixels as levels of one byte.
        labels: (N,).
        mean: (1, C, 1, 1) that images are standardised with when they are read.
        deviation: (1, C, 1, 1).
    """

    levels: Tensor
    labels: Tensor
    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, part: ImagePart, data: ImageData, device: torch.device) -> Half:
        """Puts images (N, H, W, C) and labels (N,) of some data on a device, once."""
        images, labels = part
        levels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        mean, deviation = (torch.from_numpy(a).view(1, -1, 1, 1).to(device) for a in (data.mean, data.deviation))
        return cls(levels.to(device), torch.from_numpy(labels).to(device), mean, deviation)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def images(self) -> Tensor:
        """All images, standardised, (N, C, H, W)."""
        return self._standardised(self.levels)

    def _standardised(self, levels: Tensor) -> Tensor:
        return (levels.to(self.mean.dtype) - self.mean) / self.deviation

    def first(self, images: int | None) -> Half:
        """Returns a half of the first images only; None: of all."""
        return replace(self, levels=self.levels[:images], labels=self.labels[:images])

    def pieces(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields all images, standardised, and their labels in order, as many as are evaluated at a time.

        That is all of them, if they have no more pixels together than 500 images of CIFAR; else pieces that differ by
        one image at most. A small last piece would have statistics of its own that are those of few images.
        """
        at_once = max(1, _PIXELS // math.prod(self.levels.shape[2:]))
        count = math.ceil(len(self) / at_once)
        for levels, labels in zip(self.levels.tensor_split(count), self.labels.tensor_split(count), strict=True):
            yield self._standardised(levels), labels

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields shuffled batches of ``size``; what does not fill one is left out of this pass."""
        order = torch.from_numpy(rng.permutation(len(self))).to(self.labels.device)
        for chosen in order[: len(order) // size * size].split(size):
            yield self._standardised(self.levels[chosen]), self.labels[chosen]


def halves(data: ImageData, seed: int, device: torch.device) -> tuple[Half, Half]:
    """Splits the training images in two, each class evenly: one for the weights, one for the architecture.

    Args:
        data: Of which only the training images are used.
        seed: Of the search.
        device: Where the images are put, once.
    """
    images, labels = data.train
    parts = split_classes(labels, (len(labels) // 2,), stream(seed, "halves"))
    first, second = (Half.of((images[part], labels[part]), data, device) for part in parts)
    return first, second


def check_batch_size(batch_size: int, half: Half) -> None:
    """Checks that a half of the training images fills at least one batch.

    Raises:
        ConfigError: if it does not.
    """
    if not 2 <= batch_size <= len(half):
        raise ConfigError(
            f"batch_size {batch_size} does not fit: a half of the training images has {len(half)}",
            f"choose a batch_size in [2, {len(half)}]",
        )


def shift_and_flip(images: Tensor, augmentation: Augmentation, rng: np.random.Generator) -> Tensor:
    """Cuts every image out of itself with a border of 0, the mean, and mirrors about half of them, left to right.

    What there is nothing to do for draws no random numbers.

    Args:
        images: (N, C, H, W), standardised.
        augmentation: How wide the border is, and whether images are mirrored.
        rng: Decides where each image is cut, every place as likely as the others, and which are mirrored.
    """
    pad = augmentation.pad
    if not pad and not augmentation.flip:
        return images
    n, _, height, width = images.shape
    top, left = rng.integers(2 * pad + 1, size=(2, n, 1)) if pad else np.zeros((2, n, 1), np.int64)
    rows, columns = top + np.arange(height), left + np.arange(width)  # (N, H), (N, W) in the image with its border
    if augmentation.flip:
        columns = np.where(rng.random((n, 1)) < 0.5, columns[:, ::-1], columns)
    bordered = F.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    number, row, column = (
        torch.from_numpy(a).to(images.device) for a in (np.arange(n)[:, None, None], rows[:, :, None], columns[:, None])
    )
    return bordered[number, row, column].permute(0, 3, 1, 2)


def cutout(images: Tensor, probability: float, length: int, rng: np.random.Generator) -> Tensor:
    """Sets a square of side ``length`` to 0, the mean, in some of the images (DeVries and Taylor 2017, section 3.2).

    The center is uniform over the image, so that squares are cut by its border.

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
