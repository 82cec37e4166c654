"""Image data sets with a fixed split. Only the training part is ever seen by a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from metaopt.seeds import stream

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ImageData:
    """Images (N, H, W, C), standardised by the training part's mean and deviation, and labels (N,) of three parts."""

    train: tuple[Images, Labels]
    valid: tuple[Images, Labels]
    test: tuple[Images, Labels]
    classes: int

    @property
    def in_channels(self) -> int:
        """C."""
        return int(self.train[0].shape[3])


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


def digits() -> ImageData:
    """Returns scikit-learn's 1,797 8x8 grey images of handwritten digits: 700 train, 500 valid, 597 test."""
    bunch = load_digits()
    images = bunch.images[..., None].astype(np.float32)
    labels = bunch.target.astype(np.int64)
    parts = split_classes(labels, (700, 500), stream("digits", "split"))
    mean, deviation = images[parts[0]].mean(), images[parts[0]].std()
    images = (images - mean) / deviation
    train, valid, test = ((images[part], labels[part]) for part in parts)
    return ImageData(train, valid, test, classes=10)


#: Data sets by name; a benchmark's card names one.
IMAGES: dict[str, Callable[[], ImageData]] = {"digits": digits}
