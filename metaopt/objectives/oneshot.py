"""The objective of tuning: a one-shot search under the trial's hyperparameters, scored by the table's truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from ConfigSpace import ConfigurationSpace

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.errors import unknown_name
from metaopt.images import load_images
from metaopt.objectives.trajectory import Trajectory, TrajectoryEpoch
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.base import OneShotOptimizer
from metaopt.oneshot.supernet import BatchNorm, SupernetScale
from metaopt.oneshot.train import Search, SearchEpoch, choose_device
from metaopt.registry import resolve
from metaopt.spaces import load_space, plain, space_from_json
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.table import Table
from metaopt.trial import Result, Trial

#: Columns of a trajectory that the journal does without.
_IN_FILE_ONLY = ("epoch", "arch", "note")


class OneShot:
    """Runs real searches; ``valid_error`` is the table's mean over its seeds for the cell found after the last epoch.

    Args:
        optimizer: Name of a one-shot optimizer.
        space: Name or file of its hyperparameters' space, or the space as plain JSON values; None: the one named like
            the optimizer.
        default: The configuration that is checked beforehand; None: the space's default.
        benchmark: Name of a benchmark.
        cell_space: 1, 2 or 3.
        channels: Of the supernet's first stage; None: as the benchmark's card says.
        cells: Of the supernet; None: as the card says.
        batch_norm: Statistics the one-shot model is evaluated with.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ConfigError: if a name is unknown, or if the space holds what is no setting of the optimizer.
        TableError: if the table is missing or damaged.
    """

    needs_process: ClassVar[bool] = True

    def __init__(
        self,
        *,
        optimizer: str,
        benchmark: str,
        cell_space: int,
        space: str | Mapping[str, Any] | None = None,
        default: Mapping[str, Any] | None = None,
        channels: int | None = None,
        cells: int | None = None,
        batch_norm: BatchNorm = "recalibrated",
        device: str = "auto",
    ) -> None:
        self.optimizer: type[OneShotOptimizer] = resolve("one-shot optimizer", ONESHOT, optimizer)
        self.card = load_card(benchmark)
        self.cell_space = cell_space
        self.space: ConfigurationSpace = (
            space_from_json(space) if isinstance(space, Mapping) else load_space(space or optimizer)
        )
        self.table = Table(find_table(self.card, cell_space), cell_space)
        search = self.card.text["search"]
        self.epochs: tuple[int, int] = (search["min_epochs"], search["max_epochs"])
        self.scale = SupernetScale(channels or search["channels"], cells or search["cells"], batch_norm)
        self.device = choose_device(device)
        self._check_space(plain(self.space.get_default_configuration()) if default is None else dict(default))

    def _check_space(self, default: dict[str, Any]) -> None:
        """Checks that the space fits the optimizer, and that a search can take the default."""
        names = {field.name for field in fields(self.optimizer.Settings)}
        for name in self.space:
            if name not in names:
                raise unknown_name("hyperparameter", name, names, "a space may only hold settings of its optimizer")
        settings = self.optimizer.Settings.from_config(default)
        self.optimizer.block(settings)(self.scale.channels, 0.0)

    def search(self, trial: Trial) -> Search:
        """Returns the search that a trial asks for, not yet run.

        Raises:
            ConfigError: if the configuration is not one that a search can take.
        """
        return Search(
            self.optimizer,
            CELL_SPACES[self.cell_space],
            load_images(self.card.text["images"]),
            scale=self.scale,
            settings=self.optimizer.Settings.from_config(dict(trial.config)),
            seed=trial.seed,
            device=self.device,
        )

    def evaluate(
        self, trial: Trial, folder: Path, watch: Callable[[TrajectoryEpoch], None] = lambda epoch: None
    ) -> Result:
        """Searches for ``trial.epochs`` epochs; ``folder/trajectory.json`` has every epoch as soon as it is over.

        Args:
            trial: A configuration of any settings of the optimizer, epochs and a seed.
            folder: An existing folder.
            watch: Is told of every epoch after it is kept.

        Raises:
            ConfigError: if the configuration is not one that a search can take.
            SearchDivergedError: if the loss, or anything else that is kept of an epoch, is not finite.
        """
        started, began = time.monotonic(), time.process_time()
        trajectory = Trajectory(self.table, folder)
        for last in self.search(trial).epochs(trial.epochs):
            watch(trajectory.add(last))
        result = self._result(trial, last, trajectory.columns)
        cost_s, cpu_s = time.monotonic() - started, time.process_time() - began
        trained = None if last.epoch == trial.epochs else last.epoch
        return replace(result, cost_s=round(cost_s, 3), cpu_s=round(cpu_s, 3), epochs=trained)

    def _result(self, trial: Trial, last: SearchEpoch, columns: Mapping[str, Any]) -> Result:
        if last.cell is None:
            raise TypeError("a search picks a cell after its last epoch")
        graph: CellGraph = last.cell.graph
        entry = self.table.query(graph)
        notes = [f"epoch {number}: {note}" for number, note in enumerate(columns.get("note", ()), 1) if note]
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
                "predicted": False,
                "device": self.device.type,
                **({"selection_sweeps": last.sweeps} if last.sweeps else {}),
                **({"notes": notes} if notes else {}),
                "trajectory": {name: values for name, values in columns.items() if name not in _IN_FILE_ONLY},
            },
        )

    def describe(self) -> dict[str, Any]:
        """Returns what is measured, at which scale, and the optimum that regret is counted from."""
        optimum_valid, optimum_test = self.table.optimum()
        return {
            "name": "oneshot",
            "benchmark": self.card.name,
            "cell_space": self.cell_space,
            "images": self.card.text["images"],
            "optimum_valid_error": optimum_valid,
            "optimum_test_error": optimum_test,
            "table": dict(self.table.describe()),
            "scale": {"channels": self.scale.channels, "cells": self.scale.cells, "batch_norm": self.scale.batch_norm},
            "device": self.device.type,
            "torch": torch.__version__,
        }
