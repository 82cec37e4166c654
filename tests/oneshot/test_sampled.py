from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.core.errors import ConfigError
from metaopt.images import digits
from metaopt.oneshot.sampled import SampledOptimizer, SampledSettings
from metaopt.oneshot.supernet.mix import Path
from metaopt.oneshot.supernet.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search


class Uniform(SampledOptimizer):
    def draw(self, count: int, rng: np.random.Generator) -> list[Cell]:
        return [self.parts.cell_space.sample(rng) for _ in range(count)]

    def arch_to_json(self) -> dict[str, Any]:
        return {}


def search(batch_norm: BatchNorm = "recalibrated", **settings: Any) -> Search:
    few: dict[str, Any] = {"candidates": 12, "finalists": 3, "screening_images": 32, "grad_clip": 5.0} | settings
    return Search(
        Uniform,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3, batch_norm),
        settings=SampledSettings.from_config(few),
        seed=0,
        device=torch.device("cpu"),
    )


def sampled(run: Search) -> Uniform:
    assert isinstance(run.optimizer, Uniform)
    return run.optimizer


def test_the_pick_is_the_best_of_the_best() -> None:
    run = search(candidates=20)
    list(run.epochs(2))
    optimizer, error = sampled(run), run.evaluation.error
    drawn = optimizer.draw(20, optimizer.stream("candidates"))
    screened = sorted(range(20), key=lambda k: (error(Path(drawn[k]), 32), k))
    finals = [(error(Path(drawn[k])), place) for place, k in enumerate(screened[:3])]
    assert optimizer.cell() == drawn[screened[min(finals)[1]]]
    assert error(Path(optimizer.cell())) == min(finals)[0]


def test_the_weights_decide_what_is_picked() -> None:
    picks = []
    for permutation in (range(10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]):  # the second time every answer is wrong
        run = search()
        list(run.epochs(2))
        with torch.no_grad():
            run.supernet.head.weight.copy_(run.supernet.head.weight[list(permutation)])
        sampled(run).load_state(sampled(run).state())
        picks.append(sampled(run).cell())
    assert picks[0] != picks[1]


def test_every_weight_step_trains_another_path() -> None:
    optimizer = sampled(search())
    paths = [optimizer.weight_mix() for _ in range(30)]
    assert len({path.cell for path in paths}) > 25
    assert not any(path.mean for path in paths)


@pytest.mark.parametrize("batch_norm", ["recalibrated", "running", "published"])
def test_a_pick_disturbs_no_training(batch_norm: BatchNorm) -> None:
    picking, training = (list(search(batch_norm, cell_every=every).epochs(3)) for every in (1, 0))
    assert [epoch.cell is None for epoch in training] == [True, True, False]
    assert [epoch.cell is None for epoch in picking] == [False] * 3
    assert [epoch.train_loss for epoch in picking] == [epoch.train_loss for epoch in training]
    assert picking[-1] == training[-1]


def test_the_one_shot_error_is_of_the_cell_that_was_picked() -> None:
    run = search()
    for epoch in run.epochs(2):
        optimizer = sampled(run)
        assert optimizer.mix() == optimizer.mix()
        assert run.evaluation.error(optimizer.eval_mix()) == epoch.one_shot_error
    assert epoch.cell is not None
    assert optimizer.mix() == Path(epoch.cell)


def test_every_epoch_draws_new_candidates() -> None:
    optimizer = sampled(search())
    first = optimizer.draw(12, optimizer.stream("candidates"))
    optimizer.end_epoch()
    assert optimizer.draw(12, optimizer.stream("candidates")) != first


def test_going_back_draws_the_same_again() -> None:
    optimizer = sampled(search())
    optimizer.end_epoch()
    state = optimizer.state()
    paths = [optimizer.weight_mix() for _ in range(5)]
    picked = optimizer.cell()
    optimizer.end_epoch()
    assert [optimizer.weight_mix() for _ in range(5)] != paths
    optimizer.load_state(state)
    assert [optimizer.weight_mix() for _ in range(5)] == paths
    assert optimizer.cell() == picked


def test_a_cell_that_is_drawn_twice_is_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = sampled(search(candidates=12, finalists=12))
    cell = optimizer.draw(1, np.random.default_rng(0))[0]
    monkeypatch.setattr(optimizer, "draw", lambda count, rng: [cell] * count)
    scored: list[Path] = []
    error = optimizer.parts.evaluation.error
    monkeypatch.setattr(
        optimizer.parts.evaluation, "error", lambda mix, images=None: scored.append(mix) or error(mix, images)
    )
    assert optimizer.cell() == cell
    assert scored == [Path(cell)] * 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"candidates": 4, "finalists": 5}, "finalists must be at most candidates, which is 4, got 5"),
        ({"candidates": 0, "finalists": 0}, "candidates must be at least 1, got 0"),
        ({"screening_images": 0}, "screening_images must be at least 1, got 0"),
    ],
)
def test_values_that_make_no_sense(config: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SampledSettings.from_config(config)
