"""Small files of every form that image data sets are stored in, written as their publishers write them."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaopt.images.cifar import CIFAR10, CIFAR100, CifarFiles

#: The real ones, with 40 and 20 images in a file, and 600 and 200.
SMALL10, SMALL100 = replace(CIFAR10, records=(40, 20)), replace(CIFAR100, records=(600, 200))

Stored = dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]


def random_images(n: int, classes: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns noise (n, 32, 32, 3) and labels, as many of every class."""
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(n, 32, 32, 3)).astype(np.uint8)
    return images, rng.permutation(np.arange(n) % classes).astype(np.uint8)


def write_binary(files: CifarFiles, folder: Path) -> Stored:
    """Writes the binary version to a folder; returns what each of its files holds."""
    folder.mkdir(parents=True)
    stored = {}
    for seed, name in enumerate((*files.train, files.test)):
        images, labels = random_images(files.records[name == files.test], files.classes, seed)
        group = (labels[:, None] // 5,) * (files.label_bytes - 1)
        planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        (folder / name).write_bytes(np.concatenate([*group, labels[:, None], planes], axis=1).tobytes())
        stored[name] = images, labels
    (folder / "batches.meta.txt").write_text("airplane\n")
    return stored


def write_archive(folder: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)


def encode(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def jpeg_arrays(parts: dict[str, int]) -> dict[str, NDArray[np.generic]]:
    """Returns the arrays of a file of JPEGs with so many images in its parts."""
    assert SMALL10.jpegs is not None
    arrays: dict[str, NDArray[np.generic]] = {"class_names": np.array(SMALL10.jpegs[1])}
    for seed, (part, n) in enumerate(parts.items()):
        images, labels = random_images(n, 10, seed)
        files = [encode(image) for image in images]
        arrays[f"{part}_jpeg"] = np.frombuffer(b"".join(files), np.uint8)
        arrays[f"{part}_offsets"] = np.cumsum([0, *map(len, files)])
        arrays[f"{part}_labels"] = labels
    return arrays


def decoded(arrays: dict[str, NDArray[np.generic]], part: str) -> NDArray[np.uint8]:
    """Returns all images of a part, decoded one by one."""
    jpeg, offsets = arrays[f"{part}_jpeg"].tobytes(), arrays[f"{part}_offsets"].tolist()
    pieces = (jpeg[start:end] for start, end in pairwise(offsets))
    return np.stack([np.asarray(Image.open(io.BytesIO(piece))) for piece in pieces])
