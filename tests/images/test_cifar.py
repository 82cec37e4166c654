from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from metaopt.core.errors import ConfigError, ImageError
from metaopt.images import Augmentation, ImageData, ImageSource, cifar10, cifar100
from metaopt.images.cifar import CIFAR10, CIFAR100, CifarFiles, load_cifar
from metaopt.images.data import average_pool
from stored_images import SMALL10, SMALL100, Stored, decoded, jpeg_arrays, write_archive, write_binary


def joined(stored: Stored, names: list[str]) -> tuple[NDArray[np.uint8], list[int]]:
    return np.concatenate([stored[name][0] for name in names]), np.concatenate(
        [stored[name][1] for name in names]
    ).tolist()


def same(data: ImageData, part: str, expected: tuple[NDArray[np.uint8], list[int]]) -> bool:
    images, labels = getattr(data, part)
    return bool(np.array_equal(images, expected[0]) and labels.tolist() == expected[1])


@pytest.mark.parametrize("where", ["files", "folder above", "archive", "archive in a folder"])
def test_the_binary_version_is_split_as_nas_bench_101_is(tmp_path: Path, where: str) -> None:
    folder = tmp_path / SMALL10.folder
    stored = write_binary(SMALL10, folder)
    place = {"files": folder, "folder above": tmp_path}.get(where, tmp_path / "of mine")
    if where.startswith("archive"):
        (tmp_path / "of mine").mkdir()
        write_archive(folder, tmp_path / "of mine" / SMALL10.archive)
        place = place / SMALL10.archive if where == "archive" else place
    data = load_cifar(SMALL10, ImageSource(place))
    assert same(data, "train", joined(stored, [f"data_batch_{n}.bin" for n in (1, 2, 3, 4)]))
    assert same(data, "valid", joined(stored, ["data_batch_5.bin"]))
    assert same(data, "test", joined(stored, ["test_batch.bin"]))
    assert data.split == "NAS-Bench-101's: data_batch_5.bin is valid, test_batch.bin test, the others train"
    assert (data.classes, data.in_channels, data.augmentation) == (10, 3, Augmentation(4, flip=True))
    assert data.mean == pytest.approx(data.train[0].mean(axis=(0, 1, 2)), rel=1e-6)


@pytest.mark.parametrize("archived", [False, True])
def test_cifar_100_holds_out_a_fifth_of_every_class(tmp_path: Path, archived: bool) -> None:
    folder = tmp_path / SMALL100.folder
    stored = write_binary(SMALL100, folder)
    if archived:
        write_archive(folder, tmp_path / "mine.tar.gz")
    data = load_cifar(SMALL100, ImageSource(tmp_path / "mine.tar.gz" if archived else folder))
    assert (len(data.train[1]), len(data.valid[1]), data.classes) == (480, 120, 100)
    assert np.abs(np.bincount(data.valid[1], minlength=100) - 1.2).max() < 1
    pairs = [
        (bytes(image), label)
        for images, labels in (data.train, data.valid)
        for image, label in zip(images, labels.tolist(), strict=True)
    ]
    published, labels = joined(stored, ["train.bin"])
    assert len(set(pairs)) == 600, "no image is in two parts"
    assert sorted(pairs) == sorted((bytes(image), label) for image, label in zip(published, labels, strict=True))
    assert same(data, "test", joined(stored, ["test.bin"]))
    again = load_cifar(SMALL100, ImageSource(folder))
    assert np.array_equal(again.train[0], data.train[0])
    assert np.array_equal(again.valid[0], data.valid[0])


def test_a_subset_at_fewer_pixels(tmp_path: Path) -> None:
    stored = write_binary(SMALL10, tmp_path / "here")
    data = load_cifar(SMALL10, ImageSource(tmp_path / "here", pixels=16, subset=50))
    pooled = average_pool(joined(stored, [f"data_batch_{n}.bin" for n in (1, 2, 3, 4)])[0], 16)
    assert data.train[0].shape == (50, 16, 16, 3)
    assert {bytes(image) for image in data.train[0]} < {bytes(image) for image in pooled}
    assert np.bincount(data.train[1]).tolist() == [5] * 10
    assert np.array_equal(data.valid[0], average_pool(stored["data_batch_5.bin"][0], 16))
    assert data.augmentation == Augmentation(2, flip=True)


def test_jpegs_hold_out_a_fifth_of_every_class(tmp_path: Path) -> None:
    arrays = jpeg_arrays({"train": 200, "test": 20})
    np.savez(tmp_path / "cifar10_jpeg_q75.npz", **arrays)
    for place in (tmp_path, tmp_path / "cifar10_jpeg_q75.npz"):
        data = load_cifar(SMALL10, ImageSource(place))
        assert np.bincount(data.train[1]).tolist() == [16] * 10
        assert np.bincount(data.valid[1]).tolist() == [4] * 10
        ours = {
            bytes(image): label
            for part in (data.train, data.valid)
            for image, label in zip(part[0], part[1].tolist(), strict=True)
        }
        published = zip(decoded(arrays, "train"), arrays["train_labels"].tolist(), strict=True)
        assert ours == {bytes(image): label for image, label in published}
        assert same(data, "test", (decoded(arrays, "test"), arrays["test_labels"].tolist()))
        assert (
            data.split == "JPEGs of CIFAR-10: 40 of the published training images are valid, every class with its share"
        )


def test_standard_files_come_before_jpegs(tmp_path: Path) -> None:
    write_binary(SMALL10, tmp_path / SMALL10.folder)
    np.savez(tmp_path / "cifar10_jpeg_q75.npz", **jpeg_arrays({"train": 200, "test": 20}))
    assert load_cifar(SMALL10, ImageSource(tmp_path)).split.startswith("NAS-Bench-101's")


def refused(files: CifarFiles, place: Path) -> ImageError:
    def read() -> None:
        data = load_cifar(files, ImageSource(place))
        _ = data.valid, data.test

    with pytest.raises(ImageError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize("files", [SMALL10, SMALL100])
def test_what_is_missing_is_said(tmp_path: Path, files: CifarFiles) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        error = refused(files, place)
        assert error.message.startswith(f"no images of {files.title} in {place}; looked for {files.folder}, ")
        assert files.archive in error.hint
    write_binary(files, tmp_path / "here")
    (tmp_path / "here" / files.test).unlink()
    with pytest.raises(ImageError, match=f"{files.test} is missing"):  # before a search begins, which does without
        load_cifar(files, ImageSource(tmp_path / "here"))


@pytest.mark.parametrize("left", [0, 100, 30 * 3073])
def test_a_truncated_file_is_named(tmp_path: Path, left: int) -> None:
    write_binary(SMALL10, tmp_path / "here")
    damaged = tmp_path / "here" / "data_batch_3.bin"
    damaged.write_bytes(damaged.read_bytes()[:left])
    message = f"data_batch_3.bin in {damaged} has {left:,} bytes; that of CIFAR-10 has 122,920"
    assert refused(SMALL10, tmp_path / "here").message == message
    write_archive(tmp_path / "here", tmp_path / "mine.tar.gz")
    assert refused(SMALL10, tmp_path / "mine.tar.gz").message.startswith("data_batch_3.bin in")


@pytest.mark.parametrize("share", [0.0005, 0.3, 0.6, 0.999])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    write_binary(SMALL10, tmp_path / SMALL10.folder)
    archive = tmp_path / "mine.tar.gz"
    write_archive(tmp_path / SMALL10.folder, archive)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    assert str(archive) in refused(SMALL10, archive).message


def test_an_archive_with_flipped_bytes_is_refused(tmp_path: Path) -> None:
    write_binary(SMALL10, tmp_path / SMALL10.folder)
    archive = tmp_path / "mine.tar.gz"
    write_archive(tmp_path / SMALL10.folder, archive)
    content = bytearray(archive.read_bytes())
    content[30:60] = bytes(30)
    archive.write_bytes(content)
    assert f"{archive} is damaged" in refused(SMALL10, archive).message


def test_labels_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    write_binary(SMALL10, tmp_path / "here")
    path = tmp_path / "here" / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[3073 * 7] = 10
    path.write_bytes(content)
    assert "says that image 7 is of class 10; allowed: 0 to 9" in refused(SMALL10, tmp_path / "here").message


def test_the_python_version_is_never_read(tmp_path: Path) -> None:
    """It is a pickle that would leave a file behind if it were loaded."""
    trap = f"cos\nsystem\n(S'touch {tmp_path}/sprung'\ntR."
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in ("data_batch_1", "test_batch", "batches.meta"):
        (folder / name).write_text(trap)
    write_archive(folder, tmp_path / "cifar-10-python.tar.gz")
    for place in (folder, tmp_path, tmp_path / "cifar-10-python.tar.gz"):
        error = refused(SMALL10, place)
        assert f"{place} is the Python version of CIFAR-10" in error.message
        assert "get cifar-10-binary.tar.gz, the binary version of CIFAR-10" in error.hint
    assert refused(SMALL10, folder / "data_batch_1").message.endswith("is not cifar-10-binary.tar.gz, nor another "
        "form of CIFAR-10")  # fmt: skip
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap.encode())  # it is one
    assert (tmp_path / "sprung").exists()
    assert "Python version of CIFAR-100" in refused(SMALL100, _python100(tmp_path)).message


def _python100(folder: Path) -> Path:
    (folder / "cifar-100-python").mkdir()
    (folder / "cifar-100-python" / "train").write_bytes(b"\x80")
    return folder / "cifar-100-python"


def test_other_data_is_refused(tmp_path: Path) -> None:
    write_binary(SMALL100, tmp_path / SMALL100.folder)
    write_archive(tmp_path / SMALL100.folder, tmp_path / "other.tar.gz")
    message = f"{tmp_path}/other.tar.gz is not cifar-10-binary.tar.gz: it has no data_batch_1.bin"
    assert refused(SMALL10, tmp_path / "other.tar.gz").message == message
    np.savez(tmp_path / "jpegs.npz", **jpeg_arrays({"train": 200, "test": 20}))
    assert "is not cifar-100-binary.tar.gz" in refused(SMALL100, tmp_path / "jpegs.npz").message


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_binary(SMALL10, tmp_path / "here")
    with pytest.raises(ConfigError, match="cifar10 cannot be averaged to 12 pixels: its images have 32"):
        load_cifar(SMALL10, ImageSource(tmp_path / "here", pixels=12))
    with pytest.raises(ConfigError, match="a subset of 161 images does not fit: cifar10 has 160 training images"):
        load_cifar(SMALL10, ImageSource(tmp_path / "here", subset=161))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "files", "size"), [(cifar10, CIFAR10, 184_380_000), (cifar100, CIFAR100, 184_440_000)]
)
def test_files_of_the_real_size(
    tmp_path: Path, load: Callable[[ImageSource], ImageData], files: CifarFiles, size: int
) -> None:
    """The sizes are those of the published files: 10,000 records of 3,073 bytes each, 60,000 of 3,074."""
    write_binary(files, tmp_path / "here")
    assert sum(path.stat().st_size for path in (tmp_path / "here").glob("*.bin")) == size
    data = load(ImageSource(tmp_path / "here"))
    assert [len(part[1]) for part in (data.train, data.valid, data.test)] == [40_000, 10_000, 10_000]


#: Mean and deviation of the standard files' 50,000 training images, in levels of 255: 1Shot1's released code.
MEAN = 255 * np.array([0.49139968, 0.48215827, 0.44653124])
DEVIATION = 255 * np.array([0.24703233, 0.24348505, 0.26158768])


def test_the_real_images(published_images: Path) -> None:
    """A part of them only: decoding all takes long."""
    data = cifar10(ImageSource(published_images, pixels=16, subset=3_000))
    assert data.train[0].shape == (3_000, 16, 16, 3)
    assert np.abs(np.bincount(data.train[1]) - 300).max() <= 1
    assert data.mean == pytest.approx(MEAN, abs=2)
    assert (data.deviation < DEVIATION).all(), "averages vary less than pixels"
    assert (data.deviation > 0.9 * DEVIATION).all()


@pytest.mark.slow
def test_the_real_split(published_images: Path) -> None:
    data = cifar10(ImageSource(published_images))
    assert [part[0].shape for part in (data.train, data.valid, data.test)] == [
        (40_000, 32, 32, 3), (10_000, 32, 32, 3), (10_000, 32, 32, 3)
    ]  # fmt: skip
    for _, labels in (data.train, data.valid, data.test):
        assert np.abs(np.bincount(labels) - len(labels) / 10).max() <= 1
    assert data.mean == pytest.approx(MEAN, abs=0.5)
    assert data.deviation == pytest.approx(DEVIATION, abs=0.5)
    with np.load(published_images) as file:
        jpeg, offsets = file["train_jpeg"].tobytes(), file["train_offsets"].tolist()
    distinct = len({jpeg[start:end] for start, end in pairwise(offsets)})
    shown = {bytes(image) for part in (data.train, data.valid) for image in part[0]}
    assert len(shown) == distinct > 49_900
