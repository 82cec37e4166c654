"""What all data sets of files share: pools of stored images to the three parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metaopt.core.errors import ImageError
from metaopt.core.seeds import stream
from metaopt.images.data import (
    Augmentation,
    ImageData,
    ImageSource,
    Labels,
    Pool,
    checked_side,
    moments,
    split_classes,
    subset,
)

SIDE = 32  # of the images of CIFAR and SVHN
_PAD = 4  # of 32 pixels: the usual augmentation of CIFAR, and that of NAS-Bench-101 (Ying et al. 2019, appendix)


def assemble(
    name: str,
    source: ImageSource,
    pools: tuple[Pool, Callable[[], Pool], Callable[[], Pool]],
    *,
    classes: int,
    split: str,
    flip: bool,
) -> ImageData:
    """Reads the training part, which is augmented by shifts.

    Args:
        name: Of the data set.
        source: How many pixels and images.
        pools: Of the training part, and functions that open those of the validation and of the test part.
        classes: Number of labels.
        split: Which images are in which part, in words.
        flip: Whether training images are mirrored, too.

    Raises:
        ConfigError: if the pixels or the subset do not fit.
        ImageError: if what is stored is damaged.
    """
    side = checked_side(name, SIDE, source.pixels)
    train, valid, test = pools
    part = subset(name, train, source.subset, classes).part(side)
    mean, deviation = moments(name, part[0])
    return ImageData(
        part,
        lambda: valid().part(side),
        lambda: test().part(side),
        classes,
        mean,
        deviation,
        split,
        Augmentation(side * _PAD // SIDE, flip),
    )


def hold_out(name: str, published: Callable[[], Pool], size: int) -> tuple[Pool, Callable[[], Pool]]:
    """Splits what was published as training images, always alike; every class has its share, up to one image.

    Args:
        name: Of the data set.
        published: Opens them.
        size: Images for validation.

    Returns:
        The pool for training, which is open, and a function that opens the one for validation.
    """

    def parts() -> list[Pool]:
        pool = published()
        sizes = (len(pool.labels) - size,)
        return [pool.take(part) for part in split_classes(pool.labels, sizes, stream(name, "split"))]

    return parts()[0], lambda: parts()[1]


def checked_labels(where: str, labels: Labels, classes: int) -> Labels:
    """Returns the labels if there are images, and every label is a class.

    Raises:
        ImageError: if not.
    """
    if not len(labels):
        raise ImageError(f"{where} has no images", "get it again")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise ImageError(
            f"{where} says that image {wrong[0]} is of class {labels[wrong[0]]}; allowed: 0 to {classes - 1}",
            "get it again, or name another file",
        )
    return labels
