"""Images of a benchmark in three parts, and how a part is made of what is stored.

Pixels stay whole levels of one byte until they are on the device that computes with them: CIFAR-10's 40,000 training
images are 123 MB that way and 492 MB as single precision. Only the training part is ever seen by a search; the others
are read when they are asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaopt.core.errors import ConfigError, ImageError
from metaopt.core.paths import home
from metaopt.core.seeds import stream

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
ImagePart = tuple[Images, Labels]

_AT_A_TIME = 2_000  # images that are held at full size while a part is read
_FEWEST_PIXELS = 4  # networks halve the side of an image twice


@dataclass(frozen=True)
class ImageSource:
    """Where the images of a data set are, and what of them is used.

    Attributes:
        folder: The folder, or the file, that the data set's own module describes; None: see :meth:`place`.
        pixels: Side of the images after averaging over squares; None: as they are stored.
        subset: Training images that are used; the same ones every time, every class with its share, and smaller
            subsets are parts of larger ones. None: all.
    """

    folder: Path | None = None
    pixels: int | None = None
    subset: int | None = None

    def place(self, name: str) -> Path:
        """Returns the folder or file of the data set ``name``: by default ``images/NAME`` of the user's own data."""
        return home() / "images" / name if self.folder is None else self.folder


@dataclass(frozen=True)
class Augmentation:
    """How training images are changed at random.

    Attributes:
        pad: Pixels of border from which an image of the old size is cut; 0: none.
        flip: Whether half of them are mirrored, left to right.
    """

    pad: int = 0
    flip: bool = False


@dataclass(frozen=True)
class ImageData:
    """Images (N, H, W, C) as levels of one byte, and labels (N,), of three parts.

    Attributes:
        train: What networks are trained on.
        read_valid: Reads what they are chosen by.
        read_test: Reads what is reported.
        classes: Number of labels.
        mean: (C,) level of the training images.
        deviation: (C,) standard deviation of their levels; standardised are ``(level - mean) / deviation``.
        split: Which images are in which part, in words.
        augmentation: Of training images.
    """

    train: ImagePart
    read_valid: Callable[[], ImagePart]
    read_test: Callable[[], ImagePart]
    classes: int
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    split: str
    augmentation: Augmentation = Augmentation()

    @cached_property
    def valid(self) -> ImagePart:
        """Images and labels that no search sees."""
        return self.read_valid()

    @cached_property
    def test(self) -> ImagePart:
        """Images and labels of which only errors are reported."""
        return self.read_test()

    @cached_property
    def digest(self) -> str:
        """Changes with every training image, its label and its place; the first 16 digits of a SHA-256.

        They are all that a search sees of the images, and the only part that is always read.
        """
        levels, labels = self.train
        content = hashlib.sha256(repr((levels.shape, self.augmentation)).encode())
        content.update(np.ascontiguousarray(levels).data)
        for values in (labels, self.mean, self.deviation):
            content.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
        return content.hexdigest()[:16]

    @property
    def in_channels(self) -> int:
        """C."""
        return int(self.train[0].shape[3])


@dataclass(frozen=True)
class Pool:
    """Stored images.

    Attributes:
        labels: (N,).
        read: Reads the images with the given numbers (n,), in their order: (n, H, W, C).
    """

    labels: Labels
    read: Callable[[NDArray[np.int64]], Images]

    def take(self, chosen: NDArray[np.int64]) -> Pool:
        """Returns the pool of the images with the numbers ``chosen``, in their order."""
        return Pool(self.labels[chosen], lambda numbers: self.read(chosen[numbers]))

    def part(self, side: int) -> ImagePart:
        """Reads all images, averaged to ``side`` x ``side`` pixels."""
        numbers = np.arange(len(self.labels))
        channels = self.read(numbers[:1]).shape[3]
        images = np.empty((len(numbers), side, side, channels), np.uint8)
        for i in range(0, len(numbers), _AT_A_TIME):
            images[i : i + _AT_A_TIME] = average_pool(self.read(numbers[i : i + _AT_A_TIME]), side)
        return images, self.labels


def average_pool(images: Images, side: int) -> Images:
    """Averages images (N, H, H, C) over squares to (N, side, side, C), rounded to whole levels."""
    n, height, _, channels = images.shape
    if height == side:
        return images
    k = height // side
    sums = images.reshape(n, side, k, side, k, channels).sum(axis=(2, 4), dtype=np.uint32)
    means: Images = ((sums + k * k // 2) // (k * k)).astype(np.uint8)
    return means


def split_classes(labels: Labels, sizes: tuple[int, ...], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Splits all indices into parts in which every class has its share, up to one image.

    Args:
        labels: (N,).
        sizes: Images of every part but the last, which takes the rest.
        rng: Decides which image goes where.

    Returns:
        One array of indices per part, shuffled.
    """
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = (np.arange(len(members)) + rng.random()) / len(members)
    spread = np.argsort(rank, kind="stable")
    return [rng.permutation(part) for part in np.split(spread, np.cumsum(sizes))]


def subset(name: str, pool: Pool, size: int | None, classes: int) -> Pool:
    """Returns the pool of so many images of the training part of the data set ``name``; None: of all of them.

    Raises:
        ConfigError: if there are not so many, or fewer are asked for than there are classes.
    """
    if size is None:
        return pool
    if not classes <= size <= len(pool.labels):
        raise ConfigError(
            f"a subset of {size} images does not fit: {name} has {len(pool.labels)} training images "
            f"in {classes} classes",
            f"choose a number in [{classes}, {len(pool.labels)}]",
        )
    return pool.take(split_classes(pool.labels, (size,), stream(name, "subset"))[0])


def checked_side(name: str, stored: int, pixels: int | None) -> int:
    """Returns the side of the images after averaging.

    Raises:
        ConfigError: if squares of one size do not give ``pixels`` of them, or if it is too few.
    """
    allowed = [side for side in range(_FEWEST_PIXELS, stored + 1) if stored % side == 0]
    if pixels is not None and pixels not in allowed:
        raise ConfigError(
            f"{name} cannot be averaged to {pixels} pixels: its images have {stored}",
            f"choose one of {', '.join(map(str, allowed))}",
        )
    return pixels or stored


def moments(name: str, images: Images) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns mean and standard deviation of the levels of every channel, (C,), from exact counts of the levels.

    Raises:
        ImageError: if all images have one and the same level.
    """
    levels, channels = np.arange(256), images.shape[3]
    counts = np.zeros((channels, 256))
    for i in range(0, len(images), _AT_A_TIME):
        for channel in range(channels):
            counts[channel] += np.bincount(images[i : i + _AT_A_TIME, ..., channel].ravel(), minlength=256)
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    deviation = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(axis=1))
    if not deviation.all():
        raise ImageError(f"the training images of {name} are blank", "get the data set again")
    return mean.astype(np.float32), deviation.astype(np.float32)
