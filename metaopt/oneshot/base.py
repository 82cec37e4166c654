"""The contract of a one-shot optimizer: how it mixes, how it moves the architecture, which cell it picks.

What all of them share, the loop, the data and the supernet, is in :mod:`metaopt.oneshot.train` and beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from metaopt.cells.space import Cell, CellSpace
from metaopt.core.errors import TableError
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.stopping.monitor import CurvatureMonitor
from metaopt.oneshot.supernet.evaluator import SupernetEvaluator
from metaopt.oneshot.supernet.mix import Mixes
from metaopt.oneshot.supernet.supernet import BlockFactory, ChoiceBlock, Supernet

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class SearchParts:
    """What a search gives its optimizer to work with.

    Attributes:
        cell_space: The cell space that is searched.
        supernet: Its one-shot model; the loop trains its weights.
        weight_optim: Which moves the weights.
        evaluation: How good the one-shot model is on images that the weights are not trained on.
        generator: The source of everything random in the optimizer, on the CPU.
        known: Which cells may be picked; None: every one. The weights learn under all of them in any case.
    """

    cell_space: CellSpace
    supernet: Supernet
    weight_optim: torch.optim.SGD
    evaluation: SupernetEvaluator
    generator: torch.Generator
    known: Callable[[Cell], bool] | None = None


class OneShotOptimizer(ABC):
    """Decides what the supernet runs under, and which cell comes out; its settings are a dataclass of its own.

    Args:
        parts: Of the search.
        settings: Of type :attr:`Settings`.

    Attributes:
        elapsed: Share of the search's epochs that are done, in [0, 1]; the loop sets it before an epoch's training and
            again after it. What follows a schedule depends on it.
        validation_passes: Passes over the architecture's half for the selection of the final cell.
        skipped: Better-ranked cells that the last pick skipped, since they may not be picked.
    """

    Settings: ClassVar[type[SearchSettings]] = SearchSettings
    #: Whether the weights learn under nodes that average their parents, as a softmax does, or sum them.
    averages: ClassVar[bool] = False

    def __init__(self, parts: SearchParts, settings: SearchSettings) -> None:
        self.parts, self.settings = parts, settings
        self.elapsed = 0.0
        self.validation_passes = 0
        self.skipped = 0

    @classmethod
    def block(cls, settings: SearchSettings) -> BlockFactory:
        """Returns what the choice blocks of the supernet are made of."""
        return ChoiceBlock

    @abstractmethod
    def mix(self) -> Mixes:
        """Returns what the optimizer stands for now; optimizers that sample draw it."""

    def weight_mix(self) -> Mixes:
        """Returns what a step of the weights runs under."""
        return self.mix()

    def eval_mix(self) -> Mixes:
        """Returns what the one-shot error is measured under."""
        return self.mix()

    def arch_step(self, train: Batch, valid: Batch) -> None:  # noqa: B027  (optimizers that only sample have none)
        """Moves the architecture, before the weights move on the same training batch.

        Args:
            train: The batch of the weights' half.
            valid: A batch of the architecture's half.
        """

    def end_epoch(self) -> None:  # noqa: B027  (most optimizers move batch by batch)
        """Moves the architecture after the last batch of an epoch."""

    def monitor(self, epochs: int) -> CurvatureMonitor | None:
        """Returns what watches the curvature of a search of so many epochs; None if nothing does."""
        return None

    def select(self) -> Iterator[int]:
        """Decides the final cell after the last epoch, if that takes more than :meth:`cell`.

        Yields:
            Further epochs to train with a tenth of the learning rate before the next decision.
        """
        return iter(())

    @abstractmethod
    def cells(self) -> Iterator[Cell]:
        """Yields the cell that the optimizer would pick now, then what it would pick instead, and so on."""

    def cell(self) -> Cell:
        """Returns the first of :meth:`cells` that may be picked; :attr:`skipped` says how many come before it.

        Raises:
            TableError: if none of them may.
        """
        for place, cell in enumerate(self.cells()):
            self.skipped = place
            if self.parts.known is None or self.parts.known(cell):
                return cell
        raise TableError("the search found no cell that the table holds", "change {--unknown}, or draw more candidates")

    @abstractmethod
    def arch_to_json(self) -> dict[str, Any]:
        """Returns the state of the architecture as plain values, for the record of the search."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Returns a copy of all that training changes, for :meth:`load_state`; a selection at the end is not undone.

        Nested mappings and lists of tensors and plain values only, as it is kept in a checkpoint, too.
        """

    @abstractmethod
    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to what :meth:`state` returned."""
