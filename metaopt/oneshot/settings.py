"""Hyperparameters of a search: frozen dataclasses whose fields carry the range that makes sense."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from metaopt.cells.space import CellSpace
from metaopt.core.errors import ConfigError, unknown_name
from metaopt.settings.field import check, field

_HINT = "change the space or the configuration"


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Hyperparameters that every search has; defaults as 1Shot1 (released code ``train_search``).

    Attributes:
        batch_size: Images per step, of each half.
        learning_rate: Of the weights at the first epoch; goes to 0.001 on a cosine, or stays where it is lower.
        momentum: Of the weights' SGD.
        weight_decay: L2 penalty on the weights.
        grad_clip: Largest norm of the weights' gradient.
        cutout: Whether cutout is used at all.
        cutout_prob: Probability of an image to be cut in the last epoch; rises from 0 linearly over the epochs.
        cutout_length: Side of the square in pixels; None: half the side of the image, as 16 of CIFAR-10's 32.
        drop_path_prob: Probability of a choice block to be dropped for an image in the last epoch; rises from 0
            linearly over the epochs (Zela et al. 2020, section 4.1: 0, 0.2, 0.4 or 0.6).
        cell_every: Epochs between two picks of a cell; 0: only after the last epoch, which always has one.
    """

    batch_size: int = field(96, ge=2)
    learning_rate: float = field(0.025, gt=0)
    momentum: float = field(0.9, ge=0, le=1)
    weight_decay: float = field(3e-4, ge=0)
    grad_clip: float = field(5.0, gt=0)
    cutout: bool = True
    cutout_prob: float = field(0.0, ge=0, le=1)
    cutout_length: int | None = field(None, ge=1)
    drop_path_prob: float = field(0.0, ge=0, le=0.95)
    cell_every: int = field(1, ge=0)

    #: Settings that earlier versions did not have: with a default value they leave checkpoints of such versions usable.
    added: ClassVar[frozenset[str]] = frozenset()

    def identity(self) -> dict[str, Any]:
        """Returns the values that tell a search from another, by name."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default or field.name not in self.added
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
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

    def dearest_epochs(self, cell_space: CellSpace, epochs: int) -> int:
        """Returns how many epochs a search of so many trains at the most, however it goes."""
        return epochs

    def check(self) -> None:
        """Checks the values.

        Raises:
            ConfigError: if one is outside of what makes sense; names it, what was given and what is allowed.
        """
        for problem in check(self):
            raise ConfigError(problem.message, _HINT)
