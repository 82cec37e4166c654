from __future__ import annotations

from collections import Counter

import pytest
import torch

from metaopt.core.errors import ConfigError
from metaopt.oneshot.gdas import Gdas
from searches import batches, small_search


def build(**settings: float) -> Gdas:
    gdas = small_search("gdas", **settings).optimizer
    assert isinstance(gdas, Gdas)
    return gdas


def test_every_cell_draws_its_own_hard_operations_and_soft_edges() -> None:
    mixes = build().mix()
    assert len(mixes) == 3
    assert not torch.equal(mixes[0].output, mixes[1].output)
    for mix in mixes:
        assert mix.chosen is not None
        assert mix.ops.argmax(1).tolist() == list(mix.chosen)
        torch.testing.assert_close(mix.ops.sum(1), torch.ones(4))
        assert mix.ops.max().item() == pytest.approx(1)
        assert ((mix.output > 0) & (mix.output < 1)).all()
        assert mix.output.sum().item() == pytest.approx(1)


def test_operations_are_drawn_with_their_probabilities_at_any_temperature() -> None:
    """The largest of log p + Gumbel noise is a draw from p, which dividing by a temperature leaves alone."""
    gdas = build(temperature_start=5.0)
    with torch.no_grad():
        gdas.arch.ops[0] = torch.tensor([0.6, 0.3, 0.1]).log()
    counts = Counter(mix.chosen[0] for _ in range(700) for mix in gdas.mix() if mix.chosen)
    assert [counts[k] / 2100 for k in range(3)] == pytest.approx([0.6, 0.3, 0.1], abs=0.04)


def test_the_temperature_falls_over_the_search() -> None:
    gdas = build(temperature_start=10.0, temperature_end=1.0)
    spread = []
    for gdas.elapsed, temperature in ((0.0, 10), (0.5, 5.5), (1.0, 1)):
        assert gdas.temperature == pytest.approx(temperature)
        spread.append(torch.stack([mix.output for _ in range(50) for mix in gdas.mix()]).std(0).mean().item())
    assert spread == sorted(spread)


def test_a_step_reaches_every_parameter_and_is_clipped() -> None:
    search = small_search("gdas", arch_grad_clip=1e-3)
    gdas = search.optimizer
    assert isinstance(gdas, Gdas)
    gradients = gdas.arch_gradients(*batches(search))
    assert all((gradient != 0).all() for gradient in gradients)
    assert torch.cat([g.flatten() for g in gradients]).norm().item() == pytest.approx(1e-3, rel=0.01)


def test_a_rule_that_goes_by_the_luck_of_a_sample_is_refused() -> None:
    with pytest.raises(ConfigError, match="early_stopping is paper, but an optimizer that samples has the eigenvalue"):
        small_search("gdas", early_stopping="paper")


@pytest.mark.parametrize("name", ["temperature_start", "temperature_end"])
def test_a_temperature_of_zero_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be more than 0, got 0"):
        build(**{name: 0})
