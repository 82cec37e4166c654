"""What a one-shot search works on: a benchmark, at which scale, with which images, and what scores its cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from metaopt.errors import ConfigError, MetaoptError, unknown_name
from metaopt.setting import setting, too_low

CELL_SPACES = (1, 2, 3)
#: See :class:`metaopt.oneshot.supernet.SupernetScale`; named here so that help costs no import of torch.
BATCH_NORMS = ("recalibrated", "running", "published")
#: See :mod:`metaopt.tables.answers`.
UNKNOWN = ("surrogate", "restrict", "refuse")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTask:
    """All that a search depends on besides its optimizer, hyperparameters, epochs and seed.

    None stands for what the benchmark's card says. Commands that search have a flag for every field, whose help is its
    documentation.
    """

    benchmark: str = setting("digits", "image data, cell space and table to search on")
    cell_space: int = setting(1, "cell space of the benchmark: 1, 2 or 3", "--space")
    unknown: str | None = setting(
        None, f"what becomes of a cell that the table lacks: {', '.join(UNKNOWN)}; as the benchmark says"
    )
    channels: int | None = setting(None, "channels of the supernet's first stage; the benchmark's", lowest=1)
    cells: int | None = setting(None, "cells of the supernet; the benchmark's", lowest=1)
    batch_norm: str = setting("recalibrated", f"statistics to evaluate with: {', '.join(BATCH_NORMS)}")
    images: str | None = setting(None, "file or folder with the images; a folder of METAOPT_HOME")
    pixels: int | None = setting(None, "average images to so many pixels a side; as they are", lowest=1)
    subset: int | None = setting(None, "training images to search with, of every class its share; all", lowest=4)
    device: str = setting("auto", "device of the searches: auto, cpu, cuda or cuda:N")

    @property
    def task(self) -> dict[str, Any]:
        """The fields of this class alone, as plain JSON values."""
        return {entry.name: getattr(self, entry.name) for entry in fields(SearchTask)}

    def out_of_range(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values."""
        if self.batch_norm not in BATCH_NORMS:
            yield unknown_name("batch_norm", self.batch_norm, BATCH_NORMS, "change --batch-norm")
        if self.unknown not in (None, *UNKNOWN):
            yield unknown_name("treatment of unknown cells:", str(self.unknown), UNKNOWN, "change --unknown")
        if self.cell_space not in CELL_SPACES:
            yield ConfigError(f"--space is {self.cell_space}; allowed: 1, 2, 3", "metaopt benchmark list shows more")
        yield from too_low(self)
