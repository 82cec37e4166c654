from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metaopt.core.errors import ConfigError
from metaopt.images import Augmentation, digits
from metaopt.oneshot.supernet.data import Half, check_batch_size, cutout, halves, shift_and_flip

CPU = torch.device("cpu")


def test_halves_share_no_image_and_keep_the_classes() -> None:
    data = digits()
    train = data.train
    first, second = halves(data, 0, CPU)
    assert first.images.shape == second.images.shape == (350, 1, 8, 8)
    together = torch.cat([first.images, second.images]).flatten(1)
    assert len(torch.unique(together, dim=0)) == len(np.unique(train[0].reshape(700, -1), axis=0))
    counts = [torch.bincount(half.labels, minlength=10) for half in (first, second)]
    assert (counts[0] - counts[1]).abs().max() <= 2
    other, _ = halves(data, 1, CPU)
    assert not torch.equal(other.images, first.images)


def test_batches_are_shuffled_and_whole() -> None:
    half, _ = halves(digits(), 0, CPU)
    batches = [list(half.batches(96, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert [len(labels) for _, labels in batches[0]] == [96, 96, 96]
    assert torch.equal(batches[0][0][0], batches[1][0][0])
    assert not torch.equal(batches[0][0][0], batches[2][0][0])


def test_a_batch_must_fit() -> None:
    half, _ = halves(digits(), 0, CPU)
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
    data = digits()
    images, labels = data.valid
    half = Half.of(data.valid, data, CPU)
    assert half.levels.dtype == torch.uint8
    assert half.images.shape == (500, 1, 8, 8)
    assert half.images.is_contiguous(memory_format=torch.channels_last)
    assert half.labels.tolist() == labels.tolist()
    standardised = (images.astype(np.float32) - data.mean) / data.deviation
    assert torch.equal(half.images[:, 0], torch.from_numpy(standardised[..., 0]))  # to the last bit


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 1100), height=st.integers(4, 9), width=st.integers(4, 9), limit=st.integers(1, 20_000))
def test_pieces_are_even(n: int, height: int, width: int, limit: int) -> None:
    levels = (torch.arange(n) % 256).to(torch.uint8).view(n, 1, 1, 1).expand(n, 2, height, width)
    half = Half(levels, torch.arange(n), torch.zeros(1, 2, 1, 1), torch.ones(1, 2, 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metaopt.oneshot.supernet.data._PIXELS", limit)
        images, labels = zip(*half.pieces(), strict=True)
    sizes = [len(piece) for piece in labels]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= max(1, limit // (height * width))
    assert torch.cat(labels).tolist() == list(range(n))
    assert [len(piece) for piece in images] == sizes
    assert torch.equal(torch.cat(images), half.images)


def test_half_of_cifar_is_read_500_images_at_a_time() -> None:
    levels = torch.zeros(1, 1, 1, 1, dtype=torch.uint8).expand(20_000, 1, 32, 32)
    half = Half(levels, torch.zeros(20_000), torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    assert [len(labels) for _, labels in half.pieces()] == [500] * 40


def test_what_is_read_of_a_half_is_the_same_in_pieces_and_batches() -> None:
    train = digits().train
    data = replace(digits(), train=tuple(np.concatenate([array, array]) for array in train))  # type: ignore[arg-type]
    half = Half.of(data.train, data, CPU)
    images, labels = (torch.cat(list(tensors)) for tensors in zip(*half.pieces(), strict=True))
    assert [len(labels) for _, labels in half.pieces()] == [1400]
    assert torch.equal(images, half.images)
    assert torch.equal(labels, half.labels)
    assert torch.equal(half.first(7).images, half.images[:7])
    assert (len(half.first(7)), len(half.first(None))) == (7, 1400)
    order = torch.from_numpy(np.random.default_rng(3).permutation(1400))
    batch, of_batch = next(half.batches(50, np.random.default_rng(3)))
    assert torch.equal(batch, half.images[order[:50]])
    assert torch.equal(of_batch, half.labels[order[:50]])


def coordinates(n: int, side: int) -> torch.Tensor:
    """Images whose channels are the row and the column of a pixel, from 1, and the number of the image."""
    row = torch.arange(1.0, side + 1).expand(n, side).unsqueeze(2).expand(n, side, side)
    number = torch.arange(1.0, n + 1).view(n, 1, 1).expand(n, side, side)
    return torch.stack([row, row.transpose(1, 2), number], dim=1)


def test_shifts_move_whole_images_by_every_distance_alike() -> None:
    n, side, pad = 8_100, 8, 2
    images = coordinates(n, side)
    moved = shift_and_flip(images, Augmentation(pad), np.random.default_rng(0))
    assert moved.shape == images.shape
    assert moved.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, coordinates(n, side)), "the images that are given stay as they are"
    down, right = ((moved[:, axis, 4, 4] - 5).long() for axis in (0, 1))  # the centre stays inside
    assert torch.equal(moved[:, 2, 4, 4], images[:, 2, 4, 4])
    counts = torch.bincount((down + pad) * 5 + right + pad, minlength=25).double()
    assert counts.min() > 250
    assert ((counts - n / 25) ** 2 / (n / 25)).sum() < 52  # chi-square of 24 degrees of freedom, beyond 1 in 1,000
    for i in range(50):
        rows, columns = torch.arange(side) + down[i], torch.arange(side) + right[i]
        inside = ((rows >= 0) & (rows < side))[:, None] & ((columns >= 0) & (columns < side))
        expected = torch.stack([(rows + 1)[:, None].expand(side, side), (columns + 1).expand(side, side)]) * inside
        assert torch.equal(moved[i, :2], expected.float())
        assert torch.equal(moved[i, 2] == 0, ~inside), "what comes in over the border is 0, the mean"


def test_about_half_of_the_images_are_mirrored() -> None:
    images = coordinates(4_000, 6)
    moved = shift_and_flip(images, Augmentation(flip=True), np.random.default_rng(0))
    mirrored = (moved == images.flip(3)).flatten(1).all(1)
    same = (moved == images).flatten(1).all(1)
    assert torch.equal(mirrored, ~same)
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_mirrored_images_are_shifted_too_and_seeds_decide() -> None:
    images = coordinates(200, 8)
    draws = [shift_and_flip(images, Augmentation(1, flip=True), np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    falling = draws[0][:, 1, 4, 3] > draws[0][:, 1, 4, 4]  # columns of a mirrored image
    assert 70 < falling.sum() < 130
    shift = torch.where(falling, draws[0][:, 1, 4, 4] - 4, draws[0][:, 1, 4, 4] - 5)
    for chosen in (falling, ~falling):
        assert set(shift[chosen].tolist()) == {-1.0, 0.0, 1.0}


def test_nothing_to_do_draws_nothing() -> None:
    images, rng = torch.ones(3, 1, 8, 8), np.random.default_rng(0)
    assert shift_and_flip(images, Augmentation(), rng) is images
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
