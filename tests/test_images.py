from __future__ import annotations

import numpy as np

from metaopt.images import digits, split_classes


def test_digits_are_split_once_and_for_all() -> None:
    data = digits()
    parts = [data.train, data.valid, data.test]
    assert [images.shape for images, _ in parts] == [(700, 8, 8, 1), (500, 8, 8, 1), (597, 8, 8, 1)]
    assert (data.in_channels, data.classes) == (1, 10)
    assert abs(float(data.train[0].mean())) < 1e-5
    assert abs(float(data.train[0].std()) - 1) < 1e-5
    # every class has its share of every part: between 9.6 and 10.2 % of all images are of one class
    for _, labels in parts:
        share = np.bincount(labels, minlength=10) / len(labels)
        assert share.min() > 0.09
        assert share.max() < 0.11
    again = digits()
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(parts, (again.train, again.valid, again.test), strict=True))


def test_split_leaves_nothing_out() -> None:
    labels = np.repeat(np.arange(4), [10, 20, 30, 40])
    parts = split_classes(labels, (30, 50), np.random.default_rng(0))
    assert [len(part) for part in parts] == [30, 50, 20]
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert np.abs(np.bincount(labels[parts[0]]) - [3, 6, 9, 12]).max() <= 1
