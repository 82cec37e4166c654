from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from metaopt.core.errors import ConfigError, ImageError
from metaopt.images.data import (
    Augmentation,
    ImageData,
    ImageSource,
    Pool,
    average_pool,
    checked_side,
    moments,
    split_classes,
    subset,
)


def numbered(n: int, classes: int = 3) -> Pool:
    """Images whose only pixel is their number."""
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1)
    return Pool(np.arange(n) % classes, lambda numbers: images[numbers])


def test_split_leaves_nothing_out() -> None:
    labels = np.repeat(np.arange(4), [10, 20, 30, 40])
    parts = split_classes(labels, (30, 50), np.random.default_rng(0))
    assert [len(part) for part in parts] == [30, 50, 20]
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert np.abs(np.bincount(labels[parts[0]]) - [3, 6, 9, 12]).max() <= 1


def test_a_place_is_what_is_named_or_in_the_user_s_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    assert ImageSource().place("cifar10") == tmp_path / "images" / "cifar10"
    assert ImageSource(folder=Path("there")).place("cifar10") == Path("there")


def test_a_pool_reads_what_is_taken_in_its_order() -> None:
    images, labels = numbered(100).take(np.array([7, 3, 50])).take(np.array([2, 0])).part(1)
    assert (images.ravel().tolist(), labels.tolist()) == ([50, 7], [2, 1])
    assert images.shape == (2, 1, 1, 1)


def test_a_part_of_several_pieces_is_whole() -> None:
    images = np.random.default_rng(0).integers(256, size=(4_500, 2, 2, 1)).astype(np.uint8)
    read, labels = Pool(np.arange(4_500), lambda numbers: images[numbers]).part(2)
    assert np.array_equal(read, images)
    assert labels.tolist() == list(range(4_500))


def test_pixels_are_averaged_and_rounded() -> None:
    image = np.array([[0, 1, 10, 10], [0, 1, 10, 11], [255, 255, 0, 0], [255, 255, 0, 3]], np.uint8)
    images = np.stack([image, 255 - image], axis=2)[None]
    assert average_pool(images, 2)[0, :, :, 0].tolist() == [[1, 10], [255, 1]]  # 0.5, 10.25, 255, 0.75
    assert average_pool(images, 1)[0, 0, 0].tolist() == [67, 188]  # 66.625, 188.375
    assert average_pool(images, 4) is images


def test_sides_that_pooling_can_give() -> None:
    assert [checked_side("x", 32, side) for side in (None, 4, 8, 16, 32)] == [32, 4, 8, 16, 32]
    for side in (2, 12, 64, 0, -4):
        with pytest.raises(ConfigError, match=f"x cannot be averaged to {side} pixels") as caught:
            checked_side("x", 32, side)
        assert caught.value.hint == "choose one of 4, 8, 16, 32"


def test_subsets_keep_the_classes_and_contain_smaller_ones() -> None:
    pool = numbered(240)
    numbers = {size: subset("x", pool, size, 3).part(1)[0].ravel().tolist() for size in (30, 90, 240)}
    assert numbers == {size: subset("x", pool, size, 3).part(1)[0].ravel().tolist() for size in (30, 90, 240)}
    assert set(numbers[30]) < set(numbers[90]) < set(numbers[240]) == set(range(240))
    assert len(set(numbers[30])) == 30
    assert np.abs(np.bincount(subset("x", pool, 30, 3).labels) - 10).max() <= 1
    assert set(numbers[30]) != set(subset("y", pool, 30, 3).part(1)[0].ravel().tolist())
    assert subset("x", pool, None, 3) is pool


@pytest.mark.parametrize("size", [2, 241, 0, -1])
def test_a_subset_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=f"a subset of {size} images does not fit: x has 240 training images"):
        subset("x", numbered(240), size, 3)


def test_moments_are_those_of_every_channel() -> None:
    images = np.random.default_rng(0).integers(256, size=(2_100, 4, 4, 3)).astype(np.uint8)
    images[..., 1] //= 9
    mean, deviation = moments("x", images)
    assert mean.dtype == deviation.dtype == np.float32
    assert mean == pytest.approx(images.mean(axis=(0, 1, 2)), rel=1e-6)
    assert deviation == pytest.approx(images.std(axis=(0, 1, 2)), rel=1e-6)


def test_blank_images_are_refused() -> None:
    with pytest.raises(ImageError, match="the training images of x are blank"):
        moments("x", np.full((10, 2, 2, 3), 7, np.uint8))


def test_a_digest_is_of_the_training_images() -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(256, size=(20, 4, 4, 1)).astype(np.uint8), np.arange(20) % 2

    def digest(images: NDArray[np.uint8], labels: NDArray[np.int64], augmentation: Augmentation) -> str:
        other = (images[:0], labels[:0])
        mean, deviation = np.zeros(1, np.float32), np.ones(1, np.float32)
        return ImageData((images, labels), lambda: other, lambda: other, 2, mean, deviation, "", augmentation).digest

    flipped, moved = images.copy(), labels[::-1].copy()
    flipped[3, 2, 1, 0] ^= 1
    same = digest(images, labels, Augmentation())
    assert same == digest(np.asfortranarray(images), labels.astype(np.int64), Augmentation())
    others = [(flipped, labels, Augmentation()), (images, moved, Augmentation()), (images, labels, Augmentation(pad=1))]
    assert len({same, *(digest(*other) for other in others)}) == 4
