"""The contract of surrogates as pytest classes; subclass :class:`SurrogateContract` to check your own.

Every check fits a real model to the real results of a few cells of the built-in benchmark.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ConfigSpace.hyperparameters import Constant

from metaopt.cells.graph import CellGraph, prune
from metaopt.core.errors import TableError
from metaopt.core.registry import resolve
from metaopt.core.seeds import stream
from metaopt.spaces.space import load_space
from metaopt.surrogates import SURROGATES
from metaopt.surrogates.base import Data, Surrogate
from metaopt.surrogates.encoding import Cells
from metaopt.surrogates.measured import measured
from metaopt.surrogates.metrics import quality
from metaopt.surrogates.tuning import default_config
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.testing.oneshot_contract import other_values

_CELLS = 300  # to learn from
_STOP, _UNSEEN = 60, 200
#: First bytes of a pickle of protocol 2 or later, and of a ZIP file, in which torch keeps one.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")


@lru_cache
def real_cells() -> tuple[Data, Data, Data]:
    """Returns cells of digits' cell space 1 with their errors: to learn from, to stop by, unseen."""
    data = measured(find_table(load_card("digits"), 1), 1).data
    order = stream(0, "surrogate contract").permutation(len(data.cells))
    ends = np.cumsum([0, _CELLS, _STOP, _UNSEEN])
    learn, stop, unseen = (data.select(order[start:end]) for start, end in itertools.pairwise(ends))
    return learn, stop, unseen


def shuffled(graph: CellGraph, rng: np.random.Generator) -> CellGraph:
    """Returns an isomorphic cell: another order of the interior vertices that no edge forbids."""
    order: list[int] = []
    while len(order) < graph.n_vertices:
        ready = [v for v in range(graph.n_vertices) if v not in order and set(graph.parents(v)) <= set(order)]
        ready = [v for v in ready if v != graph.n_vertices - 1] or ready
        order.append(int(rng.choice(ready)))
    adjacency = [[graph.adjacency[i][j] for j in order] for i in order]
    return prune(adjacency, [graph.ops[v - 1] for v in order[1:-1]])


class SurrogateContract:
    """What every surrogate keeps to.

    Attributes:
        name: In the registry.
        epochs: Of the trainings here.
        rank_correlation: Spearman with unseen cells' validation error that it reaches at least from a few cells.
    """

    name: str
    epochs: ClassVar[int] = 200
    rank_correlation: ClassVar[float] = 0.8

    def fit(self, config: Mapping[str, Any] | None = None, *, seed: int = 0, threads: int = 1) -> Surrogate:
        """Fits a model with ``config`` on top of the defaults of its space."""
        kind: type[Surrogate] = resolve("surrogate", SURROGATES, self.name)
        surrogate = kind({**default_config(self.name), **(config or {})}, seed=seed, threads=threads)
        learn, stop, _ = real_cells()
        surrogate.fit(learn, stop, epochs=self.epochs)
        return surrogate

    def predict(self, surrogate: Surrogate) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Predicts the unseen cells."""
        return surrogate.predict(real_cells()[2].cells)

    def test_its_name_is_that_of_the_registry(self) -> None:
        """The folder that it is kept in and its space go by it."""
        kind: type[Surrogate] = resolve("surrogate", SURROGATES, self.name)
        assert kind.name == self.name
        assert 1 <= kind.min_epochs <= kind.epochs
        kind.check_installed()

    def test_it_predicts_unseen_cells(self) -> None:
        """Both errors are in [0, 1], and ranked much as the truth."""
        unseen, predicted = real_cells()[2], self.predict(self.fit())
        assert predicted.shape == unseen.errors.shape
        assert ((predicted >= 0) & (predicted <= 1)).all()
        for column in range(2):
            found = quality(unseen.errors[:, column], predicted[:, column])
            assert found["spearman"] is not None
            assert found["spearman"] >= self.rank_correlation

    def test_it_repeats_itself(self) -> None:
        """Same seed, same predictions; another seed, others."""
        first = self.predict(self.fit(seed=3))
        assert np.array_equal(first, self.predict(self.fit(seed=3)))
        assert not np.array_equal(first, self.predict(self.fit(seed=4)))

    def test_what_is_saved_predicts_the_same(self, tmp_path: Path) -> None:
        """A loaded model is the one that was saved."""
        surrogate = self.fit()
        surrogate.save(tmp_path / "model")
        loaded = type(surrogate).load(tmp_path / "model")
        assert np.array_equal(self.predict(surrogate), self.predict(loaded))
        assert (loaded.config, loaded.seed, loaded.fitted_to) == (
            surrogate.config,
            surrogate.seed,
            surrogate.fitted_to,
        )

    def test_nothing_on_disk_is_a_pickle(self, tmp_path: Path) -> None:
        """Loading a model runs no code of it."""
        self.fit().save(tmp_path / "model")
        files = [path for path in (tmp_path / "model").rglob("*") if path.is_file()]
        assert len(files) >= 2
        assert not [path for path in files if path.read_bytes().startswith(_PICKLES)]

    def test_damage_is_named(self, tmp_path: Path) -> None:
        """A file that is cut in two, or missing, is an error that says which folder."""
        surrogate = self.fit()
        surrogate.save(tmp_path / "model")
        for path in sorted((tmp_path / "model").iterdir()):
            whole = path.read_bytes()
            for damage in (lambda path=path, whole=whole: path.write_bytes(whole[: len(whole) // 2]), path.unlink):
                damage()
                with pytest.raises(TableError, match="cannot be read"):
                    type(surrogate).load(tmp_path / "model")
            path.write_bytes(whole)
        description = json.loads((tmp_path / "model" / "surrogate.json").read_text())
        (tmp_path / "model" / "surrogate.json").write_text(json.dumps({**description, "name": "other"}))
        with pytest.raises(TableError, match="holds a surrogate 'other'"):
            type(surrogate).load(tmp_path / "model")

    def test_isomorphic_cells_get_equal_predictions(self) -> None:
        """The order in which a cell's vertices are written says nothing; the last digits may differ."""
        unseen, rng = real_cells()[2].cells, stream(0, "surrogate contract shuffles")
        twins = [shuffled(graph, rng) for graph in unseen.graphs]
        assert [twin.hash for twin in twins] == [graph.hash for graph in unseen.graphs]
        assert sum(twin != graph for twin, graph in zip(twins, unseen.graphs, strict=True)) > 20
        surrogate = self.fit()
        assert surrogate.predict(Cells(twins)) == pytest.approx(surrogate.predict(unseen), abs=1e-6)

    def test_every_hyperparameter_is_alive(self) -> None:
        """A changed value of any hyperparameter of its space changes the predictions."""
        space = load_space(f"surrogate_{self.name}")
        default = self.predict(self.fit())
        for name, hyperparameter in space.items():
            if isinstance(hyperparameter, Constant):
                continue
            values = other_values(hyperparameter)
            alive = (not np.array_equal(default, self.predict(self.fit({name: value}))) for value in values)
            assert any(alive), f"{name} does not reach the surrogate"

    def test_a_model_that_has_not_been_fitted_says_so(self) -> None:
        """It is a mistake of the program."""
        kind: type[Surrogate] = resolve("surrogate", SURROGATES, self.name)
        with pytest.raises(ValueError, match="has not been fitted"):
            kind(default_config(self.name), seed=0).predict(real_cells()[2].cells)
