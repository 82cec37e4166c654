from __future__ import annotations

import numpy as np
import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.errors import ConfigError
from metaopt.images import digits
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.oneshot.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search, choose_device


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
        _, stored = run.evaluation.score(mix, half.images, half.labels)
        run.supernet.recalibrate([run.weight_half.images], mix)
        _, recalibrated = run.evaluation.score(mix, half.images, half.labels)
        assert (stored == recalibrated) == (batch_norm == "recalibrated")


def test_auto_is_a_device_of_this_machine() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:x", ""])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}' is not there; on this machine: auto, cpu"):
        choose_device(name)
