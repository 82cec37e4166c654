from __future__ import annotations

import pytest
import torch

from metaopt.core.errors import ConfigError
from metaopt.core.registry import load
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.gradient import GradientOptimizer, GradientSettings
from metaopt.oneshot.stopping.curvature import dominant_eigenvalue, hessian
from metaopt.oneshot.supernet.partial import PartialBlock
from searches import batches, small_search


def test_the_architecture_rests_during_the_warm_start() -> None:
    search = small_search("darts", warm_start=0.5)
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    start = optimizer.arch.tensors[0].detach().clone()
    moved = [not torch.equal(optimizer.arch.tensors[0], start) for _ in search.epochs(4)]
    assert moved == [False, False, True, True]


def test_going_back_to_a_state_repeats_the_step() -> None:
    search = small_search("gdas", arch_learning_rate=0.1)
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    train, valid = batches(search)
    optimizer.arch_step(train, valid)
    state, ends = search.begin(1), []
    kept = state.save()
    for _ in range(2):
        state.restore(kept)
        optimizer.arch_step(train, valid)
        optimizer.arch_step(train, valid)
        ends.append([tensor.detach().clone() for tensor in optimizer.arch.tensors])
    for first, second in zip(*ends, strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", ["darts", "gdas", "pcdarts", "proxyless"])
def test_the_eigenvalue_is_that_of_the_next_sample_and_leaves_no_trace(name: str) -> None:
    search = small_search(name)
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    _, (images, labels) = batches(search, size=96)
    search.supernet.eval()
    state = search.begin(1)
    before = state.copy_model()
    found = optimizer.eigenvalue((images, labels))
    after = state.copy_model()
    assert not search.supernet.training
    assert all(torch.equal(x, after["supernet"][key]) for key, x in before["supernet"].items())
    assert torch.equal(before["optimizer"]["generator"], after["optimizer"]["generator"])
    assert all(p.grad is None for p in (*search.supernet.parameters(), *optimizer.arch.tensors))

    search.supernet.train()
    loss = optimizer.valid_loss((images[:64], labels[:64]))
    assert found == pytest.approx(dominant_eigenvalue(hessian(loss, optimizer.arch.tensors)), rel=1e-4)
    assert found != 0


@pytest.mark.parametrize(
    "config", [{"adaptive": True}, {"adaptive": True, "early_stopping": "code", "weight_decay": 0}]
)
def test_adaptive_needs_a_rule_and_a_penalty(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="adaptive needs an early_stopping rule and a weight_decay above 0, got"):
        GradientSettings.from_config(config)
    assert GradientSettings.from_config({"adaptive": True, "early_stopping": "paper"}).adaptive


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(
        ConfigError, match="early_stopping must be off, code or paper, got 'papr'; did you mean 'paper'"
    ):
        GradientSettings.from_config({"early_stopping": "papr"})


def test_an_architecture_that_always_rests_rests_to_the_last_decision() -> None:
    search = small_search(
        "darts", warm_start=1.0, selection="perturbation", projection_epochs=1, arch_learning_rate=0.1
    )
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    start = optimizer.arch.tensors[0].detach().clone()
    assert len(list(search.epochs(1))) > 1
    assert torch.equal(optimizer.arch.tensors[0], start)


def test_who_averages_is_who_mixes_by_a_softmax() -> None:
    found = {name: load(path).averages for name, path in ONESHOT.items()}
    assert found == {name: name in {"darts", "darts2", "gdas", "pcdarts"} for name in ONESHOT}


@pytest.mark.parametrize("name", ["darts2", "gdas", "proxyless"])
def test_any_gradient_optimizer_takes_partial_channels(name: str) -> None:
    whole, part = small_search(name, warm_start=0.0), small_search(name, warm_start=0.0, partial_channels=2)
    assert any(isinstance(module, PartialBlock) for module in part.supernet.modules())
    assert not any(isinstance(module, PartialBlock) for module in whole.supernet.modules())
    (epoch,) = part.epochs(1)
    assert epoch.cell is not None
    assert epoch.train_loss != next(whole.epochs(1)).train_loss


def test_a_setting_that_was_added_leaves_earlier_checkpoints_usable() -> None:
    assert "partial_channels" not in small_search("gdas").identity(1)["settings"]
    assert small_search("gdas", partial_channels=2).identity(1)["settings"]["partial_channels"] == 2
    assert small_search("pcdarts").identity(1)["settings"]["partial_channels"] == 4
