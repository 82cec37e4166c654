"""The scores of a ranking study: supernets are trained, cells scored, and each part of it kept in a file.

A part is one seed with one kind of batch norm statistics; a study that is started again continues with the parts that
have no file yet.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError, RunError
from metaopt.core.paths import write_atomically
from metaopt.objectives.oneshot import supernet_scale, task_images
from metaopt.oneshot.supernet.data import Half
from metaopt.oneshot.supernet.scoring import STATISTICS, Statistics, Subject, score_cells, store_statistics
from metaopt.oneshot.supernet.supernet import Supernet
from metaopt.oneshot.train import Search, SearchDivergedError, choose_device
from metaopt.ranking.study import RankingStudy
from metaopt.tables.card import load_card

_SCHEMA = pa.schema(
    [
        ("epochs", pa.int32()),
        ("lost_edge", pa.bool_()),
        ("soft_ops", pa.bool_()),
        ("cell", pa.string()),
        ("error", pa.float32()),
        ("loss", pa.float32()),
    ]
)
_ABOUT = b"metaopt"


@dataclass(frozen=True)
class ScoringJob:
    """One supernet that is scored with one kind of statistics, and the file its scores go to."""

    study: RankingStudy
    seed: int
    statistics: Statistics
    path: Path


@dataclass(frozen=True)
class Scores:
    """What a part has found.

    Attributes:
        part: Which.
        values: (E, D, K, 2): after each of the study's epochs, with each of its combinations of defects, of each of
            its cells, the error and the mean cross-entropy.
        weights: (E,) digests of the weights that were scored.
        cpu_s: CPU seconds of training and scoring.
    """

    part: ScoringJob
    values: NDArray[np.float32]
    weights: tuple[str, ...]
    cpu_s: float


def parts(study: RankingStudy, folder: Path) -> list[ScoringJob]:
    """Returns all parts of a study, in a fixed order."""
    return [
        ScoringJob(study, seed, statistics, folder / f"scores-s{seed}-{statistics}.parquet")
        for seed in range(study.seeds)
        for statistics in STATISTICS
    ]


def score_all(
    study: RankingStudy,
    folder: Path,
    run: Callable[[Callable[[ScoringJob], None], Sequence[ScoringJob]], Iterable[None]],
    report: Callable[[int, int], None],
) -> None:
    """Scores what is missing.

    Args:
        study: What to score.
        folder: Of the study.
        run: Runs a function on many parts, in any order and place; yields as they finish.
        report: Called with parts done and parts in all, at first and after every part.
    """
    todo = parts(study, folder)
    missing = [part for part in todo if not part.path.exists()]
    before = len(todo) - len(missing)
    report(before, len(todo))
    for done, _ in enumerate(run(score_part, missing), start=before + 1):
        report(done, len(todo))


def score_part(part: ScoringJob) -> None:
    """Trains the supernet of a part, scores all cells and writes the scores; may run in a worker process.

    Raises:
        ConfigError: if the search diverges, or ends before the last epoch that is asked for.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # weights that decay towards zero would slow the arithmetic down tenfold
    started = time.process_time()
    study, search = part.study, make_search(part)
    values, weights = [], []
    try:
        for epoch in search.epochs(study.epochs, picks=False):
            if epoch.epoch in study.at:
                values.append(_score(part, search))
                weights.append(_digest(search.supernet))
    except SearchDivergedError as error:
        raise ConfigError(f"the search with seed {part.seed} fails: {error}", "lower its learning_rate") from None
    if len(values) < len(study.at):
        raise ConfigError(
            f"the search ended before epoch {study.at[len(values)]}, after which cells are to be scored",
            "change --at, or the hyperparameters that end a search early",
        )
    cpu_s = round(time.process_time() - started, 1)
    write_scores(Scores(part, np.stack(values), tuple(weights), cpu_s))


def make_search(part: ScoringJob) -> Search:
    """Returns the search of a part, before its first epoch.

    Raises:
        ConfigError: if the batch size does not fit the images, or if there is no such device.
    """
    study = part.study
    card = load_card(study.benchmark)
    search = Search(
        study.optimizer_class,
        CELL_SPACES[study.cell_space],
        task_images(card, study),
        # Nothing is recalibrated while it trains: that would replace the statistics that are to be stored.
        scale=replace(supernet_scale(card, study), batch_norm="running"),
        settings=study.settings,
        seed=part.seed,
        device=choose_device(study.device),
    )
    store_statistics(search.supernet, part.statistics)
    return search


def _score(part: ScoringJob, search: Search) -> NDArray[np.float32]:
    """Returns (D, K, 2) scores on the benchmark's validation images, which no search has seen."""
    study, space = part.study, CELL_SPACES[part.study.cell_space]
    cells = [cell for graph in study.graphs if (cell := space.embed(graph)) is not None]
    data = task_images(load_card(study.benchmark), study)
    evaluated = Half.of(data.valid, data, choose_device(study.device))
    subjects = [
        [Subject.of(cell, mean=study.learns_averages, **defects) for cell in cells] for defects in study.defects
    ]
    reference = search.weight_half
    return np.stack([score_cells(search.supernet, reference, evaluated, s, part.statistics) for s in subjects])


def _digest(supernet: Supernet) -> str:
    digest = hashlib.sha256()
    for parameter in supernet.parameters():
        digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def write_scores(scores: Scores) -> None:
    """Writes the scores of a part to its file, all of them or nothing."""
    study, keys = scores.part.study, [graph.key for graph in scores.part.study.graphs]
    rows = [
        {"epochs": epochs, **defects, "cell": key, "error": error, "loss": loss}
        for epochs, of_epoch in zip(study.at, scores.values.tolist(), strict=True)
        for defects, of_cells in zip(study.defects, of_epoch, strict=True)
        for key, (error, loss) in zip(keys, of_cells, strict=True)
    ]
    about = json.dumps({"weights": scores.weights, "cpu_s": scores.cpu_s})
    table = pa.Table.from_pylist(rows, schema=_SCHEMA).replace_schema_metadata({_ABOUT: about})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(scores.part.path, buffer.getvalue())


def read_scores(part: ScoringJob) -> Scores:
    """Reads the scores of a finished part.

    Raises:
        RunError: if the file is missing, damaged, or of other cells.
    """
    study = part.study
    shape = (len(study.at), len(study.defects), -1, 2)
    try:
        table = pq.read_table(part.path, schema=_SCHEMA)
        about = json.loads((pq.read_schema(part.path).metadata or {})[_ABOUT])
        values = np.stack([table["error"].to_numpy(), table["loss"].to_numpy()], axis=1).reshape(shape)
        if table["cell"].to_pylist()[: values.shape[2]] != [graph.key for graph in study.graphs]:
            raise ValueError("it is of other cells")
        return Scores(part, values, tuple(about["weights"]), about["cpu_s"])
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise RunError(
            f"the scores in {part.path} cannot be read: {str(error).splitlines()[0]}", "remove it and start again"
        ) from None
