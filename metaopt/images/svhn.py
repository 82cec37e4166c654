"""Street View House Numbers (Netzer et al., Reading Digits in Natural Images, 2011): the cropped digits.

They are read from ``train_32x32.mat`` and ``test_32x32.mat``, MATLAB 5 files with ``X``, (32, 32, 3, N) levels, and
``y``, (N, 1) digits, where 10 stands for 0. The extra images are not used. There is no published validation part:
10,000 of the 73,257 training images are held out, every class with its share. Images are not mirrored in training:
digits would not be the same any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from metaopt.core.errors import ImageError
from metaopt.images.assemble import SIDE, assemble, checked_labels, hold_out
from metaopt.images.data import ImageData, ImageSource, Pool

_MAGIC = b"MATLAB 5.0 MAT-file"
_HINT = "get {} of the cropped digits (format 2) from the page of SVHN, and put it there"


@dataclass(frozen=True)
class SvhnFiles:
    """Its files, with how many images each has, and how many of the first one are for validation."""

    train: tuple[str, int] = ("train_32x32.mat", 73_257)
    test: tuple[str, int] = ("test_32x32.mat", 26_032)
    held_out: int = 10_000


SVHN = SvhnFiles()


def svhn(source: ImageSource) -> ImageData:
    """Returns SVHN, see :func:`load_svhn`."""
    return load_svhn(SVHN, source)


def load_svhn(files: SvhnFiles, source: ImageSource) -> ImageData:
    """Returns the cropped digits from the folder that ``source`` names.

    Raises:
        ConfigError: if the pixels or the subset do not fit.
        ImageError: if a file is missing, damaged, or not what its name says.
    """
    folder = source.place("svhn")
    for name, _ in (files.train, files.test):
        if not (folder / name).is_file():
            raise ImageError(f"no images of SVHN: {folder / name} is missing", _HINT.format(name))
    train, valid = hold_out("svhn", partial(_open, folder, *files.train), files.held_out)
    split = f"{files.held_out:,} of the published training images are valid, every class with its share"
    pools = train, valid, partial(_open, folder, *files.test)
    return assemble("svhn", source, pools, classes=10, split=split, flip=False)


def _open(folder: Path, name: str, size: int) -> Pool:
    path, hint = folder / name, _HINT.format(name)
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ImageError(f"{path} is not a MATLAB 5 file", hint)
    try:
        content = loadmat(path, variable_names=["X", "y"])
    except Exception as error:  # whatever SciPy's reader stumbles over in a damaged file
        raise ImageError(f"{path} is damaged: {error}", hint) from None
    images, digits = (content.get(key, np.empty(0)) for key in ("X", "y"))
    if (images.dtype, images.shape, digits.shape) != (np.uint8, (SIDE, SIDE, 3, size), (size, 1)):
        raise ImageError(
            f"{path} has images of shape {images.shape} and labels of {digits.shape}; expected are "
            f"{(SIDE, SIDE, 3, size)} and {(size, 1)}",
            hint,
        )
    labels = digits.ravel().astype(np.int64)
    labels = checked_labels(str(path), np.where(labels == 10, 0, np.where(labels == 0, -1, labels)), classes=10)
    return Pool(labels, lambda numbers: images[..., numbers].transpose(3, 0, 1, 2))
