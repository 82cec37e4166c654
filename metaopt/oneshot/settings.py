"""Hyperparameters of a search: frozen dataclasses whose fields carry the range that makes sense."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Self

from metaopt.cells.space import CellSpace
from metaopt.core.errors import ConfigError, unknown_name

_HINT = "change the space or the configuration"
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
}


def bounded(default: Any, low: float, high: float | None = None, *, above: bool = False) -> Any:
    """Returns a field of a number of at least ``low`` (``above``: more than it) and at most ``high``."""
    return field(default=default, metadata={"low": low, "high": high, "above": above})


def one_of(default: str, choices: Iterable[str]) -> Any:
    """Returns a field of one of some words."""
    return field(default=default, metadata={"choices": tuple(choices)})


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

    batch_size: int = bounded(96, 2)
    learning_rate: float = bounded(0.025, 0, above=True)
    momentum: float = bounded(0.9, 0, 1)
    weight_decay: float = bounded(3e-4, 0)
    grad_clip: float = bounded(5.0, 0, above=True)
    cutout: bool = True
    cutout_prob: float = bounded(0.0, 0, 1)
    cutout_length: int | None = bounded(None, 1)
    drop_path_prob: float = bounded(0.0, 0, 0.95)
    cell_every: int = bounded(1, 0)

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

    def dearest_epochs(self, space: CellSpace, epochs: int) -> int:
        """Returns how many epochs a search of so many trains at the most, however it goes."""
        return epochs

    def check(self) -> None:
        """Checks the values.

        Raises:
            ConfigError: if one is outside of what makes sense; names it, what was given and what is allowed.
        """
        for entry in fields(self):
            value, limits = getattr(self, entry.name), entry.metadata
            if value is None and entry.default is None:
                continue
            _check_kind(entry.name, str(entry.type), value)
            if "choices" in limits and value not in limits["choices"]:
                raise unknown_name(entry.name, str(value), limits["choices"], _HINT)
            if "low" in limits and not _inside(value, **limits):
                raise ConfigError(f"{entry.name} must be {_allowed(**limits)}, got {value}", _HINT)


def _check_kind(name: str, annotation: str, value: Any) -> None:
    """Checks a value's type; text that looks like a number or a truth value is neither."""
    kind = annotation.removesuffix(" | None")
    types, text = _KINDS.get(kind, ((object,), ""))
    if type(value) not in types and object not in types:
        raise ConfigError(f"{name} must be {text}, got {value!r}", _HINT)


def _inside(value: Any, low: float, high: float | None, above: bool) -> bool:
    """Returns False for what is not a number, too."""
    enough = value > low if above else value >= low
    return bool(enough and value < float("inf") and (high is None or value <= high))


def _allowed(low: float, high: float | None, above: bool) -> str:
    if high is None:
        return f"more than {low}" if above else f"at least {low}"
    return f"more than {low} and at most {high}" if above else f"in [{low}, {high}]"
