"""Training networks side by side against training them one by one: the same code, weights, data and core, in turn."""

from __future__ import annotations

import time
from statistics import median

import pytest
import torch

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.images import digits
from metaopt.tables.building.build import CHUNK_NETWORKS
from metaopt.tables.building.training import train_networks
from metaopt.tables.card import load_card
from metaopt.tables.protocol import Protocol

EPOCHS = 2


def cpu_s_per_network(graphs: list[CellGraph], seeds: list[int]) -> float:
    card = load_card("digits")
    p = card.protocol
    protocol = Protocol((EPOCHS,), p.batch_size, p.learning_rate, p.momentum, p.weight_decay)
    started = time.thread_time()
    train_networks(graphs, seeds, digits(), card.network, protocol)
    return (time.thread_time() - started) / len(graphs)


@pytest.mark.perf
def test_side_by_side_against_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    graphs = [graph for graph in CELL_SPACES[1].distinct_graphs().values() if graph.n_vertices == 6]
    ratios = []
    for draw in range(3):
        first = graphs[draw * 800]
        cells = [graph for graph in graphs if graph.adjacency == first.adjacency][: CHUNK_NETWORKS // 3]
        together = cpu_s_per_network([c for c in cells for _ in range(3)], [0, 1, 2] * len(cells))
        alone = median(cpu_s_per_network([cell], [0]) for cell in cells[::4])
        ratios.append(alone / together)
        with capsys.disabled():
            print(f"\n{first.key}: {1 / together:.2f} networks/s side by side, {1 / alone:.2f} one by one", end="")
    with capsys.disabled():
        print(f"\nratio {median(ratios):.2f} (median of {', '.join(f'{r:.2f}' for r in ratios)})")
    assert median(ratios) > 2
