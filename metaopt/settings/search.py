"""What an evaluation works on: a benchmark whose table scores cells and, of a search, its scale and its images."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from metaopt.settings.field import field

CELL_SPACES = (1, 2, 3)
#: See :class:`metaopt.oneshot.supernet.supernet.SupernetScale`; named here so that help costs no import of torch.
BATCH_NORMS = ("recalibrated", "running", "published")
#: See :mod:`metaopt.tables.answers`.
UNKNOWN = ("surrogate", "restrict", "refuse")
_PROBLEM = "benchmark and search"


@dataclass(frozen=True, kw_only=True)
class TableTask:
    """Which cells are looked for, and what scores them.

    None stands for what the benchmark's card says. Commands have a flag for every field, whose help is its
    documentation.
    """

    benchmark: str = field("digits", "image data, cell space and table to search on", group=_PROBLEM)
    cell_space: int = field(
        1, "cell space of the benchmark", choices=CELL_SPACES, group=_PROBLEM, formerly=("--space",)
    )
    unknown: str | None = field(
        None,
        "how to treat cells missing from the table: predict their error, restrict searches to cells of the table, or "
        "refuse to continue",
        choices=UNKNOWN,
        otherwise="set by the benchmark",
        group=_PROBLEM,
    )

    @property
    def task(self) -> dict[str, Any]:
        """What says on what an evaluation works, as plain JSON values, without the rest of a larger class."""
        return {field.name: getattr(self, field.name) for field in fields(self.task_class())}

    @classmethod
    def task_class(cls) -> type[TableTask]:
        """Returns the class here that this one is, or extends."""
        return next(base for base in cls.__mro__ if base in (SearchTask, TableTask))


@dataclass(frozen=True, kw_only=True)
class SearchTask(TableTask):
    """All that a search depends on besides its optimizer, hyperparameters, epochs and seed; see :class:`TableTask`."""

    channels: int | None = field(
        None, "channels of the supernet's first stage", ge=1, le=4096, otherwise="set by the benchmark", group=_PROBLEM
    )
    cells: int | None = field(
        None, "cells of the supernet", ge=1, le=1000, otherwise="set by the benchmark", group=_PROBLEM
    )
    batch_norm: str = field("recalibrated", "batch-norm statistics of evaluations", choices=BATCH_NORMS, group=_PROBLEM)
    images: str | None = field(
        None, "file or folder with the images", otherwise="a folder of METAOPT_HOME", group=_PROBLEM
    )
    pixels: int | None = field(
        None, "pixels a side that images are averaged to", ge=1, le=10_000, otherwise="as they are", group=_PROBLEM
    )
    subset: int | None = field(
        None, "number of training images, stratified by class", ge=4, otherwise="all", group=_PROBLEM
    )
    device: str = field("auto", "device of the searches: auto, cpu, cuda or cuda:N", group=_PROBLEM)
