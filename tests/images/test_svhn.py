from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from metaopt.core.errors import ImageError
from metaopt.images import Augmentation, ImageSource, svhn
from metaopt.images.svhn import SvhnFiles, load_svhn
from stored_images import random_images

SMALL = SvhnFiles(("train_32x32.mat", 250), ("test_32x32.mat", 30), held_out=50)


def write(folder: Path, **changes: Any) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    stored = {}
    for seed, (name, n) in enumerate((SMALL.train, SMALL.test)):
        images, digits = random_images(n, 10, seed)
        arrays = {"X": images.transpose(1, 2, 3, 0), "y": np.where(digits == 0, 10, digits)[:, None].astype(np.uint8)}
        savemat(folder / name, {**arrays, **changes}, do_compression=True)  # as the published ones
        stored[name] = images, digits
    return stored


def test_images_and_digits_are_read_back(tmp_path: Path) -> None:
    stored = write(tmp_path)
    data = load_svhn(SMALL, ImageSource(tmp_path))
    images, digits = stored["test_32x32.mat"]
    assert np.array_equal(data.test[0], images)
    assert data.test[1].tolist() == digits.tolist()
    ours = {
        bytes(image): label
        for part in (data.train, data.valid)
        for image, label in zip(part[0], part[1].tolist(), strict=True)
    }
    images, digits = stored["train_32x32.mat"]
    assert ours == {bytes(image): digit for image, digit in zip(images, digits.tolist(), strict=True)}
    assert np.bincount(data.train[1]).tolist() == [20] * 10
    assert np.bincount(data.valid[1]).tolist() == [5] * 10
    assert (data.classes, data.augmentation) == (10, Augmentation(4, flip=False))
    assert data.split == "50 of the published training images are valid, every class with its share"


def test_a_subset_at_fewer_pixels(tmp_path: Path) -> None:
    write(tmp_path)
    data = load_svhn(SMALL, ImageSource(tmp_path, pixels=8, subset=40))
    assert data.train[0].shape == (40, 8, 8, 3)
    assert data.valid[0].shape == (50, 8, 8, 3)
    assert data.augmentation == Augmentation(1)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no images of SVHN: .*train_32x32\.mat is missing"):
        svhn(ImageSource(tmp_path))
    write(tmp_path)
    (tmp_path / "test_32x32.mat").unlink()
    with pytest.raises(ImageError, match=r"no images of SVHN: .*test_32x32\.mat is missing") as caught:
        load_svhn(SMALL, ImageSource(tmp_path))
    assert caught.value.hint.startswith("get test_32x32.mat of the cropped digits")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    write(tmp_path)
    path = tmp_path / "train_32x32.mat"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ImageError, match=r"train_32x32\.mat is damaged"):
        load_svhn(SMALL, ImageSource(tmp_path))


def test_flipped_bytes_are_found(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "train_32x32.mat"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"train_32x32\.mat is damaged"):
        load_svhn(SMALL, ImageSource(tmp_path))


def test_another_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "train_32x32.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    with pytest.raises(ImageError, match=r"train_32x32\.mat is not a MATLAB 5 file"):
        load_svhn(SMALL, ImageSource(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": np.zeros((32, 32, 3, 249), np.uint8)}, r"images of shape \(32, 32, 3, 249\) and labels of \(250, 1\)"),
        ({"X": np.zeros((32, 32, 3, 250))}, r"has images of shape"),
        ({"y": np.ones((1, 250), np.uint8)}, r"labels of \(1, 250\); expected are \(32, 32, 3, 250\) and \(250, 1\)"),
        ({"y": np.zeros((250, 1), np.uint8)}, "says that image 0 is of class -1; allowed: 0 to 9"),
        ({"y": np.full((250, 1), 11, np.uint8)}, "says that image 0 is of class 11; allowed: 0 to 9"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write(tmp_path, **changes)
    with pytest.raises(ImageError, match=message):
        load_svhn(SMALL, ImageSource(tmp_path))


def test_files_must_have_the_published_size(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(ImageError, match=r"expected are \(32, 32, 3, 73257\)"):
        svhn(ImageSource(tmp_path))
