"""What gradient-based optimizers share: parameters of the architecture, moved by Adam along a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.cells.space import Cell, CellSpace
from metaopt.core.errors import ConfigError
from metaopt.oneshot.base import Batch, OneShotOptimizer, SearchParts
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.stopping.curvature import dominant_eigenvalue, hessian
from metaopt.oneshot.stopping.early_stopping import STOP_RULES
from metaopt.oneshot.stopping.monitor import CurvatureMonitor
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.evaluator import unchanged
from metaopt.oneshot.supernet.partial import PartialBlock
from metaopt.oneshot.supernet.supernet import BlockFactory, ChoiceBlock
from metaopt.settings.field import field

_HESSIAN_IMAGES = 64  # batch size of Zela et al. 2020, where one batch is measured on


@dataclass(frozen=True, kw_only=True)
class GradientSettings(SearchSettings):
    """Settings of gradient-based optimizers; defaults of DARTS (Liu et al. 2019, section 3.1 and appendix A.1.1).

    Attributes:
        arch_learning_rate: Of the architecture's Adam.
        arch_weight_decay: L2 penalty on the architecture's parameters.
        warm_start: Share of the epochs, from the first one on, in which the architecture rests.
        eigenvalue_every: Epochs between two measurements of the dominant eigenvalue, which cost as much as 25 steps
            each in cell space 1 and 35 in 3; 0: none but those that early stopping needs.
        early_stopping: Which rule ends the search when the eigenvalue grows; see
            :mod:`metaopt.oneshot.stopping.early_stopping`.
        adaptive: Whether the search then goes on from the earlier epoch with 10 times the ``weight_decay``, up to 0.03,
            instead of ending there (DARTS-ADA, Zela et al. 2020).
        partial_channels: K: one of K channels passes the operations (PC-DARTS, Xu et al. 2020); 1: all do.
    """

    arch_learning_rate: float = field(3e-4, ge=0)
    arch_weight_decay: float = field(1e-3, ge=0)
    warm_start: float = field(0.0, ge=0, le=1)
    eigenvalue_every: int = field(0, ge=0)
    early_stopping: str = field("off", choices=("off", *STOP_RULES))
    adaptive: bool = False
    partial_channels: int = field(1, ge=1)
    added: ClassVar[frozenset[str]] = frozenset({"partial_channels"})
    #: Whether two measurements of the eigenvalue with nothing between them are the same.
    curvature_is_steady: ClassVar[bool] = True

    def monitor(self, measure: Callable[[Batch], float], epochs: int) -> CurvatureMonitor | None:
        """Returns what watches the curvature of a search; None if there is nothing to measure."""
        if self.early_stopping == "off" and not self.eigenvalue_every:
            return None
        return CurvatureMonitor(
            measure,
            epochs=epochs,
            every=self.eigenvalue_every,
            rule=self.early_stopping,
            adaptive=self.adaptive,
            weight_decay=self.weight_decay,
        )

    def dearest_epochs(self, cell_space: CellSpace, epochs: int) -> int:
        """Returns the epochs of a search that goes back as often and as far as it may."""
        monitor = self.monitor(lambda batch: math.nan, epochs)
        return super().dearest_epochs(cell_space, epochs) + (monitor.most_again if monitor else 0)

    def check(self) -> None:
        """Checks the values, that a rule goes by no draw, and that what is adaptive has what it needs.

        Raises:
            ConfigError: if not.
        """
        super().check()
        if self.early_stopping != "off" and not self.curvature_is_steady:
            raise ConfigError(
                f"early_stopping is {self.early_stopping}, but an optimizer that samples has the eigenvalue of one "
                "sample, whose luck is larger than what a rule looks for",
                "leave early_stopping out, or use darts, darts2 or pcdarts",
            )
        if self.adaptive and (self.early_stopping == "off" or self.weight_decay == 0):
            raise ConfigError(
                "adaptive needs an early_stopping rule and a weight_decay above 0, got early_stopping "
                f"{self.early_stopping} and weight_decay {self.weight_decay:g}",
                f"set early_stopping to {' or '.join(STOP_RULES)} and weight_decay to 3e-4, or leave adaptive out",
            )


class Architecture(Protocol):
    """Unconstrained parameters that stand for a cell."""

    @property
    def tensors(self) -> list[Tensor]:
        """All of them."""

    def cells(self) -> Iterator[Cell]:
        """Yields all cells, the strongest first."""

    def to_json(self) -> dict[str, Any]:
        """Returns them as plain values."""


class GradientOptimizer(OneShotOptimizer):
    """Moves :attr:`arch` by Adam; a subclass says how to mix."""

    Settings = GradientSettings
    settings: GradientSettings
    betas: ClassVar[tuple[float, float]] = (0.5, 0.999)  # Liu et al. 2019, appendix A.1.1

    def __init__(self, parts: SearchParts, settings: GradientSettings) -> None:
        super().__init__(parts, settings)
        self.arch: Architecture = self.draw_architecture()
        self.arch_optim = torch.optim.Adam(
            self.arch.tensors,
            lr=settings.arch_learning_rate,
            betas=self.betas,
            weight_decay=settings.arch_weight_decay,
        )

    @classmethod
    def block(cls, settings: SearchSettings) -> BlockFactory:
        """Returns ordinary blocks, or blocks of which only a part of the channels passes the operations."""
        channels = getattr(settings, "partial_channels", 1)
        return ChoiceBlock if channels == 1 else partial(PartialBlock, partial_channels=channels)

    @property
    def device(self) -> torch.device:
        """Where the search runs."""
        return self.parts.supernet.head.weight.device

    def draw_architecture(self) -> Architecture:
        """Returns the parameters that the search starts from."""
        return ArchParameters.draw(self.parts.cell_space, self.parts.generator, self.device)

    def valid_loss(self, valid: Batch) -> Tensor:
        """Returns the loss that the architecture is to lower: cross-entropy under :meth:`mix`."""
        images, labels = valid
        return F.cross_entropy(self.parts.supernet(images, self.mix()), labels)

    def arch_gradients(self, train: Batch, valid: Batch) -> Sequence[Tensor]:
        """Returns the gradient of the validation loss, one tensor per tensor of :attr:`arch`."""
        return torch.autograd.grad(self.valid_loss(valid), self.arch.tensors)

    def arch_step(self, train: Batch, valid: Batch) -> None:
        """One step of Adam, unless the architecture still rests."""
        if self.elapsed < self.settings.warm_start or self.settings.warm_start == 1:
            return  # with 1 it also rests while a selection trains on
        for parameter, gradient in zip(self.arch.tensors, self.arch_gradients(train, valid), strict=True):
            parameter.grad = gradient
        self.arch_optim.step()

    def eigenvalue(self, valid: Batch) -> float:
        """Returns the dominant eigenvalue of the validation loss over the architecture; leaves all as it was.

        Optimizers that sample are measured under the sample that they would draw next. Drop path rests.

        Args:
            valid: A batch of the architecture's half; its first 64 images are used.
        """
        images, labels = valid
        drawn = self.parts.generator.get_state()
        with unchanged(self.parts.supernet):
            self.parts.supernet.train()
            loss = self.valid_loss((images[:_HESSIAN_IMAGES], labels[:_HESSIAN_IMAGES]))
            found = dominant_eigenvalue(hessian(loss, self.arch.tensors))
        self.parts.generator.set_state(drawn)
        return found

    def monitor(self, epochs: int) -> CurvatureMonitor | None:
        """Returns a monitor if there is anything to measure."""
        return self.settings.monitor(self.eigenvalue, epochs)

    def cells(self) -> Iterator[Cell]:
        """Yields the cell of the largest parameters (1Shot1, section 3), then those that come after it."""
        return self.arch.cells()

    def arch_to_json(self) -> dict[str, Any]:
        """Returns the parameters as plain values."""
        return self.arch.to_json()

    def state(self) -> dict[str, Any]:
        """Returns parameters, Adam's moments and the state of the generator."""
        return {
            "arch": [tensor.detach().clone() for tensor in self.arch.tensors],
            "arch_optim": deepcopy(self.arch_optim.state_dict()),
            "generator": self.parts.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to them."""
        with torch.no_grad():
            for tensor, kept in zip(self.arch.tensors, state["arch"], strict=True):
                tensor.copy_(kept)
        self.arch_optim.load_state_dict(deepcopy(state["arch_optim"]))
        self.parts.generator.set_state(state["generator"])
