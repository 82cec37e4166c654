"""The objective of black-box NAS: a cell, looked up in the table after as many epochs as it was trained for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ConfigSpace import ConfigurationSpace

from metaopt.cells.codec import cell_configuration_space, from_config
from metaopt.cells.graph import CellGraph
from metaopt.cells.nearest import nearest
from metaopt.cells.space import CELL_SPACES
from metaopt.core.incumbent import FINAL_TEST_ERROR, FINAL_VALID_ERROR
from metaopt.core.seeds import stream
from metaopt.core.trial import Result, Trial
from metaopt.settings.field import check
from metaopt.settings.search import TableTask
from metaopt.tables.answers import Answers
from metaopt.tables.card import load_card


class TableLookup:
    """Looks cells up; what an evaluation costs is what the table says that its training did.

    A rung of a multi-fidelity tuner pays in full: trainings of several lengths are separate ones in NAS-Bench-101, with
    a learning rate schedule each.

    Args:
        errors: ``mean``: ``valid_error`` is the table's mean over its seeds; ``single``: that of one seed, drawn anew
            for each evaluation, as in the published comparison (1Shot1, released code). ``test_error`` is the mean.
        **task: Fields of :class:`metaopt.settings.search.TableTask`.

    Raises:
        ConfigError: if a name is unknown, or a value out of range.
        TableError: if the table is missing or damaged.
    """

    needs_process: ClassVar[bool] = False

    def __init__(self, *, errors: str = "mean", **task: Any) -> None:
        self.task, self._errors = TableTask(**task), errors
        for problem in check(self.task):
            raise problem
        self.card = load_card(self.task.benchmark)
        self.cell_space = CELL_SPACES[self.task.cell_space]
        self.answers = Answers(self.card, self.task.cell_space, self.task.unknown)
        self.space: ConfigurationSpace = cell_configuration_space(self.cell_space)
        measured = self.answers.table.epochs
        self.epochs: tuple[int, int] = (measured[0], measured[-1])
        self.possible_epochs: frozenset[int] | None = frozenset(self.answers.epochs)
        self.timed: bool = self.answers.timed

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        """Looks up the trial's cell after ``trial.epochs`` epochs; ``folder`` stays as it is.

        Where only known cells are wanted, an unknown one counts as its nearest known one.

        Raises:
            ConfigError: if the configuration is no cell of the cell space.
            TableError: if the table has not the cell, or not the epochs, and no surrogate answers.
        """
        cell = from_config(self.cell_space, trial.config)
        if self.answers.restricted:
            cell = nearest(self.cell_space, cell, lambda graph: graph in self.answers.table)
        graph = cell.graph
        entry = self.answers.query(graph, trial.epochs)
        valid_error = entry.valid_error
        if self._errors == "single":
            valid_error = entry.valid_errors[stream(trial.seed, "repeat").integers(len(entry.valid_errors))]
        return Result(
            trial_id=trial.id,
            status="ok",
            valid_error=valid_error,
            test_error=entry.test_error,
            cost_s=entry.cost_s or 0.0,
            info={
                "cell": graph.key,
                "cell_hash": graph.hash,
                "table_cost_s": entry.cost_s,
                "parameters": entry.parameters,
                "predicted": entry.predicted,
                **self._final(graph, trial.epochs),
            },
        )

    def _final(self, graph: CellGraph, epochs: int) -> dict[str, float]:
        """Returns what the cell is worth after all epochs, which regret is counted from, if the answer is not that."""
        if epochs == self.epochs[1] and self._errors == "mean":
            return {}
        entry = self.answers.query(graph)
        return {FINAL_VALID_ERROR: entry.valid_error, FINAL_TEST_ERROR: entry.test_error}

    def describe(self) -> dict[str, Any]:
        """Returns what is looked up, and the optimum that regret is counted from.

        ``digests`` are of all that decides an answer beside the settings: of card and table, and of the surrogate where
        one answers; see :meth:`metaopt.tables.answers.Answers.digests`.
        """
        optimum_valid, optimum_test = self.answers.optimum()
        return {
            "name": "table",
            "benchmark": self.card.name,
            "cell_space": self.task.cell_space,
            "errors": self._errors,
            "optimum_valid_error": optimum_valid,
            "optimum_test_error": optimum_test,
            "selected_test_error": self.answers.selected_test_error(),
            "table": dict(self.answers.describe()),
            "digests": self.answers.digests(),
        }
