"""Image data sets by name, each with a fixed split."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from metaopt.core.errors import ImageError, unknown_name
from metaopt.core.system_errors import explaining
from metaopt.images.cifar import cifar10, cifar100
from metaopt.images.data import Augmentation, ImageData, ImagePart, Images, ImageSource, Labels, split_classes
from metaopt.images.digits import digits
from metaopt.images.svhn import svhn

__all__ = [
    "IMAGES",
    "Augmentation",
    "ImageData",
    "ImagePart",
    "ImageSource",
    "Images",
    "Labels",
    "cifar10",
    "cifar100",
    "digits",
    "load_images",
    "split_classes",
    "svhn",
]

#: Data sets by name; a benchmark's card names one.
IMAGES: dict[str, Callable[[ImageSource], ImageData]] = {
    "digits": digits,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "svhn": svhn,
}

_EVERYTHING = ImageSource()


def load_images(name: str, source: ImageSource = _EVERYTHING) -> ImageData:
    """Returns a data set; a process reads and decodes it once.

    Args:
        name: One of :data:`IMAGES`.
        source: Where its files are, and what of them is used.

    Raises:
        ConfigError: if there is no such data set, or if the pixels or the subset do not fit it.
        ImageError: if its files are missing, damaged, or of something else.
    """
    if name not in IMAGES:
        raise unknown_name("data set of images", name, IMAGES, "change the images in the card of the benchmark")
    place = source.place(name)
    with explaining(f"cannot read the images of {name} in {place}", "name their folder with {--images}", ImageError):
        return _load(name, source, place)


@lru_cache(maxsize=2)
def _load(name: str, source: ImageSource, place: Path) -> ImageData:
    """Reads a data set; ``place`` tells apart sources that leave the folder to the environment."""
    return IMAGES[name](source)
