"""What tuners are worth over all one-shot optimizers of a study: by searches with fresh seeds, not by those they chose.

The incumbent's own trial is the luckiest of many, so tuners are compared by the confirming searches of what they found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import gmean

from metaopt.core.arrays import Floats
from metaopt.report.data.groups import Group, problem, settings_of
from metaopt.report.data.load import RunData
from metaopt.report.sections.tuned import confirmed_means
from metaopt.report.stats.curves import without_noise
from metaopt.report.stats.pairwise import ALPHA, holm, signed_rank, smallest_signed_rank
from metaopt.report.stats.ranks import FEWEST_BLOCKS, Ranking, ranking

_OF_BLOCK = ("benchmark", "cell_space", "optimizer")  # settings that place a run, and are no part of its tuner


class Block(NamedTuple):
    """Where runs of several tuners can be compared."""

    problem: str
    optimizer: str
    seed: int


class Means(NamedTuple):
    """Mean test regret of confirming searches; infinite if none of a side's searches finished."""

    default: float
    tuned: float


@dataclass(frozen=True)
class TunerRuns:
    """A tuner's runs.

    Attributes:
        label: The tuner, and the settings that tell it from others of its name.
        settings: Of its runs, without those that place them and those that results do not depend on.
        runs: How many it has, confirmed or not.
        finished: How many of them have a finished confirming search on both sides.
        means: Of every block with a confirmed run; several of a block, which differ in their resources, are averaged.
    """

    label: str
    settings: Mapping[str, Any]
    runs: int
    finished: int
    means: Mapping[Block, Means]

    @property
    def default(self) -> Floats:
        """Of the default, (n,) in the order of the blocks."""
        return np.array([pair.default for pair in self.means.values()])

    @property
    def tuned(self) -> Floats:
        """Of what tuning found, likewise; the default's where that stayed the best."""
        return np.array([pair.tuned for pair in self.means.values()])

    @property
    def mean(self) -> Means:
        """Over the blocks where both are finite; NaN without one."""
        return _mean(self.means.values())

    @property
    def places(self) -> list[Means]:
        """The same of each optimizer on each problem by itself, of those with such a block."""
        of: dict[tuple[str, str], list[Means]] = {}
        for block, pair in self.means.items():
            of.setdefault((block.problem, block.optimizer), []).append(pair)
        return [mean for some in of.values() if not math.isnan((mean := _mean(some)).tuned)]

    @property
    def lower(self) -> int:
        """Blocks where tuned is lower than the default."""
        return int(np.sum(self.tuned < self.default))

    @property
    def equal(self) -> int:
        """Blocks where it is the same."""
        return int(np.sum(self.tuned == self.default))

    @property
    def lower_places(self) -> int:
        """Places where the mean is lower."""
        return sum(pair.tuned < pair.default for pair in self.places)

    @property
    def ratio(self) -> float | None:
        """Geometric mean over the places of the default's mean over the tuned one's; None if one is not positive.

        Fleming and Wallace (1986), "How Not To Lie With Statistics": of ratios only the geometric mean makes sense.
        """
        places = self.places
        if not places or min(min(pair) for pair in places) <= 0:
            return None
        return float(gmean([pair.default / pair.tuned for pair in places]))

    @property
    def p_value(self) -> float | None:
        """That tuning changes nothing anywhere, by the signed-rank test over the blocks; None if these are too few."""
        if smallest_signed_rank(len(self.means)) >= ALPHA:
            return None
        return signed_rank(self.tuned, self.default)[0]


def _mean(pairs: Iterable[Means]) -> Means:
    finite = [pair for pair in pairs if max(pair) < math.inf]
    return Means(*np.mean(finite, axis=0).tolist()) if finite else Means(math.nan, math.nan)


def tuner_runs(groups: Sequence[Group]) -> list[TunerRuns]:
    """Returns the tuners of runs of one-shot optimizers, in the order in which each first comes."""
    members: dict[str, list[RunData]] = {}
    for run, apart in ((run, group.apart) for group in groups for run in group.runs):
        members.setdefault(json.dumps(_settings(run) | dict(apart), sort_keys=True), []).append(run)
    of = [json.loads(key) for key in members]
    return _equalled([_tuner(_label(own, of), own, runs) for own, runs in zip(of, members.values(), strict=True)])


def _settings(run: RunData) -> dict[str, Any]:
    found = {name: value for name, value in settings_of(run).items() if name not in _OF_BLOCK}
    if found.get("hyperparameters") == run.settings["optimizer"]:
        del found["hyperparameters"]  # an optimizer's own space: as many names as there are optimizers
    return found


def _label(own: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> str:
    differing = unlike([other for other in every if other.get("tuner") == own.get("tuner")])
    return ", ".join([str(own.get("tuner")), *(f"{name} {json.dumps(own[name])}" for name in differing if name in own)])


def unlike(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the names of settings that are not the same in all, ascending."""
    names = sorted({name for some in settings for name in some})
    return [name for name in names if any(some.get(name) != settings[0].get(name) for some in settings)]


def _tuner(label: str, settings: Mapping[str, Any], runs: Sequence[RunData]) -> TunerRuns:
    found: dict[Block, list[Means]] = {}
    finished = 0
    for run in runs:
        means = Means(*(math.inf if math.isnan(mean) else mean for mean in confirmed_means(run)))
        finished += max(means) < math.inf
        if min(means) < math.inf:
            block = Block(problem(run), str(run.settings["optimizer"]), int(run.settings.get("seed") or 0))
            found.setdefault(block, []).append(means)
    means_of = {block: Means(*np.mean(some, axis=0).tolist()) for block, some in found.items()}
    return TunerRuns(label, settings, len(runs), finished, means_of)


def _equalled(tuners: Sequence[TunerRuns]) -> list[TunerRuns]:
    """Returns tuners whose equal means are equal, each with each."""
    means = np.array([pair for one in tuners for pair in one.means.values()], dtype=float)
    equal = iter(without_noise(means.ravel()).reshape(-1, 2).tolist())
    return [replace(one, means={block: Means(*next(equal)) for block in one.means}) for one in tuners]


def corrected(tuners: Sequence[TunerRuns]) -> dict[str, float]:
    """Returns the p of each tuner against the default, corrected by Holm over those that could be tested."""
    p_values = {one.label: p_value for one in tuners if (p_value := one.p_value) is not None}
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def shared_blocks(tuners: Sequence[TunerRuns]) -> list[Block]:
    """Returns the blocks that all tuners have, ascending."""
    return sorted(set.intersection(*(set(one.means) for one in tuners))) if tuners else []


def tuner_ranking(tuners: Sequence[TunerRuns]) -> Ranking | None:
    """Returns the tuners by their average rank over the blocks that all have; None for one, or for too few blocks."""
    blocks = shared_blocks(tuners)
    if len(tuners) < 2 or len(blocks) < FEWEST_BLOCKS:
        return None
    values = np.array([[one.means[block].tuned for one in tuners] for block in blocks])
    return ranking([one.label for one in tuners], values)
