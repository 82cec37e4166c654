"""Fits the surrogates of a table, judges them on cells that none of them has seen, and predicts a whole cell space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from metaopt.cells.space import CELL_SPACES
from metaopt.core.arrays import Floats
from metaopt.core.errors import TableError
from metaopt.surrogates.base import Data
from metaopt.surrogates.encoding import Cells
from metaopt.surrogates.ensemble import Ensemble, Fitting, Spread, fit_ensemble, spread
from metaopt.surrogates.measured import Measured, split
from metaopt.surrogates.metrics import noise_quality, quality
from metaopt.tables.predictions import PREDICTIONS, columns_after, write_predictions

#: Fewer cells than these cannot be split into folds that say anything.
FEWEST_CELLS = 30
#: What the mean over several models is called.
ALL = "all"
_TARGETS = ("valid_error", "test_error")


@dataclass(frozen=True)
class Fitted:
    """Ensembles of several models, and what they are worth.

    Attributes:
        ensembles: By model.
        metrics: Plain JSON values; see :func:`judge`.
        training_cells: How many cells the members were fitted to, those that ended their training among them.
    """

    ensembles: Mapping[str, Ensemble]
    metrics: Mapping[str, Any]
    training_cells: int


def fit_all(measured: Measured, configs: Mapping[str, Mapping[str, Any]], how: Fitting, folder: Path) -> Fitted:
    """Fits ensembles to all cells but the held-out ones, and judges them on those.

    Args:
        measured: The cells of a table.
        configs: Hyperparameters by model.
        how: Members and so on.
        folder: Where the fitted models are kept.

    Raises:
        TableError: if there are too few cells.
        ConfigError: if there is no such model, or if its package is not installed.
    """
    training, held_out = split_checked(measured, how.seed)
    unseen = measured.select(held_out[measured.in_space[held_out]])
    ensembles = fit_each(measured.data.select(training), configs, how, folder)
    return Fitted(ensembles, judge_on(unseen, ensembles), len(training))


def fit_each(data: Data, configs: Mapping[str, Mapping[str, Any]], how: Fitting, folder: Path) -> dict[str, Ensemble]:
    """Fits an ensemble of each model to some cells, see :func:`metaopt.surrogates.ensemble.fit_ensemble`."""
    return {name: fit_ensemble(name, config, data, how, folder) for name, config in configs.items()}


def judge_on(unseen: Measured, ensembles: Mapping[str, Ensemble]) -> dict[str, Any]:
    """Lets ensembles predict cells that no member has learned from; see :func:`judge`."""
    return judge(unseen, {name: ensemble.predict_each(unseen.cells) for name, ensemble in ensembles.items()})


def split_checked(measured: Measured, seed: int) -> tuple[Any, Any]:
    """Returns the rows of :func:`metaopt.surrogates.measured.split`.

    Raises:
        TableError: if there are too few cells, or none of the cell space is held out.
    """
    if len(measured.cells) < FEWEST_CELLS:
        raise TableError(
            f"a surrogate needs at least {FEWEST_CELLS} cells, the table has {len(measured.cells)}",
            "build or import more of them",
        )
    training, held_out = split(len(measured.cells), seed)
    if not measured.in_space[held_out].any():
        raise TableError(
            f"none of the {len(held_out)} held-out cells is in the cell space", "choose another {--cell_space}"
        )
    return training, held_out


def judge(unseen: Measured, each: Mapping[str, Floats]) -> dict[str, Any]:
    """Compares the predictions of ensembles with the truth.

    Args:
        unseen: Cells that no member has learned from.
        each: By model, (M, N, 2) predictions of its members.

    Returns:
        By model, and ``all`` for the mean of several: ``valid_error`` and ``test_error`` with
        :func:`metaopt.surrogates.metrics.quality`, and ``noise`` of the validation error where all of these cells have
        repeats of the same seeds.
    """
    repeats = unseen.shared.valid_error
    groups = {name: [predictions] for name, predictions in each.items()}
    if len(each) > 1:
        groups[ALL] = list(each.values())
    found = {}
    for name, predictions in groups.items():
        of_all, truth = spread(predictions), unseen.data.errors
        metrics: dict[str, Any] = {
            target: quality(truth[:, column], of_all.mean[:, column]) for column, target in enumerate(_TARGETS)
        }
        if repeats.shape[1] > 1:
            metrics["noise"] = noise_quality(repeats, of_all.mean[:, 0], of_all.std[:, 0])
        found[name] = metrics
    return found


def predict_space(
    ensembles: Mapping[int, Sequence[Ensemble]], cell_space: int, path: Path, provenance: Mapping[str, Any]
) -> Spread:
    """Predicts every cell of a cell space and writes the predictions.

    Args:
        ensembles: By number of epochs, the largest being the last of the table; their members count the same.
        cell_space: 1, 2 or 3.
        path: The file.
        provenance: Plain JSON values.

    Returns:
        What is predicted after the last epochs.
    """
    graphs = list(CELL_SPACES[cell_space].distinct_graphs().values())
    cells, last = Cells(graphs), max(ensembles)
    columns: dict[str, Any] = {"cell": [graph.key for graph in graphs], "cell_hash": [graph.hash for graph in graphs]}
    each = {epochs: spread(one.predict_each(cells) for one in some) for epochs, some in ensembles.items()}
    for epochs in sorted(each, key=lambda epochs: (epochs != last, epochs)):
        values = [part[:, column] for column in range(len(_TARGETS)) for part in (each[epochs].mean, each[epochs].std)]
        names = PREDICTIONS[2:] if epochs == last else columns_after(epochs)
        columns |= dict(zip(names, values, strict=True))
    write_predictions(path, pa.table(columns), provenance)
    return each[last]
