from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.controller import Controller, draw_without_replacement


def build(cell_space: int = 1, tanh_constant: float = 2.5, seed: int = 0) -> Controller:
    generator = torch.Generator().manual_seed(seed)
    return Controller(CELL_SPACES[cell_space], temperature=5.0, tanh_constant=tanh_constant, generator=generator)


def by_hand(logits: list[float], sequence: tuple[int, ...]) -> float:
    """Product over the draws of the softmax over what is left."""
    left, probability = dict(enumerate(logits)), 1.0
    for column in sequence:
        probability *= math.exp(left[column]) / sum(map(math.exp, left.values()))
        del left[column]
    return probability


def test_a_sequence_of_draws_has_its_joint_probability() -> None:
    logits = [1.0, 0.0, -0.5, 0.3]
    rows = torch.tensor([logits]).expand(20_000, -1)
    columns, log_prob = draw_without_replacement(rows, 2, np.random.default_rng(0))
    drawn = [(a, b) for a, b in columns.tolist()]
    expected = {pair: by_hand(logits, pair) for pair in itertools.permutations(range(4), 2)}
    assert sum(expected.values()) == pytest.approx(1)
    torch.testing.assert_close(log_prob.exp(), torch.tensor([expected[pair] for pair in drawn]))
    for pair, count in Counter(drawn).items():
        assert count / len(drawn) == pytest.approx(expected[pair], abs=0.012)


def test_without_noise_the_most_probable_columns() -> None:
    columns, log_prob = draw_without_replacement(torch.tensor([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0]]), 2, None)
    assert columns.tolist() == [[1, 2], [0, 1]]
    assert log_prob[1].exp().item() == pytest.approx(1 / 6)


@pytest.mark.parametrize("cell_space", CELL_SPACES)
def test_cells_are_of_the_space(cell_space: int) -> None:
    space = CELL_SPACES[cell_space]
    for cell in build(cell_space)(50, np.random.default_rng(0)).cells:
        assert all(p in choices for p, choices in zip(cell.parents, space.parent_choices, strict=True))
        assert len(cell.ops) == space.n_nodes


@pytest.mark.parametrize(("cell_space", "sequences"), [(1, 3**4 * 6 * 12 * 20), (3, 3**5 * 2 * 3 * 12 * 20 * 30)])
def test_the_log_probability_is_of_all_decisions_together(cell_space: int, sequences: int) -> None:
    """The mean of 1 / p over draws from p is the number of possible outcomes, whatever p is."""
    with torch.no_grad():
        log_prob = build(cell_space)(2_000, np.random.default_rng(0)).log_prob
    assert (-log_prob.double()).exp().mean().item() == pytest.approx(sequences, rel=0.02)


def test_no_decision_is_favoured_at_the_start() -> None:
    with torch.no_grad():
        draws = build(3)(1, None)
    for probs in [*draws.op_probs, *draws.parent_probs.values()]:
        torch.testing.assert_close(probs, torch.full_like(probs, 1 / probs.shape[1]), atol=0.02, rtol=0)


def test_the_tanh_constant_bounds_what_the_controller_can_be_sure_of() -> None:
    controller = build(1)
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.mul_(1_000)
        draws = controller(100, np.random.default_rng(0))
    most = max(probs.max().item() for probs in draws.op_probs)
    assert most == pytest.approx(math.exp(0.5) / (math.exp(0.5) + 2 * math.exp(-0.5)), abs=0.01)
    most = max(probs.max().item() for probs in draws.parent_probs.values())
    assert 0.9 < most <= math.exp(2.5) / (math.exp(2.5) + 2 * math.exp(-2.5))


def test_draws_side_by_side_are_those_one_by_one() -> None:
    controller = build(1)
    alone, together = controller(1, None), controller(3, None)
    assert together.cells == alone.cells * 3
    torch.testing.assert_close(together.log_prob, alone.log_prob.expand(3))
    assert len(set(controller(50, np.random.default_rng(0)).cells)) > 40


def test_later_decisions_depend_on_earlier_ones() -> None:
    controller = build(1)
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.mul_(10)
        draws = controller(200, np.random.default_rng(0))
    rows = {cell.ops[:2]: probs for cell, probs in zip(draws.cells, draws.parent_probs[3].tolist(), strict=True)}
    assert len(rows) == 9
    assert all(max(map(abs, np.subtract(a, b))) > 1e-3 for a, b in itertools.combinations(rows.values(), 2))


def test_gradients_reach_every_weight() -> None:
    controller = build(2)
    controller(1, np.random.default_rng(0)).log_prob.sum().backward()
    for name, parameter in controller.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_weights_come_from_the_given_generator_only() -> None:
    before = torch.random.get_rng_state()
    first, again, other = build(), build(), build(seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
        assert a.abs().max() <= 0.1
