from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metaopt.cells.codec import to_config
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.core.incumbent import final_errors
from metaopt.core.trial import Trial
from metaopt.objectives.table import TableLookup
from metaopt.tables.answers import Answers
from metaopt.tables.card import load_card


def trial(seed: int = 0, epochs: int = 8) -> Trial:
    cell = CELL_SPACES[1].sample(np.random.default_rng(3))
    return Trial(0, 0, to_config(CELL_SPACES[1], cell), epochs, seed)


def test_the_result_is_the_table_s(tmp_path: Path) -> None:
    entry = Answers(load_card("digits"), 1).query(CELL_SPACES[1].sample(np.random.default_rng(3)).graph, 4)
    result = TableLookup().evaluate(trial(epochs=4), tmp_path)
    assert (result.valid_error, result.test_error, result.cost_s) == (entry.valid_error, entry.test_error, entry.cost_s)
    assert (result.info["parameters"], result.info["predicted"]) == (entry.parameters, False)
    assert list(tmp_path.iterdir()) == []


def test_of_a_short_training_it_says_what_the_cell_is_worth_after_all_epochs(tmp_path: Path) -> None:
    entry = Answers(load_card("digits"), 1).query(CELL_SPACES[1].sample(np.random.default_rng(3)).graph)
    short = TableLookup().evaluate(trial(epochs=4), tmp_path)
    assert final_errors(short.info) == (entry.valid_error, entry.test_error)
    assert short.valid_error != entry.valid_error
    assert final_errors(TableLookup(errors="single").evaluate(trial(), tmp_path).info) == final_errors(short.info)
    assert final_errors(TableLookup().evaluate(trial(), tmp_path).info) is None


def test_single_errors_are_drawn_by_the_seed_of_the_trial(tmp_path: Path) -> None:
    objective = TableLookup(errors="single")
    told = [objective.evaluate(trial(seed), tmp_path).valid_error for seed in range(60)]
    entry = Answers(load_card("digits"), 1).query(CELL_SPACES[1].sample(np.random.default_rng(3)).graph)
    assert set(told) == set(entry.valid_errors)
    assert objective.evaluate(trial(7), tmp_path).valid_error == told[7]
    assert objective.describe()["errors"] == "single"


def test_budgets_are_the_table_s() -> None:
    objective = TableLookup()
    assert (objective.epochs, objective.possible_epochs) == ((1, 8), {1, 2, 4, 8})


def test_names_are_checked() -> None:
    with pytest.raises(ConfigError, match="unknown benchmark 'digit'"):
        TableLookup(benchmark="digit")
    with pytest.raises(ConfigError, match="cell_space must be 1, 2 or 3, got 9"):
        TableLookup(cell_space=9)


def test_of_a_partial_table_a_proposal_counts_as_the_nearest_cell_that_it_holds(tmp_path: Path) -> None:
    objective, rng = TableLookup(cell_space=3, unknown="restrict"), np.random.default_rng(0)
    cells = [CELL_SPACES[3].sample(rng) for _ in range(20)]
    trials = [Trial(n, n, to_config(CELL_SPACES[3], cell), 8, 0) for n, cell in enumerate(cells)]
    results = [objective.evaluate(trial, tmp_path) for trial in trials]
    assert [result.info["predicted"] for result in results] == [False] * 20
    known = [cell.graph in objective.answers.table for cell in cells]
    assert 0 < sum(known) < 20
    assert [result.info["cell"] == cell.graph.key for cell, result in zip(cells, results, strict=True)] == known


def test_the_description_tells_one_table_from_another() -> None:
    whole, partial = (TableLookup(cell_space=space).describe()["digests"] for space in (1, 3))
    assert set(whole) == {"card", "table"}
    assert set(partial) == {"card", "table", "surrogate"}
    assert whole["table"] != partial["table"]
    assert set(TableLookup(cell_space=3, unknown="restrict").describe()["digests"]) == {"card", "table"}
