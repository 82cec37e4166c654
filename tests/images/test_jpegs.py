from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metaopt.core.errors import ImageError
from metaopt.images.jpegs import open_jpegs
from stored_images import SMALL10, decoded, encode, jpeg_arrays

assert SMALL10.jpegs is not None
CLASSES = SMALL10.jpegs[1]
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return jpeg_arrays({"train": 60, "test": 20})


def written(folder: Path, arrays: Arrays) -> Path:
    np.savez(folder / "images.npz", **arrays)
    return folder / "images.npz"


def test_images_are_decoded_when_they_are_read(tmp_path: Path, arrays: Arrays) -> None:
    spoilt = arrays["train_jpeg"].copy()
    start, end = arrays["train_offsets"][7:9]
    spoilt[start:end] = 0
    pool = open_jpegs(written(tmp_path, {**arrays, "train_jpeg": spoilt}), CLASSES, "train", 60)
    assert pool.labels.tolist() == arrays["train_labels"].tolist()
    order = np.array([59, 0, 8, 8])
    assert np.array_equal(pool.read(order), decoded(arrays, "train")[order])
    with pytest.raises(ImageError, match=r"images\.npz: train image 7 cannot be decoded"):
        pool.read(np.array([6, 7]))
    assert np.array_equal(
        open_jpegs(tmp_path / "images.npz", CLASSES, "test", 20).read(np.arange(20)), decoded(arrays, "test")
    )


def replaced(arrays: Arrays, jpeg: bytes) -> Arrays:
    """The arrays with another test image 0."""
    rest = arrays["test_jpeg"][arrays["test_offsets"][1] :].tobytes()
    offsets = arrays["test_offsets"] - arrays["test_offsets"][1] + len(jpeg)
    offsets[0] = 0
    return {**arrays, "test_jpeg": np.frombuffer(jpeg + rest, np.uint8), "test_offsets": offsets}


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((16, 32, 3), np.uint8), "is 32x16 RGB, not 32x32 RGB"),
        (np.zeros((32, 32), np.uint8), "is 32x32 L, not 32x32 RGB"),
    ],
)
def test_images_of_another_kind_are_refused(
    tmp_path: Path, arrays: Arrays, image: NDArray[np.uint8], message: str
) -> None:
    pool = open_jpegs(written(tmp_path, replaced(arrays, encode(image))), CLASSES, "test", 20)
    assert np.array_equal(pool.read(np.array([1])), decoded(arrays, "test")[1:2])
    with pytest.raises(ImageError, match=message):
        pool.read(np.array([0]))


def test_a_truncated_image_is_refused(tmp_path: Path, arrays: Arrays) -> None:
    first = arrays["test_jpeg"][: arrays["test_offsets"][1]].tobytes()
    pool = open_jpegs(written(tmp_path, replaced(arrays, first[:-200])), CLASSES, "test", 20)
    with pytest.raises(ImageError, match="test image 0 cannot be decoded"):
        pool.read(np.array([0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": np.array(CLASSES[::-1])}, "has images of other classes: truck, ship"),
        ({"test_labels": np.arange(20, dtype=np.uint8)}, "says that image 10 is of class 10; allowed: 0 to 9"),
        ({"test_labels": np.zeros(19, np.uint8)}, r"has test_labels of shape \(19,\); expected are 20 whole numbers"),
        ({"test_labels": np.zeros(20)}, r"expected are 20 whole numbers"),
        ({"test_offsets": np.arange(21)}, "test_offsets does not cut test_jpeg into 20 images"),
        ({"test_offsets": np.zeros(3, np.int64)}, "test_offsets does not cut test_jpeg into 20 images"),
        ({"test_jpeg": np.zeros(10, np.uint8)}, "test_offsets does not cut test_jpeg into 20 images"),
        ({"class_names": np.array([{"a": 1}], object)}, "cannot be read: Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: Arrays, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        open_jpegs(written(tmp_path, {**arrays, **changes}), CLASSES, "test", 20)


def test_offsets_that_go_back_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    offsets = arrays["test_offsets"].copy()
    offsets[[3, 4]] = offsets[[4, 3]]
    with pytest.raises(ImageError, match="does not cut"):
        open_jpegs(written(tmp_path, {**arrays, "test_offsets": offsets}), CLASSES, "test", 20)


def test_a_missing_array_is_named(tmp_path: Path, arrays: Arrays) -> None:
    path = written(tmp_path, {name: array for name, array in arrays.items() if name != "test_labels"})
    with pytest.raises(ImageError, match="test_labels is not a file in the archive"):
        open_jpegs(path, CLASSES, "test", 20)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, arrays: Arrays, share: float) -> None:
    path = written(tmp_path, arrays)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ImageError, match=r"images\.npz cannot be read"):
        open_jpegs(path, CLASSES, "test", 20)


def test_flipped_bytes_are_found(tmp_path: Path, arrays: Arrays) -> None:
    path = written(tmp_path, arrays)
    content = bytearray(path.read_bytes())
    at = content.index(arrays["test_jpeg"][-100:].tobytes())
    content[at + 20 : at + 40] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"images\.npz cannot be read: Bad CRC-32"):
        open_jpegs(path, CLASSES, "test", 20)
