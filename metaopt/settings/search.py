"""What an evaluation works on: a benchmark whose table scores cells and, of a search, its scale and its images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from metaopt.core.errors import ConfigError, MetaoptError, unknown_name
from metaopt.settings.field import beyond_limits, setting

CELL_SPACES = (1, 2, 3)
#: See :class:`metaopt.oneshot.supernet.supernet.SupernetScale`; named here so that help costs no import of torch.
BATCH_NORMS = ("recalibrated", "running", "published")
#: See :mod:`metaopt.tables.answers`.
UNKNOWN = ("surrogate", "restrict", "refuse")


@dataclass(frozen=True, kw_only=True)
class TableTask:
    """Which cells are looked for, and what scores them.

    None stands for what the benchmark's card says. Commands have a flag for every field, whose help is its
    documentation.
    """

    benchmark: str = setting("digits", "image data, cell space and table to search on")
    cell_space: int = setting(1, "cell space of the benchmark: 1, 2 or 3", "--space")
    unknown: str | None = setting(
        None, f"what becomes of a cell that the table lacks: {', '.join(UNKNOWN)}; as the benchmark says"
    )

    @property
    def task(self) -> dict[str, Any]:
        """What says on what an evaluation works, as plain JSON values, without the rest of a larger class."""
        return {of.name: getattr(self, of.name) for of in fields(self.task_class())}

    @classmethod
    def task_class(cls) -> type[TableTask]:
        """Returns the class here that this one is, or extends."""
        return next(base for base in cls.__mro__ if base in (SearchTask, TableTask))

    def out_of_range(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values."""
        if self.unknown not in (None, *UNKNOWN):
            yield unknown_name("treatment of unknown cells:", str(self.unknown), UNKNOWN, "change --unknown")
        if self.cell_space not in CELL_SPACES:
            yield ConfigError(f"--space is {self.cell_space}; allowed: 1, 2, 3", "metaopt benchmark list shows more")
        yield from beyond_limits(self)


@dataclass(frozen=True, kw_only=True)
class SearchTask(TableTask):
    """All that a search depends on besides its optimizer, hyperparameters, epochs and seed; see :class:`TableTask`."""

    channels: int | None = setting(
        None, "channels of the supernet's first stage; the benchmark's", lowest=1, highest=4096
    )
    cells: int | None = setting(None, "cells of the supernet; the benchmark's", lowest=1, highest=1000)
    batch_norm: str = setting("recalibrated", f"statistics to evaluate with: {', '.join(BATCH_NORMS)}")
    images: str | None = setting(None, "file or folder with the images; a folder of METAOPT_HOME")
    pixels: int | None = setting(None, "average images to so many pixels a side; as they are", lowest=1, highest=10_000)
    subset: int | None = setting(None, "training images to search with, of every class its share; all", lowest=4)
    device: str = setting("auto", "device of the searches: auto, cpu, cuda or cuda:N")

    def out_of_range(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values."""
        if self.batch_norm not in BATCH_NORMS:
            yield unknown_name("batch_norm", self.batch_norm, BATCH_NORMS, "change --batch-norm")
        yield from super().out_of_range()
