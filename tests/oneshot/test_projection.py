from __future__ import annotations

import pytest
import torch

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.oneshot.projection import Decision, Projection
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.evaluator import SupernetEvaluator
from metaopt.oneshot.supernet.mix import MIXED_OPS, Mix


class Planted(SupernetEvaluator):
    """A supernet that misses the edges and operations of one cell, more the earlier their node, and nothing else."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.mixes = cell, list[Mix]()

    def batch_score(self, mix: Mix) -> tuple[float, float]:  # type: ignore[override]
        self.mixes.append(mix)
        nodes = enumerate((*mix.inputs, mix.output), start=1)
        lost = sum((mix.ops[j, MIXED_OPS.index(op)] == 0) / (j + 1) for j, op in enumerate(self.cell.ops))
        lost = lost + sum(
            (weights[i] == 0) / (10 * node) for node, weights in nodes for i in self.cell.parents[node - 1] if node > 1
        )
        return 0.0, float(lost)  # in the cross-entropy only, as between choices of equal error


def draw(cell_space: int) -> ArchParameters:
    return ArchParameters.draw(CELL_SPACES[cell_space], torch.Generator().manual_seed(0), torch.device("cpu"))


def planted_cell(cell_space: int) -> Cell:
    space = CELL_SPACES[cell_space]
    parents = tuple(tuple(range(node - size, node)) for node, size in enumerate(space.n_parents, start=1))
    return Cell(parents, tuple(MIXED_OPS[j % 3] for j in range(space.n_nodes)))


@pytest.mark.parametrize(("cell_space", "decisions", "sweeps"), [(1, 7, 34), (2, 8, 33), (3, 10, 59)])
def test_finds_what_the_supernet_misses(cell_space: int, decisions: int, sweeps: int) -> None:
    arch, planted = draw(cell_space), planted_cell(cell_space)
    evaluation = Planted(planted)
    projection = Projection(arch, evaluation, torch.Generator().manual_seed(1))
    assert len(projection.waiting) == decisions
    assert sum(projection.decide() for _ in range(decisions)) == sweeps == len(evaluation.mixes)
    assert projection.waiting == []
    assert next(arch.cells()) == planted


def test_what_is_removed_leaves_all_other_weights_as_they_were() -> None:
    arch, evaluation = draw(1), Planted(planted_cell(1))
    before = arch.softmax()
    projection = Projection(arch, evaluation, torch.Generator().manual_seed(1))
    first = projection.waiting[0]
    projection.decide()
    for removed, mix in enumerate(evaluation.mixes):
        changed = mix.ops != before.ops
        assert changed.nonzero().tolist() == [[first.node - 1, removed]]
        assert first.row(mix)[removed] == 0
        assert torch.equal(mix.output, before.output)


def test_operations_come_before_wiring_in_an_order_of_the_generator() -> None:
    orders = []
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        waiting = Projection(draw(3), Planted(planted_cell(3)), generator).waiting
        assert [decision.size is None for decision in waiting] == [True] * 5 + [False] * 5
        assert set(waiting[5:]) == {Decision(2, 1), Decision(3, 1), Decision(4, 2), Decision(5, 2), Decision(6, 2)}
        orders.append(tuple(waiting))
    assert len(set(orders)) > 10
