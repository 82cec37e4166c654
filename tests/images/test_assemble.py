from __future__ import annotations

import numpy as np
import pytest

from metaopt.core.errors import ImageError
from metaopt.images import Augmentation, ImageSource
from metaopt.images.assemble import assemble, checked_labels, hold_out
from metaopt.images.data import Pool
from stored_images import random_images


def pool(n: int, seed: int) -> Pool:
    images, labels = random_images(n, 5, seed)
    return Pool(labels.astype(np.int64), lambda numbers: images[numbers])


def test_only_the_training_part_is_read_before_it_is_asked_for() -> None:
    opened = []

    def other(name: str, seed: int) -> Pool:
        opened.append(name)
        return pool(20, seed)

    pools = pool(50, 0), lambda: other("valid", 1), lambda: other("test", 2)
    data = assemble("x", ImageSource(pixels=8, subset=25), pools, classes=5, split="as it is", flip=True)
    assert (data.train[0].shape, data.split, data.augmentation) == ((25, 8, 8, 3), "as it is", Augmentation(1, True))
    assert opened == []
    for _ in range(2):
        assert data.valid[0].shape == data.test[0].shape == (20, 8, 8, 3)
    assert opened == ["valid", "test"]


def test_what_is_held_out_is_always_the_same() -> None:
    train, valid = hold_out("x", lambda: pool(100, 0), 20)
    assert np.bincount(train.labels).tolist() == [16] * 5
    assert np.bincount(valid().labels).tolist() == [4] * 5
    images = [{bytes(image) for image in part.part(32)[0]} for part in (train, valid(), pool(100, 0))]
    assert not images[0] & images[1]
    assert images[0] | images[1] == images[2]
    again, _ = hold_out("x", lambda: pool(100, 0), 20)
    assert np.array_equal(again.part(32)[0], train.part(32)[0])
    other, _ = hold_out("y", lambda: pool(100, 0), 20)
    assert not np.array_equal(other.part(32)[0], train.part(32)[0])


def test_labels_are_classes() -> None:
    labels = np.array([0, 2, 1])
    assert checked_labels("here", labels, 3) is labels
    for wrong in (3, -1):
        with pytest.raises(ImageError, match=f"here says that image 1 is of class {wrong}; allowed: 0 to 2"):
            checked_labels("here", np.array([0, wrong, 9]), 3)
    with pytest.raises(ImageError, match="here has no images"):
        checked_labels("here", labels[:0], 3)
