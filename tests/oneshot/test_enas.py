from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.core.errors import ConfigError
from metaopt.images import digits
from metaopt.oneshot.enas import Enas, EnasSettings, MovingMean
from metaopt.oneshot.supernet.mix import Path
from metaopt.oneshot.supernet.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search


def search(batch_norm: BatchNorm = "recalibrated", **settings: Any) -> Search:
    few: dict[str, Any] = {"candidates": 10, "controller_steps": 5, "grad_clip": 5.0} | settings
    return Search(
        Enas,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3, batch_norm),
        settings=EnasSettings.from_config(few),
        seed=0,
        device=torch.device("cpu"),
    )


def enas(run: Search) -> Enas:
    assert isinstance(run.optimizer, Enas)
    return run.optimizer


def weights(optimizer: Enas) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in optimizer.controller.parameters()])


def share(optimizer: Enas, good: Any) -> float:
    cells = optimizer.draw(500, np.random.default_rng(9))
    return sum(good(cell) for cell in cells) / len(cells)


@pytest.mark.parametrize(
    ("good", "chance", "learnt"),
    [
        (lambda cell: cell.ops[1] == "maxpool3x3", 1 / 3, 0.48),  # 0.58 is what the tanh constant allows
        (lambda cell: 0 not in cell.parents[-1], 0.6, 0.75),
    ],
)
def test_the_controller_learns_what_is_good(good: Any, chance: float, learnt: float) -> None:
    optimizer = enas(search(controller_learning_rate=0.01))
    rng, before = np.random.default_rng(0), share(optimizer, good)
    for _ in range(250):
        optimizer.reinforce(lambda cell: float(good(cell)), rng)
    assert before == pytest.approx(chance, abs=0.06)
    assert share(optimizer, good) > learnt


def test_equal_rewards_teach_nothing() -> None:
    optimizer = enas(search(entropy_weight=0.0))
    rng, before = np.random.default_rng(0), weights(optimizer)
    for _ in range(3):
        optimizer.reinforce(lambda cell: 0.7, rng)
    torch.testing.assert_close(weights(optimizer), before, rtol=0, atol=1e-6)


def test_the_first_reward_has_nothing_to_be_compared_with() -> None:
    optimizer = enas(search())
    rng, before = np.random.default_rng(0), weights(optimizer)
    optimizer.reinforce(lambda cell: 0.7, rng)
    assert torch.equal(weights(optimizer), before)
    optimizer.reinforce(lambda cell: 0.2, rng)
    assert not torch.equal(weights(optimizer), before)


def test_a_step_by_hand() -> None:
    """Adam's first step that is one: both moments are unbiased averages of no gradient and this one."""
    optimizer = enas(search(entropy_weight=0.1, baseline_decay=0.9, controller_learning_rate=0.01))
    rewards: list[float] = []
    for seed, accuracy in enumerate((0.3, 0.8)):
        before = [p.detach().clone() for p in optimizer.controller.parameters()]
        log_prob = optimizer.controller(1, np.random.default_rng(seed)).log_prob.item()
        optimizer.reinforce(lambda cell, given=accuracy: given, np.random.default_rng(seed))
        rewards.append(accuracy - 0.1 * log_prob)
    baseline = (0.9 * rewards[0] + rewards[1]) / 1.9
    twin = enas(search()).controller
    with torch.no_grad():
        for parameter, value in zip(twin.parameters(), before, strict=True):
            parameter.copy_(value)
    (-(rewards[1] - baseline) * twin(1, np.random.default_rng(1)).log_prob.sum()).backward()
    for old, mine, new in zip(before, twin.parameters(), optimizer.controller.parameters(), strict=True):
        assert mine.grad is not None
        first = 0.9 * mine.grad / (1 - 0.1**2)
        second = 0.001 * mine.grad**2 / (1 - 0.999**2)
        torch.testing.assert_close(new.detach(), old - 0.01 * first / (second.sqrt() + 1e-3), rtol=1e-4, atol=1e-6)


def test_entropy_alone_flattens_the_controller() -> None:
    optimizer = enas(search(entropy_weight=1.0, controller_learning_rate=0.01, tanh_constant=20.0))
    with torch.no_grad():
        optimizer.controller.op_logits.weight.mul_(100)
    rng, sharpest = np.random.default_rng(0), []
    for steps in (0, 100):
        for _ in range(steps):
            optimizer.reinforce(lambda cell: 0.0, rng)
        sharpest.append(max(max(row) for row in optimizer.arch_to_json()["ops"]))
    assert sharpest[0] > 0.55
    assert sharpest[1] < 0.4


@pytest.mark.parametrize("batch_norm", ["recalibrated", "running"])
def test_the_controller_learns_beside_the_supernet(batch_norm: BatchNorm) -> None:
    run = search(batch_norm)
    next(run.epochs(2))
    optimizer, before = enas(run), {k: v.clone() for k, v in run.supernet.state_dict().items()}
    controller, drawn = weights(optimizer), torch.random.get_rng_state()
    optimizer.end_epoch()
    assert not torch.equal(weights(optimizer), controller)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    for name, value in run.supernet.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_reward_is_the_share_of_right_answers_among_a_batch_by_its_own_statistics() -> None:
    run = search("published")
    list(run.epochs(2))
    cell = CELL_SPACES[1].sample(np.random.default_rng(0))
    images, labels = next(run.arch_half.batches(64, np.random.default_rng(0)))
    reward = enas(run)._accuracy(cell, (images, labels))
    run.supernet.recalibrate([images], Path(cell))
    run.supernet.eval()
    with torch.no_grad():
        right = (run.supernet(images, Path(cell)).argmax(1) == labels).sum().item()
    assert reward == pytest.approx(right / 64, abs=0.03)  # running variances are unbiased, those of a batch are not
    assert 0 < reward < 1


def test_rewards_come_from_the_architecture_s_half_batch_by_batch() -> None:
    run = search(batch_size=100)
    batches = enas(run)._batches()
    passes = [[next(batches)[0] for _ in range(3)] for _ in range(2)]  # 350 images fill three
    for batch in passes:
        together = torch.cat([torch.cat(batch), run.arch_half.images]).flatten(1)
        assert len(torch.unique(together, dim=0)) == len(torch.unique(run.arch_half.images.flatten(1), dim=0))
    assert not torch.equal(passes[0][0], passes[1][0])


def test_going_back_goes_on_the_same() -> None:
    run = search()
    optimizer = enas(run)
    optimizer.end_epoch()
    state = optimizer.state()

    def go_on() -> tuple[Cell, torch.Tensor]:
        optimizer.end_epoch()
        return optimizer.weight_mix().cell, weights(optimizer)

    first, again = go_on(), None
    optimizer.load_state(state)
    again = go_on()
    assert first[0] == again[0]
    assert torch.equal(first[1], again[1])


def test_plain_values() -> None:
    rows = enas(search()).arch_to_json()
    assert {name: [len(row) for row in rows[name]] for name in rows} == {
        "ops": [3, 3, 3, 3],
        "output": [5],
        "inputs": [3, 4],
    }
    assert all(sum(row) == pytest.approx(1, abs=1e-5) for name in rows for row in rows[name])


def test_a_moving_mean_has_no_bias_to_zero() -> None:
    mean = MovingMean(0.9)
    assert mean.update(5.0) == pytest.approx(5)
    assert mean.update(1.0) == pytest.approx((0.9 * 5 + 1) / 1.9)
    for _ in range(200):
        last = mean.update(2.0)
    assert last == pytest.approx(2)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"temperature": 0.0}, "temperature must be more than 0, got 0.0"),
        ({"tanh_constant": -1.0}, "tanh_constant must be more than 0, got -1.0"),
        ({"baseline_decay": 1.0}, "baseline_decay must be more than 0 and at most 0.9999, got 1.0"),
        ({"controller_steps": 0}, "controller_steps must be at least 1, got 0"),
        ({"entropy_weight": float("nan")}, "entropy_weight must be a number, got nan"),
        ({"candidates": 3}, "finalists must be at most candidates, which is 3, got 5"),
    ],
)
def test_values_that_make_no_sense(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EnasSettings.from_config(config)
