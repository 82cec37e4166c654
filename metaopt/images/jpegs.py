"""Images of a data set as JPEGs in one NumPy archive.

It has, with PART being ``train`` or ``test``: ``PART_jpeg``, the bytes of all JPEGs one after another;
``PART_offsets``, of N + 1 numbers, where each of them begins and the last one ends; ``PART_labels``, (N,); and
``class_names``. JPEGs are lossy: their pixels are not those of the standard files.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from metaopt.core.errors import ImageError
from metaopt.core.system_errors import unreadable
from metaopt.images.assemble import SIDE, checked_labels
from metaopt.images.data import Images, Pool

_HINT = "get the file again"


def open_jpegs(path: Path, classes: Sequence[str], part: Literal["train", "test"], size: int) -> Pool:
    """Opens a part of such a file; an image is decoded when it is read.

    Args:
        path: The file.
        classes: Their names in the order of the labels.
        part: Which.
        size: Images it must have.

    Raises:
        ImageError: if the file is damaged or has other images; so does reading a damaged image.
    """
    jpeg, offsets, stored, names = _arrays(path, [f"{part}_jpeg", f"{part}_offsets", f"{part}_labels", "class_names"])
    if names.tolist() != list(classes):
        given = ", ".join(map(str, names.ravel().tolist()))
        raise ImageError(f"{path} has images of other classes: {given}", f"allowed: {', '.join(classes)}")
    if stored.shape != (size,) or stored.dtype.kind not in "ui":
        raise ImageError(f"{path} has {part}_labels of shape {stored.shape}; expected are {size} whole numbers", _HINT)
    labels = checked_labels(f"{path}, {part}_labels,", stored.astype(np.int64), len(classes))
    if (
        (jpeg.ndim, jpeg.dtype.str, offsets.shape, offsets.dtype.kind) != (1, "|u1", (size + 1,), "i")
        or (offsets[0], offsets[-1]) != (0, len(jpeg))
        or (np.diff(offsets) < 0).any()
    ):
        raise ImageError(f"{path}: {part}_offsets does not cut {part}_jpeg into {size} images", _HINT)

    def read(numbers: NDArray[np.int64]) -> Images:
        images = np.empty((len(numbers), SIDE, SIDE, 3), np.uint8)
        for image, number in zip(images, numbers, strict=True):
            image[:] = _decode(jpeg[offsets[number] : offsets[number + 1]].tobytes(), f"{path}: {part} image {number}")
        return images

    return Pool(labels, read)


def _arrays(path: Path, names: Sequence[str]) -> list[NDArray[np.generic]]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return [file[name] for name in names]
    except KeyError as error:
        raise ImageError(f"{path} is not a file of JPEGs: {error.args[0]}", _HINT) from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        raise unreadable(error, path, "cannot be read", _HINT, ImageError) from None


def _decode(jpeg: bytes, where: str) -> Images:
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            if (image.size, image.mode) != ((SIDE, SIDE), "RGB"):  # known before anything is decoded
                raise ImageError(f"{where} is {image.width}x{image.height} {image.mode}, not 32x32 RGB", _HINT)
            return np.asarray(image)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:  # all that Pillow's reader of JPEGs raises
        raise ImageError(f"{where} cannot be decoded: {error}", _HINT) from None
