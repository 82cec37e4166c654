"""The contract of a one-shot optimizer: how it mixes, how it moves the architecture, which cell it picks.

What all of them share, the loop, the data and the supernet, is in :mod:`metaopt.oneshot.train` and beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from metaopt.cells.space import Cell, CellSpace
from metaopt.errors import ConfigError, unknown_name
from metaopt.oneshot.supernet import Mix, Supernet

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Hyperparameters that every search has; defaults as 1Shot1 (released code ``train_search``).

    Attributes:
        batch_size: Images per step, of each half.
        learning_rate: Of the weights at the first epoch; goes to 0.001 on a cosine.
        momentum: Of the weights' SGD.
        weight_decay: L2 penalty on the weights.
        grad_clip: Largest norm of the weights' gradient.
        cutout: Whether cutout is used at all.
        cutout_prob: Probability of an image to be cut in the last epoch; rises from 0 linearly over the epochs.
        cutout_length: Side of the square in pixels; None: half the side of the image, as 16 of CIFAR-10's 32.
    """

    batch_size: int = 96
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    grad_clip: float = 5.0
    cutout: bool = True
    cutout_prob: float = 0.0
    cutout_length: int | None = None

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SearchSettings:
        """Returns the settings that a configuration stands for; what it leaves out keeps its default.

        Raises:
            ConfigError: if a hyperparameter is not one of these settings, or has a value that no search can take.
        """
        names = {field.name for field in fields(cls)}
        for name in config:
            if name not in names:
                raise unknown_name("hyperparameter", name, names, "a space may only hold settings of its optimizer")
        settings = cls(**config)
        settings.check()
        return settings

    def check(self) -> None:
        """Checks the values.

        Raises:
            ConfigError: if one is outside of what makes sense; names it, what was given and what is allowed.
        """
        bounds = {
            "batch_size": (2, None),
            "learning_rate": (0, None),
            "momentum": (0, 1),
            "weight_decay": (0, None),
            "grad_clip": (0, None),
            "cutout_prob": (0, 1),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value or (high is not None and value > high):
                allowed = f"at least {low}" if high is None else f"in [{low}, {high}]"
                raise ConfigError(f"{name} must be {allowed}, got {value}", "change the space or the configuration")


class OneShotOptimizer(ABC):
    """Trains the architecture of a supernet; its settings are a dataclass of its own.

    Args:
        space: The cell space that is searched.
        supernet: Its one-shot model; the loop trains its weights.
        settings: Of type :attr:`Settings`.
        generator: The source of everything random in the optimizer, on the CPU.
    """

    Settings: ClassVar[type[SearchSettings]] = SearchSettings

    def __init__(
        self, space: CellSpace, supernet: Supernet, settings: SearchSettings, generator: torch.Generator
    ) -> None:
        self.space, self.supernet, self.settings, self.generator = space, supernet, settings, generator

    @abstractmethod
    def mix(self) -> Mix:
        """Returns the weights of a forward pass; drawn anew at every call by optimizers that sample."""

    @abstractmethod
    def arch_step(self, train: Batch, valid: Batch) -> None:
        """Moves the architecture, before the weights move on the same training batch.

        Args:
            train: The batch of the weights' half.
            valid: A batch of the architecture's half.
        """

    @abstractmethod
    def cell(self) -> Cell:
        """Returns the cell that the optimizer would pick now."""

    @abstractmethod
    def arch_to_json(self) -> dict[str, Any]:
        """Returns the state of the architecture as plain values, for the record of the search."""
