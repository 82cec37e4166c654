"""What tuners are worth over all one-shot optimizers of a study: by searches with fresh seeds, not by those they chose.

The incumbent's own trial is the luckiest of many, so tuners are compared by the confirming searches of what they found.
A block is a run's place: benchmark and cell space, one-shot optimizer, seed. Its default is the same for all tuners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import gmean

from metaopt.report.compare import problem
from metaopt.report.comparison.contestants import DECIMALS, label_without_problem
from metaopt.report.comparison.pairwise import ALPHA, holm, signed_rank, smallest_signed_rank
from metaopt.report.comparison.ranks import FEWEST_BLOCKS, Ranking, ranking
from metaopt.report.curves import Floats
from metaopt.report.load import RunData
from metaopt.report.study_groups import Group
from metaopt.report.study_tuned import confirmed_means


class Block(NamedTuple):
    """Where runs of several tuners can be compared."""

    problem: str
    optimizer: str
    seed: int


@dataclass(frozen=True)
class TunerRuns:
    """A tuner's confirmed runs.

    Attributes:
        label: The tuner, and what else tells its runs from others of the same optimizer.
        means: Mean test regret of the confirming searches of default and tuned, of every run with both.
    """

    label: str
    means: Mapping[Block, tuple[float, float]]

    @property
    def default(self) -> Floats:
        """Of the default, (n,) in the order of the blocks."""
        return np.array([default for default, _ in self.means.values()])

    @property
    def tuned(self) -> Floats:
        """Of what tuning found, likewise; the default's where that stayed the best."""
        return np.array([tuned for _, tuned in self.means.values()])

    @property
    def ratio(self) -> float | None:
        """Geometric mean over the optimizers of the default's mean over the tuned one's; None if one is not positive.

        Fleming and Wallace (1986), "How Not To Lie With Statistics": of ratios only the geometric mean makes sense.
        """
        over = {(block.problem, block.optimizer) for block in self.means}
        sides = [np.mean([pair for block, pair in self.means.items() if block[:2] == one], axis=0) for one in over]
        return float(gmean([default / tuned for default, tuned in sides])) if np.min(sides) > 0 else None

    @property
    def p_value(self) -> float | None:
        """That tuned and default are alike, by the signed-rank test over the blocks; None if these are too few."""
        if smallest_signed_rank(len(self.means)) >= ALPHA:
            return None
        return signed_rank(self.tuned, self.default)[0]


def tuner_runs(groups: Sequence[Group]) -> list[TunerRuns]:
    """Returns the tuners of a study's groups that have a confirmed run, in the order in which each first comes."""
    found: dict[str, dict[Block, tuple[float, float]]] = {}
    for group in groups:
        for run in group.runs:
            if (means := confirmed_means(run)) is not None:
                default, tuned = (round(mean, DECIMALS) for mean in means)
                found.setdefault(_label(group), {})[_block(run)] = (default, tuned)
    return [TunerRuns(label, means) for label, means in found.items()]


def _block(run: RunData) -> Block:
    return Block(problem(run), str(run.settings["optimizer"]), int(run.settings.get("seed") or 0))


def _label(group: Group) -> str:
    """Returns a group's label without problem and optimizer; the tuner's name where these were all there is."""
    settings = group.runs[0].settings
    rest = label_without_problem(group.label, settings).removeprefix(str(settings["optimizer"])).strip("-")
    return rest or str(settings["tuner"])


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
    values = np.array([[one.means[block][1] for one in tuners] for block in blocks])
    return ranking([one.label for one in tuners], values)
