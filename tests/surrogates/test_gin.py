from __future__ import annotations

import numpy as np
import pytest
import torch

from metaopt.cells.graph import CellGraph
from metaopt.surrogates.encoding import Cells
from metaopt.surrogates.gin import GraphIsomorphismNetwork
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config


def fitted(cells: Measured, config: dict[str, object] | None = None, epochs: int = 2) -> GraphIsomorphismNetwork:
    model = GraphIsomorphismNetwork({**default_config("gin"), **(config or {})}, seed=0)
    data = cells.data
    model.fit(data.select(np.arange(120)), data.select(np.arange(120, 160)), epochs=epochs)
    return model


@pytest.fixture(scope="module")
def model(digits_cells: Measured) -> GraphIsomorphismNetwork:
    return fitted(digits_cells)


def test_edges_have_a_direction(model: GraphIsomorphismNetwork) -> None:
    """The same operations in the other order are another cell."""
    orders = ("conv3x3:maxpool3x3", "maxpool3x3:conv3x3")
    first, second = model.predict(Cells([CellGraph.from_key(f"100101:{ops}") for ops in orders]))
    assert not np.allclose(first, second, rtol=1e-4)


def test_empty_places_say_nothing(model: GraphIsomorphismNetwork, digits_cells: Measured) -> None:
    """A cell is predicted alike alone and among larger ones."""
    small = CellGraph.from_key("111:conv3x3")
    alone = model.predict(Cells([small]))[0]
    among = model.predict(Cells([small, *digits_cells.cells.graphs]))[0]
    assert alone == pytest.approx(among, rel=1e-5)


def test_the_global_generator_and_threads_are_left_alone(digits_cells: Measured) -> None:
    threads, before = torch.get_num_threads(), torch.random.get_rng_state()
    fitted(digits_cells, {"dropout": 0.2}, epochs=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


def test_training_learns(digits_cells: Measured) -> None:
    truth = digits_cells.data.errors
    short, long = (fitted(digits_cells, {"batch_size": 32}, epochs=n).predict(digits_cells.cells) for n in (1, 40))
    assert np.abs(long - truth).mean() < 0.6 * np.abs(short - truth).mean()


def test_a_batch_larger_than_the_cells_is_all_of_them(digits_cells: Measured) -> None:
    predicted = fitted(digits_cells, {"batch_size": 512}, epochs=3).predict(digits_cells.cells)
    assert np.isfinite(predicted).all()
