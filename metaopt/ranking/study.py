"""What a ranking study compares: supernets, cells, and the ways of evaluating them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError, RunError
from metaopt.core.paths import write_atomically
from metaopt.core.registry import resolve
from metaopt.core.seeds import stream
from metaopt.core.system_errors import explaining
from metaopt.core.wording import differences
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.base import OneShotOptimizer
from metaopt.oneshot.settings import SearchSettings
from metaopt.settings.field import check, field
from metaopt.settings.search import SearchTask
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.table import Table

_STUDY = "study.json"


@dataclass(frozen=True, kw_only=True)
class RankingStudy(SearchTask):
    """All that the scores of a ranking study depend on.

    Attributes:
        optimizer: Name of a one-shot optimizer.
        config: Hyperparameters of its searches.
        epochs: Of a search.
        at: Epochs of the search after which cells are scored, ascending.
        seeds: Number of supernets, with seeds from 0.
        sample: Cells that are scored, drawn uniformly from those that the table has; None: all of those.

    Raises:
        ConfigError: if a value is out of range, or if a search cannot take the hyperparameters.
    """

    optimizer: str
    config: Mapping[str, Any]
    epochs: int = field(50, "epochs of a search", ge=1, le=10**6)
    at: tuple[int, ...]
    seeds: int = field(5, "supernets, with seeds from 0", ge=1, le=10**4)
    sample: int | None = field(None, "cells to score, drawn uniformly", ge=2, otherwise="all")

    def __post_init__(self) -> None:
        for problem in check(self):
            raise problem
        if not self.at or list(self.at) != sorted(set(self.at)) or not 1 <= self.at[0] <= self.at[-1] <= self.epochs:
            given = ",".join(map(str, self.at))
            raise ConfigError(
                f"at is {given!r}; allowed: ascending epochs from 1 to the {self.epochs} of the search",
                "change --at, or leave it out to score after the last epoch",
            )
        _ = self.settings

    @property
    def optimizer_class(self) -> type[OneShotOptimizer]:
        """The class of the one-shot optimizer."""
        found: type[OneShotOptimizer] = resolve("one-shot optimizer", ONESHOT, self.optimizer)
        return found

    @property
    def settings(self) -> SearchSettings:
        """The settings of its searches."""
        return self.optimizer_class.Settings.from_config(dict(self.config))

    @property
    def learns_averages(self) -> bool:
        """Whether the supernet is trained under weights of all parents and operations, not on sums over paths."""
        return self.optimizer_class.averages

    @property
    def defects(self) -> list[dict[str, bool]]:
        """Every combination of the defects that the published evaluation of such supernets has, none of them first."""
        lost_edge = (False, True) if self.cell_space in (1, 2) else (False,)
        soft_ops = (False, True) if self.learns_averages else (False,)
        return [{"lost_edge": lost, "soft_ops": soft} for soft, lost in itertools.product(soft_ops, lost_edge)]

    @cached_property
    def graphs(self) -> list[CellGraph]:
        """The cells that are scored, ordered by hash.

        Raises:
            TableError: if there is no table, which has the errors that they are ranked by.
        """
        table = Table(find_table(load_card(self.benchmark), self.cell_space), self.cell_space)
        distinct = CELL_SPACES[self.cell_space].distinct_graphs()
        measured = [name for name in table.hashes.astype(str) if name in distinct]
        chosen: Iterable[int] = range(len(measured))
        if self.sample is not None and self.sample < len(measured):
            chosen = sorted(stream("correlation", "sample").choice(len(measured), self.sample, replace=False))
        return [distinct[measured[index]] for index in chosen]

    def to_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "at": list(self.at)}


def enumerated(graph: CellGraph) -> bool:
    """Returns whether the published enumeration of cells has ``graph``: one path passes through all its vertices.

    1Shot1's released generator builds cells from the output backwards, one chain of parents at a time, and never
    finishes one with two vertices of which neither is before the other: it has 2,127 of the 2,685 distinct cells of
    space 1. Vertices are in an order in which edges go forwards, so such a path can only go from each to the next.
    """
    return all(graph.adjacency[i][i + 1] for i in range(graph.n_vertices - 1))


def open_folder(study: RankingStudy, folder: Path) -> None:
    """Makes the folder of a study, or checks that it is this one's.

    Raises:
        RunError: if it cannot be made, or holds something else, or a study with other settings; names the difference.
    """
    path, own = folder / _STUDY, study.to_json()
    with explaining(f"cannot write a ranking study to {folder}", "name another folder with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            if any(folder.iterdir()):
                raise RunError(f"{folder} is not empty, and holds no ranking study", "name another folder with --out")
            with suppress(FileExistsError):  # another one has begun there meanwhile: it is compared as any other
                write_atomically(path, json.dumps(own, indent=2) + "\n", new=True)
    if differing := differences(_read(path), own):
        raise RunError(
            f"{folder} holds a ranking study with {', '.join(differing)}",
            "name another folder with --out, or give the same settings to go on with it",
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    except (OSError, ValueError):
        pass
    raise RunError(f"{path} cannot be read: it is damaged", "name another folder with --out")
