from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from metaopt.core.errors import ConfigError
from metaopt.images import Augmentation, ImageSource
from metaopt.images.digits import digits


def test_digits_are_split_once_and_for_all() -> None:
    data = digits()
    parts = [data.train, data.valid, data.test]
    assert [images.shape for images, _ in parts] == [(700, 8, 8, 1), (500, 8, 8, 1), (597, 8, 8, 1)]
    assert (data.in_channels, data.classes, data.augmentation) == (1, 10, Augmentation())
    # every class has its share of every part: between 9.6 and 10.2 % of all images are of one class
    for _, labels in parts:
        share = np.bincount(labels, minlength=10) / len(labels)
        assert share.min() > 0.09
        assert share.max() < 0.11
    again = digits()
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(parts, (again.train, again.valid, again.test), strict=True))


def test_digits_are_those_of_scikit_learn() -> None:
    data, bunch = digits(), load_digits()
    ours = np.concatenate([images.reshape(-1, 64) for images, _ in (data.train, data.valid, data.test)])
    assert sorted(map(bytes, ours)) == sorted(map(bytes, bunch.data.astype(np.uint8)))


def test_published_results_rest_on_these_very_moments() -> None:
    """A last bit that differs makes every search on digits another one."""
    levels = digits().train[0].astype(np.float32)
    assert (digits().mean.tolist(), digits().deviation.tolist()) == ([levels.mean()], [levels.std()])
    assert digits().deviation.dtype == np.float32
    standardised = (levels - digits().mean) / digits().deviation
    assert abs(float(standardised.mean())) < 1e-5
    assert abs(float(standardised.std()) - 1) < 1e-5


def test_a_subset_has_moments_of_its_own() -> None:
    few = digits(ImageSource(subset=100))
    assert few.train[0].shape == (100, 8, 8, 1)
    assert few.mean == pytest.approx(few.train[0].mean(), rel=1e-5)
    assert few.mean != digits().mean
    assert np.array_equal(few.valid[0], digits().valid[0])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (ImageSource(folder=Path("here")), "the digits come with scikit-learn, and not from here"),
        (ImageSource(pixels=4), "the digits cannot be averaged to 4 pixels"),
        (ImageSource(subset=701), "a subset of 701 images does not fit: digits has 700 training images"),
    ],
)
def test_what_digits_have_not_is_refused(source: ImageSource, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        digits(source)
    assert digits(ImageSource(pixels=8)).train[0].shape == (700, 8, 8, 1)
