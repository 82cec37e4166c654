from __future__ import annotations

import numpy as np
import pytest
import torch

from metaopt.errors import ConfigError
from metaopt.images import digits
from metaopt.oneshot.data import Half, check_batch_size, cutout, halves

CPU = torch.device("cpu")


def test_halves_share_no_image_and_keep_the_classes() -> None:
    train = digits().train
    first, second = halves(train, 0, CPU)
    assert first.images.shape == second.images.shape == (350, 1, 8, 8)
    together = torch.cat([first.images, second.images]).flatten(1)
    assert len(torch.unique(together, dim=0)) == len(np.unique(train[0].reshape(700, -1), axis=0))
    counts = [torch.bincount(half.labels, minlength=10) for half in (first, second)]
    assert (counts[0] - counts[1]).abs().max() <= 2
    other, _ = halves(train, 1, CPU)
    assert not torch.equal(other.images, first.images)


def test_batches_are_shuffled_and_whole() -> None:
    half, _ = halves(digits().train, 0, CPU)
    batches = [list(half.batches(96, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert [len(labels) for _, labels in batches[0]] == [96, 96, 96]
    assert torch.equal(batches[0][0][0], batches[1][0][0])
    assert not torch.equal(batches[0][0][0], batches[2][0][0])


def test_a_batch_must_fit() -> None:
    half, _ = halves(digits().train, 0, CPU)
    check_batch_size(350, half)
    with pytest.raises(ConfigError, match="batch_size 351 does not fit: a half of the training images has 350"):
        check_batch_size(351, half)


@pytest.mark.parametrize(("length", "most"), [(1, 1), (4, 16), (6, 36)])
def test_cutout_blanks_one_square(length: int, most: int) -> None:
    images = torch.ones(500, 2, 8, 8)
    cut = cutout(images, 1.0, length, np.random.default_rng(0))
    holes = (cut == 0).sum(dim=(1, 2, 3)) / 2
    assert holes.max() == most
    assert holes.min() >= 1
    rows = (cut[:, 0] == 0).any(dim=2).sum(1)
    columns = (cut[:, 0] == 0).any(dim=1).sum(1)
    assert torch.equal(rows * columns, holes.long())
    assert torch.equal(cut[:, 0], cut[:, 1])
    assert torch.equal(images, torch.ones_like(images))


def test_cutout_spares_its_share() -> None:
    images = torch.ones(2_000, 1, 8, 8)
    share = (cutout(images, 0.3, 4, np.random.default_rng(0)) == 0).any(dim=3).any(dim=2).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.04)
    assert torch.equal(cutout(images, 0.0, 4, np.random.default_rng(0)), images)


def test_images_are_put_on_a_device_channels_last() -> None:
    images, labels = digits().valid
    half = Half.of(images, labels, CPU)
    assert half.images.shape == (500, 1, 8, 8)
    assert half.images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(half.images[3, 0], torch.from_numpy(images[3, :, :, 0]))
    assert half.labels.tolist() == labels.tolist()
