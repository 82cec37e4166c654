from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.images import Augmentation, ImageSource, digits, load_images
from metaopt.oneshot.base import Batch
from metaopt.oneshot.checkpoint.checkpoint import pack, unpack
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.oneshot.supernet.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search, SearchDivergedError, SearchEpoch, choose_device
from metaopt.testing.oneshot_contract import run_in_pieces
from searches import small_search


def search(settings: DartsSettings | None = None, batch_norm: BatchNorm = "recalibrated") -> Search:
    return Search(
        Darts,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3, batch_norm),
        settings=settings or DartsSettings(),
        seed=0,
        device=torch.device("cpu"),
    )


def test_the_learning_rate_follows_a_cosine() -> None:
    run = search()
    rates = []
    for _ in run.epochs(4):
        rates.append(run.weight_optim.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(0.025)
    assert rates[2] == pytest.approx((0.025 + 0.001) / 2)
    assert rates == sorted(rates, reverse=True)


def test_cutout_ramps_up_to_its_probability() -> None:
    run = search(DartsSettings(cutout_prob=0.8))
    assert [run._cutout_probability(epoch, 5) for epoch in range(5)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert run._cutout_probability(0, 1) == 0.8
    assert search(DartsSettings(cutout=False, cutout_prob=0.8))._cutout_probability(4, 5) == 0


def test_training_batches_are_augmented_and_evaluated_images_are_not() -> None:
    plain, first, again = (
        Search(
            Darts,
            CELL_SPACES[1],
            replace(digits(), augmentation=augmentation),
            scale=SupernetScale(4, 3),
            settings=DartsSettings(batch_size=350),
            seed=0,
            device=torch.device("cpu"),
        )
        for augmentation in (Augmentation(), Augmentation(1, flip=True), Augmentation(1, flip=True))
    )
    batches = [next(search._batches(0, 1)) for search in (plain, first, again)]
    for part in (0, 1):  # of the weights, of the architecture
        (images, labels), (changed, of_changed), (same, _) = (batch[part] for batch in batches)
        assert torch.equal(changed, same)
        differ = (changed != images).flatten(1).any(1).float().mean()
        assert 0.8 < differ < 1  # one in eighteen is neither shifted nor mirrored
        assert torch.equal(labels, of_changed)
    mix = plain.optimizer.mix()
    assert first.evaluation.error(mix) == plain.evaluation.error(mix)
    assert torch.equal(first.arch_half.images, plain.arch_half.images)
    assert [e.train_loss for e in first.epochs(2)] == [e.train_loss for e in again.epochs(2)]


def test_a_search_on_real_images_in_colour(published_images: Path) -> None:
    data = load_images("cifar10", ImageSource(published_images, pixels=8, subset=400))
    settings = DartsSettings(batch_size=50, cutout_prob=0.5, learning_rate=0.1)
    scale, device = SupernetScale(4, 3), torch.device("cpu")
    runs = [
        list(Search(Darts, CELL_SPACES[1], data, scale=scale, settings=settings, seed=0, device=device).epochs(6))
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0][-1].train_loss < runs[0][0].train_loss
    assert runs[0][-1].one_shot_error < 0.9  # that of a guess
    assert "valid" not in vars(data), "no search reads validation images"


def test_gradients_are_clipped() -> None:
    run = search(DartsSettings(grad_clip=0.01, momentum=0.0, weight_decay=0.0, learning_rate=1.0))
    before = torch.cat([p.detach().clone().flatten() for p in run.supernet.parameters()])
    images, labels = next(run.weight_half.batches(96, np.random.default_rng(0)))
    run._weight_step(images, labels)
    after = torch.cat([p.detach().flatten() for p in run.supernet.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_published_batch_norm_is_evaluated_with_the_last_batch() -> None:
    """Its statistics are those of the last training batch to 0.3 %; recalibrated ones are those of all images."""
    for batch_norm in ("recalibrated", "published"):
        run = search(DartsSettings(batch_size=32), batch_norm)  # type: ignore[arg-type]
        list(run.epochs(4))
        mix, half = run.optimizer.mix(), run.arch_half
        _, stored = run.evaluation.score(mix, half)
        run.supernet.recalibrate([run.weight_half.images], mix)
        _, recalibrated = run.evaluation.score(mix, half)
        assert (stored == recalibrated) == (batch_norm == "recalibrated")


def test_auto_is_a_device_of_this_machine() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:x", ""])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}' is not there; on this machine: auto, cpu"):
        choose_device(name)


class Planted(Darts):
    """DARTS with given eigenvalues."""

    series: Iterator[float]

    def eigenvalue(self, valid: Batch) -> float:
        return next(self.series)


def planted(series: list[float], **settings: Any) -> Search:
    Planted.series = iter(series)
    return Search(
        Planted,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3),
        settings=DartsSettings.from_config({"arch_learning_rate": 0.1, **settings}),
        seed=0,
        device=torch.device("cpu"),
    )


def done(epoch: SearchEpoch) -> tuple[Any, ...]:
    return epoch.train_loss, epoch.one_shot_error, epoch.cell, epoch.arch


#: Of 6 epochs under the code's rule, which fires after the fourth and goes back to the third.
GROWS = [1.0, 1.0, 1.0, 3.0]


def test_early_stopping_ends_with_the_cell_of_the_epoch_it_goes_back_to() -> None:
    plain = list(planted([]).epochs(6))
    stopped = list(planted(GROWS, early_stopping="code").epochs(6))
    # The last one is the search that it went back to, and not what made it go back.
    assert [epoch.eigenvalue for epoch in stopped] == [*GROWS[:-1], None]
    assert list(map(done, stopped[:3])) == list(map(done, plain[:3]))
    assert stopped[3].train_loss == plain[3].train_loss
    assert done(stopped[3])[1:] == done(plain[2])[1:] != done(plain[3])[1:]
    assert [epoch.note for epoch in stopped] == ["", "", "", "stopped by the rule code, went back to epoch 3"]


def test_adaptive_goes_on_from_the_earlier_epoch_with_ten_times_the_penalty() -> None:
    """The same as a search whose penalty is raised by hand after that epoch, but for the detour, which counts."""
    settings = {"early_stopping": "code", "adaptive": True, "weight_decay": 1e-3}
    adapted = list(planted([*GROWS, *[1.0] * 3], **settings).epochs(6))
    run, raised = planted([], weight_decay=1e-3), []
    for epoch in run.epochs(6):
        raised.append(epoch)
        if epoch.epoch == 3:
            run.weight_optim.param_groups[0]["weight_decay"] *= 10
    assert [epoch.epoch for epoch in adapted] == [1, 2, 3, 4, 5, 6, 7]
    assert list(map(done, adapted[:3])) == list(map(done, raised[:3]))
    assert list(map(done, adapted[4:])) == list(map(done, raised[3:]))
    assert done(adapted[3]) != done(adapted[4])
    note = "weight decay raised to 0.01 by the rule code, went back to epoch 3"
    assert [epoch.note for epoch in adapted] == ["", "", "", note, "", "", ""]


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("selection", ["argmax", "perturbation"])
def test_a_search_that_goes_back_may_be_dropped_after_any_epoch(adaptive: bool, selection: str) -> None:
    """Its returns go to states that the checkpoint holds; what was numbered before is not forgotten."""
    settings = {"early_stopping": "code", "adaptive": adaptive, "weight_decay": 1e-3, "drop_path_prob": 0.3}
    settings |= {"selection": selection, "projection_epochs": 1}
    series = [*GROWS, 1.0, 3.0, 3.0, 3.0]
    whole = list(planted(series, **settings).epochs(6))
    rest = planted(series, **settings).optimizer.series  # type: ignore[attr-defined]  # of one iterator for all pieces

    def make() -> Search:
        search = planted([], **settings)
        Planted.series = rest
        return search

    assert run_in_pieces(make, 6) == whole
    assert sum("went back" in epoch.note for epoch in whole) == 1 + adaptive


def test_a_snapshot_holds_what_the_search_was_then() -> None:
    """And not what it is by now: packed, it does not follow the training that goes on."""
    run = small_search("darts")
    state = run.begin(3)
    epochs = run.training(state)
    next(epochs)
    raw = pack(run.identity(3), {}, state.save())
    rest = [*epochs, *run.selection(state)]
    fresh = small_search("darts")
    state = fresh.begin(3, unpack(raw, fresh.identity(3))[1])
    assert [*fresh.training(state), *fresh.selection(state)] == rest


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("seed", small_search("darts", seed=1)),
        ("optimizer", small_search("pcdarts")),
        ("scale", small_search("darts", channels=8)),
        ("settings", small_search("darts", momentum=0.5)),
        ("cell_space", small_search("darts", cell_space=2)),
    ],
)
def test_a_search_says_what_it_is(name: str, other: Search) -> None:
    mine, its = small_search("darts").identity(5), other.identity(5)
    assert mine[name] != its[name]
    assert mine == small_search("darts").identity(5) != small_search("darts").identity(6)


def test_a_search_says_what_images_it_sees() -> None:
    searches = (
        Search(
            Darts,
            CELL_SPACES[1],
            data,
            scale=SupernetScale(4, 3),
            settings=DartsSettings(batch_size=48),
            seed=0,
            device=torch.device("cpu"),
        )
        for data in (digits(), digits(ImageSource(subset=280)), replace(digits(), augmentation=Augmentation(1)))
    )
    assert len({str(search.identity(5)) for search in searches}) == 3


def test_an_epoch_that_is_trained_again_goes_by_its_later_number() -> None:
    """The second return is to what the detour made of the schedule's fourth epoch, which is the fifth one trained."""
    settings = {"early_stopping": "code", "adaptive": True, "weight_decay": 1e-3}
    notes = [epoch.note for epoch in planted([*GROWS, 1.0, 3.0, 3.0, 3.0], **settings).epochs(6)]
    assert [note.rpartition(" ")[2] for note in notes if note] == ["3", "5"]


@pytest.mark.parametrize("name", ["darts", "gdas"])
def test_measuring_changes_nothing_else(name: str) -> None:
    plain, measured = (
        list(small_search(name, drop_path_prob=0.3, eigenvalue_every=every).epochs(3)) for every in (0, 2)
    )
    assert list(map(done, plain)) == list(map(done, measured))
    assert [epoch.eigenvalue is None for epoch in measured] == [False, True, False]
    assert {epoch.eigenvalue for epoch in plain} == {None}


def test_an_eigenvalue_that_is_no_number_ends_the_search() -> None:
    with pytest.raises(SearchDivergedError, match="the dominant eigenvalue is nan in epoch 2 of 10"):
        list(planted([1.0, math.nan], eigenvalue_every=1).epochs(10))


def test_selection_by_perturbation_trains_on_and_counts_what_it_evaluates() -> None:
    run = planted([], selection="perturbation", projection_epochs=2)
    rates, epochs = [], []
    for epoch in run.epochs(3):
        rates.append(run.weight_optim.param_groups[0]["lr"])
        epochs.append(epoch)
    assert [epoch.epoch for epoch in epochs] == list(range(1, 3 + 2 * 6 + 1))
    assert [epoch.note for epoch in epochs] == ["", "", "selection of the final cell begins", *[""] * 12]
    assert rates[3:] == [0.0025] * 12
    assert [epoch.validation_passes for epoch in epochs[:5]] == [0, 0, 3, 3, 6]  # operations first, three passes each
    assert epochs[-1].validation_passes == 34
    decided = [sum(weight == 1.0 for weight in map(max, epoch.arch["ops"])) for epoch in epochs]
    assert decided == [0, 0, 1, 1, 2, 2, 3, 3, *[4] * 7]
    assert [sum(weight > 0 for weight in epochs[-1].arch["output"][0])] == [2]
    assert list(map(done, epochs[:2])) == list(map(done, list(planted([]).epochs(3))[:2]))


def test_selection_without_further_epochs() -> None:
    *_, last = planted([], selection="perturbation", projection_epochs=0).epochs(2)
    assert (last.epoch, last.validation_passes) == (2, 34)


def test_an_early_stopped_search_selects_from_the_epoch_it_went_back_to() -> None:
    settings = {"early_stopping": "code", "selection": "perturbation", "projection_epochs": 1}
    epochs = list(planted(GROWS, **settings).epochs(6))
    stopped = list(planted(GROWS, early_stopping="code").epochs(6))
    assert len(epochs) == len(stopped) + 6
    assert epochs[3].note == f"{stopped[3].note}; selection of the final cell begins"
    ops = zip(epochs[len(stopped) - 1].arch["ops"], stopped[-1].arch["ops"], strict=True)
    assert sum(row == before for row, before in ops) == 3  # all but the one that is decided


def test_a_last_step_that_diverges_ends_the_search() -> None:
    """No loss comes after it in the epoch."""
    run = search(DartsSettings(batch_size=300, learning_rate=1e38, grad_clip=1e30, weight_decay=0.0))
    with pytest.raises(SearchDivergedError, match=r"norm of the weights is (inf|nan) in epoch 1 of 1"):
        list(run.epochs(1))


def test_no_cell_is_looked_for_where_nobody_asks() -> None:
    asked, unasked = (list(search().epochs(2, picks=picks)) for picks in (True, False))
    assert [epoch.cell for epoch in unasked] == [None, None]
    assert [replace(epoch, cell=None) for epoch in asked] == unasked


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("enas", {"controller_learning_rate": 1e30, "controller_steps": 3, "candidates": 5}),
        ("darts", {"arch_learning_rate": 1e30, "arch_weight_decay": 1e30}),
    ],
)
def test_an_architecture_that_is_no_number_ends_the_search(name: str, settings: dict[str, float]) -> None:
    """Its argmax, or a draw from it, would be a cell like any other."""
    with pytest.raises(SearchDivergedError):
        list(small_search(name, **settings).epochs(2))


def test_a_learning_rate_below_the_end_of_the_cosine_stays() -> None:
    run = search(DartsSettings(learning_rate=1e-4))
    assert {run._learning_rate(epoch, 5) for epoch in range(5)} == {1e-4}
