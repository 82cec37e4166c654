"""Scikit-learn's 1,797 gray 8x8 images of handwritten digits, which come with it."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.images.data import ImageData, ImageSource, Pool, split_classes, subset

_PIXELS = 8
_EVERYTHING = ImageSource()


def digits(source: ImageSource = _EVERYTHING) -> ImageData:
    """Returns the images, 17 levels of gray, in three parts of 700, 500 and 597.

    Raises:
        ConfigError: if the source names a folder or another size, or if the subset does not fit.
    """
    if source.folder is not None:
        raise ConfigError(
            f"the digits come with scikit-learn, and not from {source.folder}", "leave the folder of images out"
        )
    if source.pixels not in (None, _PIXELS):
        raise ConfigError(
            f"the digits cannot be averaged to {source.pixels} pixels: their 17 levels are too coarse",
            f"leave the pixels out, or say {_PIXELS}",
        )
    bunch = load_digits()
    images, labels = bunch.images[..., None].astype(np.uint8), bunch.target.astype(np.int64)
    pool = Pool(labels, lambda numbers: images[numbers])
    train, valid, test = map(pool.take, split_classes(labels, (700, 500), stream("digits", "split")))
    part = subset("digits", train, source.subset, classes=10).part(_PIXELS)
    # In single precision throughout, as all published results on digits are: the last bit of the deviation differs.
    levels = part[0].astype(np.float32)
    return ImageData(
        part,
        lambda: valid.part(_PIXELS),
        lambda: test.part(_PIXELS),
        classes=10,
        mean=np.array([levels.mean()]),
        deviation=np.array([levels.std()]),
        split="700 train, 500 valid, 597 test, every class with its share",
    )
