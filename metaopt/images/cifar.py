"""CIFAR-10 and CIFAR-100 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).

They are read from the binary version, a folder or the archive as it is, and CIFAR-10 from one file of JPEGs, too. The
files of the Python version are pickles, which run what they say when they are loaded: they are never read.

A file of the binary version is a sequence of records without a header: the label, one byte each (CIFAR-100: of the
group, then of the class), and 3 x 32 x 32 bytes of red, green and blue, row by row.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from metaopt.core.errors import ImageError
from metaopt.core.system_errors import unreadable
from metaopt.images.assemble import SIDE, assemble, checked_labels, hold_out
from metaopt.images.data import ImageData, Images, ImageSource, Pool
from metaopt.images.jpegs import open_jpegs

_PIXEL_BYTES = 3 * SIDE * SIDE
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class CifarFiles:
    """What a data set of the CIFAR family is stored as.

    Attributes:
        name: Of the data set.
        title: As its author calls it.
        classes: Number of labels.
        folder: Of the binary version.
        archive: Of the binary version.
        train: Files of training images.
        test: File of test images.
        records: Images in each file of training images, and in that of test images.
        label_bytes: In front of the pixels; the last one is the class.
        python: What is found where the Python version is.
        valid: Those of ``train`` that are NAS-Bench-101's validation images; none: every class has its share.
        jpegs: A file of the same images as JPEGs, and the names of the classes in it; None: not known.
    """

    name: str
    title: str
    classes: int
    folder: str
    archive: str
    train: tuple[str, ...]
    test: str
    records: tuple[int, int]
    label_bytes: int
    python: tuple[str, ...]
    valid: tuple[str, ...] = ()
    jpegs: tuple[str, tuple[str, ...]] | None = None

    @property
    def total(self) -> int:
        """Images that were published for training."""
        return self.records[0] * len(self.train)

    @property
    def held_out(self) -> int:
        """Validation images: a fifth of them, as many as NAS-Bench-101 has."""
        return self.total // 5

    @property
    def hint(self) -> str:
        """What to get."""
        return (
            f"get {self.archive}, the binary version of {self.title} from the page of its author Alex Krizhevsky, "
            "and name it or its folder, or put it there"
        )

    def size(self, file: str) -> int:
        """Returns how many bytes a file has."""
        return self.records[file == self.test] * (self.label_bytes + _PIXEL_BYTES)


CIFAR10 = CifarFiles(
    name="cifar10",
    title="CIFAR-10",
    classes=10,
    folder="cifar-10-batches-bin",
    archive="cifar-10-binary.tar.gz",
    train=tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
    test="test_batch.bin",
    records=(10_000, 10_000),
    label_bytes=1,
    python=("cifar-10-python.tar.gz", "cifar-10-batches-py", "batches.meta"),
    valid=("data_batch_5.bin",),
    jpegs=(
        "cifar10_jpeg_q75.npz",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
)

CIFAR100 = CifarFiles(
    name="cifar100",
    title="CIFAR-100",
    classes=100,
    folder="cifar-100-binary",
    archive="cifar-100-binary.tar.gz",
    train=("train.bin",),
    test="test.bin",
    records=(50_000, 10_000),
    label_bytes=2,
    python=("cifar-100-python.tar.gz", "cifar-100-python", "meta"),
)


def cifar10(source: ImageSource) -> ImageData:
    """Returns CIFAR-10, from the binary version split as NAS-Bench-101 is, see :func:`load_cifar`."""
    return load_cifar(CIFAR10, source)


def cifar100(source: ImageSource) -> ImageData:
    """Returns CIFAR-100 with its 100 classes, see :func:`load_cifar`."""
    return load_cifar(CIFAR100, source)


def load_cifar(files: CifarFiles, source: ImageSource) -> ImageData:
    """Returns a data set from where ``source`` says: the binary version, else the JPEGs.

    Args:
        files: Which.
        source: A folder with the files, with their folder, or with the archive; or the archive, or the file of JPEGs.

    Raises:
        ConfigError: if the pixels or the subset do not fit.
        ImageError: if a file is missing, damaged, of another data set, or of the Python version.
    """
    found = _find(files, source.place(files.name))
    rule = f"{files.held_out:,} of the published training images are valid, every class with its share"
    if files.jpegs and found.is_file() and _starts_with(found, _ZIP):
        opened = partial(open_jpegs, found, files.jpegs[1])
        train, valid = hold_out(files.name, partial(opened, "train", files.total), files.held_out)
        test, split = partial(opened, "test", files.records[1]), f"JPEGs of {files.title}: {rule}"
    else:
        read = partial(_open_binary, files, found)
        test = partial(read, (files.test,))
        if files.valid:
            train, valid = read([name for name in files.train if name not in files.valid]), partial(read, files.valid)
            split = f"NAS-Bench-101's: {', '.join(files.valid)} is valid, {files.test} test, the others train"
        else:
            (train, valid), split = hold_out(files.name, partial(read, files.train), files.held_out), rule
    return assemble(files.name, source, (train, valid, test), classes=files.classes, split=split, flip=True)


def _find(files: CifarFiles, place: Path) -> Path:
    """Returns the folder of the binary version, its archive, or the file of JPEGs, in this order.

    Raises:
        ImageError: if none of them is there.
    """
    if place.is_file():
        return place
    jpegs = [place / files.jpegs[0]] if files.jpegs else []
    folders = [folder for folder in (place, place / files.folder) if (folder / files.train[0]).is_file()]
    for found in (*folders, place / files.archive, *jpegs):
        if found.exists():
            return found
    if place.is_dir() and {place.name, *(path.name for path in place.iterdir())} & set(files.python):
        raise _python_version(files, place)
    names = [files.folder, files.archive, *(path.name for path in jpegs)]
    raise ImageError(f"no images of {files.title} in {place}; looked for {', '.join(names)}", files.hint)


def _python_version(files: CifarFiles, place: Path) -> ImageError:
    return ImageError(
        f"{place} is the Python version of {files.title}, files of pickles, which are never read because they run "
        "what they say",
        files.hint,
    )


def _open_binary(files: CifarFiles, found: Path, names: Sequence[str]) -> Pool:
    """Opens images of the binary version, which is in a folder or in an archive."""
    starts = np.cumsum([0, *(files.size(name) for name in names)])
    content = np.empty(starts[-1], np.uint8)
    parts = {name: content[start:end] for name, start, end in zip(names, starts[:-1], starts[1:], strict=True)}
    (_read_folder if found.is_dir() else _read_archive)(files, found, parts)
    records = content.reshape(-1, files.label_bytes + _PIXEL_BYTES)
    labels = checked_labels(f"{found}, {names[0]}", records[:, files.label_bytes - 1].astype(np.int64), files.classes)

    def read(numbers: NDArray[np.int64]) -> Images:
        return records[numbers, files.label_bytes :].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)

    return Pool(labels, read)


def _read_folder(files: CifarFiles, folder: Path, parts: Mapping[str, NDArray[np.uint8]]) -> None:
    for name in (*files.train, files.test):  # all of them, so that what is missing is not found out after a search
        size = (folder / name).stat().st_size if (folder / name).is_file() else None
        _check_size(files, folder / name, name, size)
    for name, part in parts.items():
        part[:] = np.fromfile(folder / name, np.uint8, count=len(part))


def _read_archive(files: CifarFiles, archive: Path, parts: Mapping[str, NDArray[np.uint8]]) -> None:
    if not _starts_with(archive, _GZIP):
        raise ImageError(f"{archive} is not {files.archive}, nor another form of {files.title}", files.hint)
    missing, seen = set(parts), set[str]()
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = PurePosixPath(member.name).name
                seen |= {name, member.name.split("/")[0]}
                if name in missing and (file := tar.extractfile(member)) is not None:
                    _check_size(files, archive, name, member.size)
                    parts[name][:] = np.frombuffer(file.read(), np.uint8)
                    missing.remove(name)
                if not missing:
                    return
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise unreadable(error, archive, "is damaged", files.hint, ImageError) from None
    if seen & set(files.python):
        raise _python_version(files, archive)
    raise ImageError(f"{archive} is not {files.archive}: it has no {min(missing)}", files.hint)


def _check_size(files: CifarFiles, where: Path, name: str, size: int | None) -> None:
    if size is None:
        raise ImageError(f"{where} is missing", files.hint)
    if size != files.size(name):
        raise ImageError(
            f"{name} in {where} has {size:,} bytes; that of {files.title} has {files.size(name):,}", files.hint
        )


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
