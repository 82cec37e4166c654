"""What optimizers that train sampled cells share: every weight step trains one cell, the best of many drawn is picked.

The pick is that of 1Shot1's released code in two passes. Unlike there, all candidates are scored on the same images,
and none of them is a test image.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from metaopt.cells.space import Cell
from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.oneshot.base import OneShotOptimizer, SearchParts
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.supernet.mix import Path
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class SampledSettings(SearchSettings):
    """Settings of optimizers that sample; defaults of 1Shot1's released code of Random-WS.

    Attributes:
        cell_every: As of every search, but a pick costs so much more than an epoch of training that by default there
            is one only; published is 1.
        candidates: Cells that are drawn for a pick.
        finalists: Candidates that are scored again, on all images of the architecture's half.
        screening_images: Images of the architecture's half that all candidates are scored on; all of them where there
            are fewer.
    """

    batch_size: int = field(64, ge=2)
    grad_clip: float = field(0.25, gt=0)
    cell_every: int = field(0, ge=0)
    candidates: int = field(1000, ge=1)
    finalists: int = field(5, ge=1)
    screening_images: int = field(640, ge=1)

    def check(self) -> None:
        """Checks the values, also against each other."""
        super().check()
        if self.finalists > self.candidates:
            raise ConfigError(
                f"finalists must be at most candidates, which is {self.candidates}, got {self.finalists}",
                "lower finalists or raise candidates",
            )


class SampledOptimizer(OneShotOptimizer):
    """Trains and picks cells that a subclass draws.

    Every epoch has random streams of its own, so that a pick disturbs no training and the state is the epoch's number.
    """

    Settings = SampledSettings
    settings: SampledSettings

    def __init__(self, parts: SearchParts, settings: SampledSettings) -> None:
        super().__init__(parts, settings)
        self._seed = int(torch.randint(2**32, (), generator=parts.generator))
        self._start_epoch(0)

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> list[Cell]:
        """Returns ``count`` cells."""

    def _start_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        self._picked: Cell | None = None
        self._trained = self.stream("trained")

    def stream(self, name: str) -> np.random.Generator:
        """Returns the random stream of the current epoch with this name, from its beginning."""
        return stream(self._seed, name, self._epoch)

    def mix(self) -> Path:
        """Returns the path of the picked cell; where none was picked since the last epoch, of one that is drawn."""
        return Path(self._picked or self.draw(1, self.stream("mix"))[0])

    def weight_mix(self) -> Path:
        """Returns the path of a newly drawn cell."""
        return Path(self.draw(1, self._trained)[0])

    def end_epoch(self) -> None:
        """Turns to the streams of the next epoch."""
        self._start_epoch(self._epoch + 1)

    def cells(self) -> Iterator[Cell]:
        """Yields the best of newly drawn candidates under the current weights, then the other finalists.

        Only candidates that may be picked are looked at: among many, the best ones of all would often not be.
        """
        drawn = dict.fromkeys(self.draw(self.settings.candidates, self.stream("candidates")))
        candidates = drawn if self.parts.known is None else filter(self.parts.known, drawn)
        finalists = self._ranked(candidates, self.settings.screening_images)[: self.settings.finalists]
        return iter(self._ranked(finalists))

    def cell(self) -> Cell:
        """Returns the best of the candidates, of which there is one pick per epoch."""
        if self._picked is None:
            self._picked = super().cell()
        return self._picked

    def _ranked(self, cells: Iterable[Cell], images: int | None = None) -> list[Cell]:
        """Returns the cells by their error on so many images, the first one of equals first."""
        return sorted(cells, key=lambda cell: self.parts.evaluation.error(Path(cell), images))

    def state(self) -> dict[str, Any]:
        """Returns the number of the epoch."""
        return {"epoch": self._epoch}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to it."""
        self._start_epoch(state["epoch"])
