"""The contract of a surrogate: cells and their errors in, errors of any cells out, and files that hold no code.

Every model learns z = log(error + :data:`OFFSET`). Errors of cells are skewed: most lie close to the best, some many
times higher, and it is among the best that a search decides. On the logarithm a model is paid for relative differences.

Notation: N cells, T targets (validation error, test error).
"""

from __future__ import annotations

import importlib
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.core.errors import ConfigError, TableError, with_extra
from metaopt.core.paths import write_atomically
from metaopt.surrogates.encoding import Cells

#: Keeps the logarithm finite where no image was wrong; half of the step of 500 validation images (digits), 10 of 9,984.
OFFSET = 1e-3
_DESCRIPTION = "surrogate.json"


@dataclass(frozen=True)
class Data:
    """Cells with their errors.

    Attributes:
        cells: N of them.
        errors: (N, T) in [0, 1].
    """

    cells: Cells
    errors: Floats

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.errors):
            raise ValueError(f"{len(self.cells)} cells with {len(self.errors)} rows of errors")

    @property
    def digest(self) -> str:
        """Changes with the cells, their order and their errors."""
        content = "".join(graph.key for graph in self.cells.graphs).encode() + self.errors.tobytes()
        return f"{zlib.crc32(content):08x}"

    def select(self, rows: NDArray[np.int64]) -> Data:
        """Returns some rows in their order."""
        return Data(self.cells.select(rows), self.errors[rows])


def fit_digest(data: Data, stop: Data, epochs: int) -> str:
    """Returns what tells one fit from another, beside hyperparameters and seed."""
    return f"{data.digest}-{stop.digest}-{epochs}"


def transform(errors: Floats) -> Floats:
    """Returns what the models learn of errors in [0, 1]."""
    return np.log(errors + OFFSET)


def restore(values: Floats) -> Floats:
    """Returns the errors, in [0, 1], of what the models predict."""
    return np.clip(np.exp(values) - OFFSET, 0.0, 1.0)


@dataclass(frozen=True)
class _Description:
    name: str
    config: Mapping[str, Any]
    seed: int
    targets: int
    fitted_to: str
    files: Mapping[str, str]


class Surrogate(ABC):
    """A model of the errors of cells.

    Args:
        config: Hyperparameters, all that the model's space has.
        seed: Of everything random in it.
        threads: Cores that it may use; the result does not depend on it.

    Attributes:
        fitted_to: Digest of what it was fitted to; empty before.
        name: In the registry, and of its space ``surrogate_NAME``.
        package: What it needs beside metaopt's own requirements.
        epochs: Largest training: rounds of boosting, trees, or passes over the cells.
        min_epochs: Smallest one that says something of a configuration, for tuning it.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    epochs: ClassVar[int]
    min_epochs: ClassVar[int]

    def __init__(self, config: Mapping[str, Any], *, seed: int, threads: int = 1) -> None:
        self.config, self.seed, self.threads = dict(config), seed, threads
        self._targets = 0
        self.fitted_to = ""

    def fit(self, data: Data, stop: Data, *, epochs: int | None = None) -> None:
        """Learns from some cells.

        Args:
            data: What to learn from.
            stop: Other cells; the training ends, or goes back to, where these are predicted best.
            epochs: Largest training; None: :attr:`epochs`.
        """
        epochs = epochs or self.epochs
        self._targets, self.fitted_to = data.errors.shape[1], fit_digest(data, stop, epochs)
        self._fit((data.cells, transform(data.errors)), (stop.cells, transform(stop.errors)), epochs)

    def predict(self, cells: Cells) -> Floats:
        """Returns the errors of any cells, (N, T) in [0, 1]."""
        if not self._targets:
            raise ValueError(f"the surrogate {self.name} has not been fitted")
        return restore(self._predict(cells))

    @classmethod
    def check_installed(cls) -> None:
        """Raises a ConfigError that says how to install :attr:`package` if that cannot be imported."""
        extra(cls.package)

    def save(self, folder: Path) -> None:
        """Writes the fitted model into a folder of its own, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._save(folder)
        description = _Description(self.name, self.config, self.seed, self._targets, self.fitted_to, _sums(folder))
        write_atomically(folder / _DESCRIPTION, json.dumps(asdict(description), indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """Returns the model that :meth:`save` wrote.

        Raises:
            TableError: if the folder does not hold one of this kind, or if it is damaged.
        """
        try:
            description = _Description(**json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(folder, error) from None
        if description.name != cls.name:
            raise TableError(
                f"{folder} holds a surrogate {description.name!r}, not {cls.name!r}", "load it by its own name"
            )
        surrogate = cls(description.config, seed=description.seed, threads=threads)
        surrogate._targets, surrogate.fitted_to = description.targets, description.fitted_to
        # LightGBM and XGBoost end the process on some files that are damaged, so these are told beforehand.
        if (found := _sums(folder)) != description.files:
            changed = sorted({name for name, _ in found.items() ^ description.files.items()})
            raise _unreadable(folder, ValueError(f"{', '.join(changed)} is not as it was written"))
        try:
            surrogate._load(folder)
        except Exception as error:  # each package has errors of its own
            raise _unreadable(folder, error) from None
        return surrogate

    @abstractmethod
    def _fit(self, data: tuple[Cells, Floats], stop: tuple[Cells, Floats], epochs: int) -> None:
        """Learns transformed values, (N, T)."""

    @abstractmethod
    def _predict(self, cells: Cells) -> Floats:
        """Returns transformed values, (N, T)."""

    @abstractmethod
    def _save(self, folder: Path) -> None:
        """Writes the parts that training made, none of them a pickle."""

    @abstractmethod
    def _load(self, folder: Path) -> None:
        """Reads what :meth:`_save` wrote."""


def _sums(folder: Path) -> dict[str, str]:
    """Returns a checksum of every file in a model's folder but its description, which holds them."""
    files = (path for path in sorted(folder.iterdir()) if path.name != _DESCRIPTION and path.is_file())
    return {path.name: f"{zlib.crc32(path.read_bytes()):08x}" for path in files}


def _unreadable(folder: Path, error: Exception) -> TableError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return TableError(f"the surrogate in {folder} cannot be read: {reason}", "fit it again")


def extra(package: str) -> ModuleType:
    """Returns a package that only surrogates need.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(
            f"this surrogate needs the package {package}, which cannot be imported: {error}",
            f"{with_extra('surrogates')}; or leave it out of --models",
        ) from None
