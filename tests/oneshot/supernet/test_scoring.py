from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.images import digits
from metaopt.oneshot.darts import Darts
from metaopt.oneshot.supernet.data import Half
from metaopt.oneshot.supernet.mix import Mix, Path
from metaopt.oneshot.supernet.scoring import STATISTICS, Statistics, Subject, score_cells, store_statistics
from metaopt.oneshot.supernet.supernet import Supernet, SupernetScale
from metaopt.oneshot.train import Search

SPACE = CELL_SPACES[1]
CPU = torch.device("cpu")
CELL = Cell(((0,), (0, 1), (0, 2), (1, 3), (2, 4)), ("conv3x3", "conv1x1", "maxpool3x3", "conv3x3"))


def trained(statistics: Statistics, seed: int = 0) -> Search:
    scale = SupernetScale(4, 3, "running")
    search = Search(Darts, SPACE, digits(), scale=scale, settings=Darts.Settings(), seed=seed, device=CPU)
    store_statistics(search.supernet, statistics)
    list(search.epochs(3))
    return search


@pytest.fixture(scope="module")
def searches() -> dict[Statistics, Search]:
    return {statistics: trained(statistics) for statistics in STATISTICS}


@pytest.fixture(scope="module")
def evaluated() -> Half:
    data = digits()
    return Half.of(data.valid, data, CPU)


@pytest.fixture
def cells() -> list[Cell]:
    rng = np.random.default_rng(0)
    return [SPACE.sample(rng) for _ in range(6)]


def norms(supernet: Supernet) -> Iterator[nn.BatchNorm2d]:
    return (module for module in supernet.modules() if isinstance(module, nn.BatchNorm2d))


def test_what_is_stored_changes_nothing_in_a_training(searches: dict[Statistics, Search]) -> None:
    states = [search.supernet.state_dict() for search in searches.values()]
    parameters = dict(searches["running"].supernet.named_parameters())
    for state in states:
        assert all(torch.equal(state[name], parameters[name]) for name in parameters)
    means = {name: search.supernet.stem[1].running_mean for name, search in searches.items()}
    assert not torch.equal(means["published"], means["running"])
    assert not torch.equal(means["published"], means["pytorch"])
    assert torch.equal(means["recalibrated"], means["batch"])


def test_published_statistics_are_those_of_the_last_batch() -> None:
    search = trained("published")
    images = torch.randn(96, 1, 8, 8)
    search.supernet.train()
    with torch.no_grad():
        search.supernet(images, search.optimizer.mix())
        seen = search.supernet.stem[0](images).mean(dim=(0, 2, 3))
    assert torch.allclose(search.supernet.stem[1].running_mean, seen, atol=0.01)
    assert search.supernet.squeeze_bn.momentum == 0.1


@pytest.mark.parametrize("statistics", STATISTICS)
def test_scores_are_those_of_the_supernet(
    searches: dict[Statistics, Search], evaluated: Half, cells: list[Cell], statistics: Statistics
) -> None:
    search = searches[statistics]
    supernet, reference = search.supernet, search.weight_half
    subjects = [Subject.of(cell, mean=False) for cell in cells]
    scores = score_cells(supernet, reference, evaluated, subjects, statistics)
    assert scores.shape == (6, 2)
    before = {name: buffer.clone() for name, buffer in supernet.named_buffers()}
    for cell, (error, loss) in zip(cells, scores, strict=True):
        with torch.no_grad():
            if statistics == "recalibrated":
                supernet.recalibrate([reference.images], Path(cell))
            supernet.train(statistics == "batch")
            logits = supernet(evaluated.images, Path(cell))
        supernet.load_state_dict({**supernet.state_dict(), **before})
        assert error == pytest.approx(float((logits.argmax(1) != evaluated.labels).float().mean()), abs=1e-6)
        assert loss == pytest.approx(float(F.cross_entropy(logits, evaluated.labels)), rel=1e-4)


@pytest.mark.parametrize("statistics", STATISTICS)
def test_scoring_leaves_a_supernet_as_it_was(
    searches: dict[Statistics, Search], evaluated: Half, cells: list[Cell], statistics: Statistics
) -> None:
    search = searches[statistics]
    search.supernet.train()
    before = {name: value.clone() for name, value in search.supernet.state_dict().items()}
    momenta = [norm.momentum for norm in norms(search.supernet)]
    subjects = [Subject.of(cell, mean=True, soft_ops=True) for cell in cells]
    once = score_cells(search.supernet, search.weight_half, evaluated, subjects, statistics)
    again = score_cells(search.supernet, search.weight_half, evaluated, subjects[::-1], statistics)
    assert (once == again[::-1]).all(), "a score does not depend on the cells before it"
    after = search.supernet.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert momenta == [norm.momentum for norm in norms(search.supernet)]
    assert search.supernet.training


def test_a_path_equals_its_mix(searches: dict[Statistics, Search], evaluated: Half, cells: list[Cell]) -> None:
    """A single path, and the same weights as 0 and 1 on everything, give the same logits; averaged ones too."""
    supernet = searches["running"].supernet.eval()
    for cell in cells:
        for mean in (False, True):
            subject = Subject.of(cell, mean=mean)
            soft = Subject.of(cell, mean=mean, soft_ops=True).mix(CPU)
            assert isinstance(soft, Mix)
            hard = Mix(F.one_hot(soft.ops.argmax(dim=1), 3).float(), soft.output, soft.inputs)
            with torch.no_grad():
                path, mixed = (supernet(evaluated.images, mix) for mix in (subject.mix(CPU), hard))
            assert torch.allclose(path, mixed, atol=1e-4)


def test_soft_operations() -> None:
    mix = Subject.of(CELL, mean=True, soft_ops=True).mix(CPU)
    assert isinstance(mix, Mix)
    large, small = math.e / (math.e + 2), 1 / (math.e + 2)
    assert mix.ops[0].tolist() == pytest.approx([small, large, small])
    assert mix.ops[2].tolist() == pytest.approx([large, small, small])
    assert (round(large, 3), round(small, 3)) == (0.576, 0.212)
    assert mix.output.tolist() == pytest.approx([0, 0, 0.5, 0, 0.5])
    assert [row.tolist() for row in mix.inputs] == [[1], [1, 1], [0.5, 0, 0.5], [0, 0.5, 0, 0.5]]


def test_wiring_is_summed_on_paths() -> None:
    mix = Subject.of(CELL, mean=False, soft_ops=True).mix(CPU)
    assert isinstance(mix, Mix)
    assert mix.output.tolist() == [0, 0, 1, 0, 1]
    assert mix.inputs[3].tolist() == [0, 1, 0, 1]


def test_the_lost_edge_leaves_the_other_parents() -> None:
    lost = Subject.of(CELL, mean=False, lost_edge=True)
    assert lost.cell.parents == ((0,), (0, 1), (), (), (2,))
    assert lost.cell.ops == ("conv3x3", "conv1x1", "conv3x3", "conv3x3")
    without = Cell((*CELL.parents[:-1], (1, 2)), CELL.ops)
    assert Subject.of(without, mean=False, lost_edge=True) == Subject.of(without, mean=False)


def test_a_cell_may_be_left_with_its_input_only(searches: dict[Statistics, Search], evaluated: Half) -> None:
    cell = Cell((*CELL.parents[:-1], (0, 4)), CELL.ops)
    subject = Subject.of(cell, mean=True, lost_edge=True)
    assert subject.cell.parents == ((), (), (), (), (0,))
    for statistics in ("published", "recalibrated"):
        search = searches[statistics]  # type: ignore[index]
        reference = search.weight_half
        scores = score_cells(search.supernet, reference, evaluated, [subject], statistics)  # type: ignore[arg-type]
        assert np.isfinite(scores).all()


def test_dead_nodes_make_no_difference() -> None:
    cells = [
        Cell(((0,), (0, 1), (0, 1), (0, 1), (1, 2)), ("conv3x3", "conv1x1", op, op)) for op in ("conv1x1", "conv3x3")
    ]
    assert Subject.of(cells[0], mean=True) == Subject.of(cells[1], mean=True)


def test_the_lost_edge_leaves_few_different_cells() -> None:
    """Hence it costs little: equal subjects are evaluated once."""
    embedded = [SPACE.embed(graph) for graph in SPACE.distinct_graphs().values()]
    lost = {Subject.of(cell, mean=True, lost_edge=True) for cell in embedded if cell is not None}
    assert len(embedded) == 2685
    assert len(lost) < 300


def test_a_loss_that_is_no_number_is_the_worst(searches: dict[Statistics, Search], evaluated: Half) -> None:
    broken = replace(evaluated, deviation=torch.zeros_like(evaluated.deviation))
    search = searches["running"]
    scores = score_cells(search.supernet, search.weight_half, broken, [Subject.of(CELL, mean=True)], "running")
    assert scores[0, 1] == math.inf
