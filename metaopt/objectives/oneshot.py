"""The objective of tuning: a one-shot search under the trial's hyperparameters, scored by the table's truth."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from ConfigSpace import ConfigurationSpace

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.registry import resolve
from metaopt.core.trial import Result, Trial, Value
from metaopt.images import ImageData, ImageSource, load_images
from metaopt.objectives.resumable import ResumableSearch
from metaopt.objectives.trajectory import Trajectory, TrajectoryEpoch
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.base import OneShotOptimizer
from metaopt.oneshot.supernet.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search, SearchEpoch, choose_device
from metaopt.settings.field import check
from metaopt.settings.search import SearchTask
from metaopt.spaces.space import load_space, plain, space_from_json
from metaopt.tables.answers import Answers
from metaopt.tables.card import Card, load_card

#: Modules that libraries import when something is done for the first time; of torch's, making an optimizer takes 1 s.
_IMPORTED_LATE = ("torch._dynamo", "pyarrow.pandas_compat")
#: Columns of a trajectory that the journal does without.
_IN_FILE_ONLY = ("epoch", "arch", "note")


class OneShot:
    """Runs real searches; ``valid_error`` is the table's mean over its seeds for the cell found after the last epoch.

    Args:
        optimizer: Name of a one-shot optimizer.
        space: Name or file of its hyperparameters' space, or the space as plain JSON values; None: the one named like
            the optimizer.
        default: The configuration that is checked beforehand; None: the space's default.
        **task: Fields of :class:`metaopt.settings.search.SearchTask`.

    Raises:
        ConfigError: if a name is unknown, or if the space holds what is no setting of the optimizer.
        TableError: if the table is missing or damaged.
    """

    needs_process: ClassVar[bool] = True
    possible_epochs: ClassVar[frozenset[int] | None] = None
    timed: ClassVar[bool] = True

    def __init__(
        self,
        *,
        optimizer: str,
        space: str | Mapping[str, Any] | None = None,
        default: Mapping[str, Any] | None = None,
        **task: Any,
    ) -> None:
        self.optimizer: type[OneShotOptimizer] = resolve("one-shot optimizer", ONESHOT, optimizer)
        self.task = SearchTask(**task)
        for problem in check(self.task):
            raise problem
        self.card = load_card(self.task.benchmark)
        self.space: ConfigurationSpace = (
            space_from_json(space) if isinstance(space, Mapping) else load_space(space or optimizer)
        )
        self.answers = Answers(self.card, self.task.cell_space, self.task.unknown)
        search = self.card.text["search"]
        self.epochs: tuple[int, int] = (search["min_epochs"], search["max_epochs"])
        self.scale = supernet_scale(self.card, self.task)
        self.device = choose_device(self.task.device)
        self._check_space(plain(self.space.get_default_configuration()) if default is None else dict(default))

    @classmethod
    def preload(cls, *, optimizer: str, space: object = None, default: object = None, **task: Any) -> None:
        """Prepares a process for all searches that are forked from it: imports what they need and reads their images.

        Tables are left to the searches: they are read by threads, in .05 s.

        Args:
            optimizer: As of the objective.
            space: Not needed here.
            default: Likewise.
            **task: As of the objective.

        Raises:
            MetaoptError: whatever is wrong with a name, or with the images.
        """
        for name in _IMPORTED_LATE:
            importlib.import_module(name)
        resolve("one-shot optimizer", ONESHOT, optimizer)
        wanted = SearchTask(**task)
        task_images(load_card(wanted.benchmark), wanted)

    def _check_space(self, default: dict[str, Any]) -> None:
        """Checks that the space fits the optimizer, and that a search can take the default."""
        names = {field.name for field in fields(self.optimizer.Settings)}
        for name in self.space:
            if name not in names:
                raise unknown_name("hyperparameter", name, names, "a space may only hold settings of its optimizer")
        settings = self.optimizer.Settings.from_config(default)
        self.optimizer.block(settings)(self.scale.channels, 0.0)

    def dearest_epochs(self, config: Mapping[str, Value], epochs: int) -> int:
        """Returns the most epochs that a search trains, see :func:`metaopt.objectives.base.dearest_epochs`."""
        try:
            settings = self.optimizer.Settings.from_config(dict(config))
        except ConfigError:  # no search takes it, which its trial says
            return epochs
        return settings.dearest_epochs(CELL_SPACES[self.task.cell_space], epochs)

    def search(self, trial: Trial) -> Search:
        """Returns the search that a trial asks for, not yet run.

        Raises:
            ConfigError: if the configuration is not one that a search can take.
        """
        return Search(
            self.optimizer,
            CELL_SPACES[self.task.cell_space],
            task_images(self.card, self.task),
            scale=self.scale,
            settings=self.optimizer.Settings.from_config(dict(trial.config)),
            seed=trial.seed,
            device=self.device,
            known=(lambda cell: cell.graph in self.answers.table) if self.answers.restricted else None,
        )

    def evaluate(
        self, trial: Trial, folder: Path, watch: Callable[[TrajectoryEpoch], None] = lambda epoch: None
    ) -> Result:
        """Searches for ``trial.epochs`` epochs; ``folder/trajectory.json`` has every epoch as soon as it is over.

        A search that was ended in the same folder goes on from its last epoch; its seconds count.

        Args:
            trial: A configuration of any settings of the optimizer, epochs and a seed.
            folder: An existing folder.
            watch: Is told of every epoch after it is kept.

        Raises:
            ConfigError: if the configuration is not one that a search can take.
            SearchDivergedError: if the loss, or anything else that is kept of an epoch, is not finite.
        """
        trajectory = Trajectory(self.answers, folder)
        context = {"benchmark": self.card.name, "table": dict(self.answers.describe())}
        search = ResumableSearch(lambda: self.search(trial), trial.epochs, context, trajectory, folder)
        for epoch, row in search.epochs():
            last = epoch
            watch(row)
        result = self._result(trial, last, trajectory.columns, search.notes)
        trained = None if last.epoch == trial.epochs else last.epoch
        spent = search.spent.to_json()
        return replace(result, epochs=trained, cost_s=spent["cost_s"], cpu_s=spent["cpu_s"])

    def _result(self, trial: Trial, last: SearchEpoch, columns: Mapping[str, Any], remarks: Sequence[str]) -> Result:
        if last.cell is None:
            raise TypeError("a search picks a cell after its last epoch")
        graph: CellGraph = last.cell.graph
        entry = self.answers.query(graph)
        notes = [f"epoch {number}: {note}" for number, note in enumerate(columns.get("note", ()), 1) if note]
        notes += remarks
        return Result(
            trial_id=trial.id,
            status="ok",
            valid_error=entry.valid_error,
            test_error=entry.test_error,
            info={
                "cell": graph.key,
                "cell_hash": graph.hash,
                "one_shot_error": last.one_shot_error,
                "valid_errors": list(entry.valid_errors),
                "test_errors": list(entry.test_errors),
                "table_cost_s": entry.cost_s,
                "parameters": entry.parameters,
                "predicted": entry.predicted,
                "device": self.device.type,
                **({"selection_sweeps": last.validation_passes} if last.validation_passes else {}),
                **({"detour": last.skipped} if last.skipped else {}),
                **({"notes": notes} if notes else {}),
                "trajectory": {name: values for name, values in columns.items() if name not in _IN_FILE_ONLY},
            },
        )

    def describe(self) -> dict[str, Any]:
        """Returns what is measured, at which scale, and the optimum that regret is counted from.

        ``digests`` are of all that decides a result beside the settings: of card and table, of the surrogate where one
        answers, and of the images that a search is trained on; see :meth:`metaopt.tables.answers.Answers.digests` and
        :attr:`metaopt.images.data.ImageData.digest`.
        """
        images = task_images(self.card, self.task)
        optimum_valid, optimum_test = self.answers.optimum()
        return {
            "name": "oneshot",
            "benchmark": self.card.name,
            "cell_space": self.task.cell_space,
            "images": self.card.text["images"],
            "split": images.split,
            "optimum_valid_error": optimum_valid,
            "optimum_test_error": optimum_test,
            "selected_test_error": self.answers.selected_test_error(),
            "table": dict(self.answers.describe()),
            "digests": {**self.answers.digests(), "images": images.digest},
            "scale": {"channels": self.scale.channels, "cells": self.scale.cells, "batch_norm": self.scale.batch_norm},
            "device": self.device.type,
            "torch": torch.__version__,
        }


def task_images(card: Card, task: SearchTask) -> ImageData:
    """Returns the images of a task; a process reads them once.

    Raises:
        ConfigError: if the pixels or the subset do not fit them.
        ImageError: if they are missing or damaged.
    """
    place = None if task.images is None else Path(task.images)
    return load_images(card.text["images"], ImageSource(place, task.pixels, task.subset))


def supernet_scale(card: Card, task: SearchTask) -> SupernetScale:
    """Returns the size of the supernet of a task; what that leaves open is the card's."""
    usual = card.text["search"]
    batch_norm = cast("BatchNorm", task.batch_norm)  # which its own check has seen
    return SupernetScale(task.channels or usual["channels"], task.cells or usual["cells"], batch_norm)
