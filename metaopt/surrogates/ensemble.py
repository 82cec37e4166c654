"""Ensembles: members of one model that differ in seed and fold; their mean answers, their spread is the noise.

NAS-Bench-301 (Zela et al. 2022, section 4.3 and released code): member k has seed k and holds fold k of 10 out, for
early stopping; the population standard deviation over the members is the noise model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.core.errors import TableError
from metaopt.core.registry import resolve
from metaopt.core.seeds import seed_integer, stream
from metaopt.surrogates import SURROGATES
from metaopt.surrogates.base import Data, Surrogate, fit_digest
from metaopt.surrogates.encoding import Cells

#: Folds of the training cells (NAS-Bench-301); more where there are more members.
FOLDS = 10


@dataclass(frozen=True)
class Spread:
    """What an ensemble says of N cells; T targets.

    Attributes:
        mean: (N, T) errors.
        std: (N, T) population standard deviation over the members.
    """

    mean: Floats
    std: Floats


@dataclass(frozen=True)
class Ensemble:
    """Fitted members, of one model or of several.

    Attributes:
        members: At least one.
        stops: For every member, the rows of the training cells that it did not learn from.
    """

    members: Sequence[Surrogate]
    stops: Sequence[NDArray[np.int64]]

    def predict_each(self, cells: Cells) -> Floats:
        """Returns the errors that every member predicts, (M, N, T)."""
        return np.stack([member.predict(cells) for member in self.members])


def fold_of(n: int, folds: int, seed: int) -> NDArray[np.int64]:
    """Returns the fold, from 0, of each of ``n`` cells; sizes differ by one at most."""
    order = stream(seed, "surrogate folds").permutation(n)
    found: NDArray[np.int64] = np.empty(n, dtype=np.int64)
    found[order] = np.arange(n) % folds
    return found


@dataclass(frozen=True)
class Fitting:
    """How ensembles are fitted.

    Attributes:
        members: Per model.
        seed: Of everything random.
        folds: At least 2 and ``members``.
        threads: Cores to use; the result does not depend on it.
        fitted: Called after every member.
    """

    members: int
    seed: int
    folds: int = FOLDS
    threads: int = 1
    fitted: Callable[[], None] = lambda: None


def fit_ensemble(name: str, config: Mapping[str, Any], data: Data, how: Fitting, folder: Path) -> Ensemble:
    """Fits the members of one model; those that the folder has already are read.

    Args:
        name: Of the model.
        config: Its hyperparameters.
        data: The training cells; a member learns from all but one fold of them, which ends its training.
        how: Number of members and so on.
        folder: Where every member has a folder of its own, ``MODEL-NUMBER``.

    Raises:
        ConfigError: if there is no such model, or if its package is not installed.
    """
    kind: type[Surrogate] = resolve("surrogate", SURROGATES, name)
    fold, found, stops = fold_of(len(data.cells), how.folds, how.seed), [], []
    for number in range(how.members):
        rows = np.flatnonzero(fold == number)
        member = kind(config, seed=seed_integer(how.seed, number, "surrogate member"), threads=how.threads)
        found.append(
            _fit(member, data.select(np.flatnonzero(fold != number)), data.select(rows), folder / f"{name}-{number}")
        )
        stops.append(rows)
        how.fitted()
    return Ensemble(found, stops)


def _fit(member: Surrogate, data: Data, stop: Data, folder: Path) -> Surrogate:
    try:
        kept = type(member).load(folder, threads=member.threads)
    except TableError:
        kept = None
    if kept is not None and (kept.config, kept.seed, kept.fitted_to) == (
        member.config,
        member.seed,
        fit_digest(data, stop, member.epochs),
    ):
        return kept
    member.fit(data, stop)
    member.save(folder)
    return member


def load_ensemble(folder: Path, *, threads: int = 1) -> list[Surrogate]:
    """Returns the members of all models that :func:`fit_ensemble` kept in a folder, by name and number.

    Raises:
        TableError: if one of them cannot be read.
    """
    found: list[Surrogate] = []
    for name in sorted(SURROGATES):
        kind: type[Surrogate] = resolve("surrogate", SURROGATES, name)
        numbered = sorted(folder.glob(f"{name}-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        found += [kind.load(path, threads=threads) for path in numbered]
    return found


def spread(predictions: Iterable[Floats]) -> Spread:
    """Returns mean and population standard deviation over members; models with as many members weigh the same.

    Args:
        predictions: (M, N, T) of one model each.
    """
    members = np.concatenate(list(predictions))
    return Spread(members.mean(axis=0), members.std(axis=0))


def out_of_fold(ensemble: Ensemble, predictions: Floats) -> Floats:
    """Returns for every training cell the mean over the members that did not learn from it, (N, T).

    NaN where every member did.

    Args:
        ensemble: Whose.
        predictions: (M, N, T) of its training cells.
    """
    total, count = np.zeros(predictions.shape[1:]), np.zeros((predictions.shape[1], 1))
    for rows, member in zip(ensemble.stops, predictions, strict=True):
        total[rows] += member[rows]
        count[rows] += 1
    with np.errstate(invalid="ignore"):
        mean: Floats = total / count
    return mean
