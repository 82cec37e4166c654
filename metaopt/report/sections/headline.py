"""What a reader takes home: default against tuned in one sentence, no stronger than the repeats allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from metaopt.core.wording import counted
from metaopt.report.data.incumbents import best_cell
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.document.numbers import decimals
from metaopt.report.document.section import NONE, Headline, number, times
from metaopt.report.figures.axes import quantity
from metaopt.report.stats.curves import regret
from metaopt.report.stats.ratio import Ratio, regret_ratio
from metaopt.runs.record import SIDES, Side

Split = Literal["valid", "test"]


@dataclass(frozen=True)
class Confirmation:
    """The finished repeats of the default and of the tuned configuration.

    Attributes:
        default: Repeats with an error, of the default.
        tuned: Likewise, of the incumbent.
        failed: Repeats that gave no error or have not finished.
    """

    default: tuple[Evaluation, ...]
    tuned: tuple[Evaluation, ...]
    failed: int


def confirming(run: RunData, side: Side) -> tuple[Evaluation, ...]:
    """Returns all repeats of one side of a run's confirmation, finished or not."""
    return tuple(e for e in run.confirmed if e.trial.key == SIDES[side])


def confirmation(run: RunData) -> Confirmation:
    """Returns the repeats of a run's confirmation; empty sides if there was none."""
    default, tuned = (tuple(e for e in confirming(run, side) if e.ok) for side in SIDES)
    return Confirmation(default, tuned, len(run.confirmed) - len(default) - len(tuned))


def shown(run: RunData, evaluations: Sequence[Evaluation], split: Split) -> list[float]:
    """Returns the regrets of evaluations, or their errors where the optimum is unknown; those that are known."""
    optimum = run.optimum_valid_error if split == "valid" else run.optimum_test_error
    errors = [e.final_valid_error if split == "valid" else e.final_test_error for e in evaluations]
    return [regret(error, optimum) for error in errors if not math.isnan(error)]


def ratio(run: RunData, split: Split, floor: float = 0.0) -> Ratio:
    """Compares the confirmation's sides, ``floor`` taken off every regret; above 1 means that tuning helped."""
    found = confirmation(run)
    default, tuned = ([value - floor for value in shown(run, side, split)] for side in (found.default, found.tuned))
    return regret_ratio(default, tuned)


def headline(run: RunData) -> Headline:
    """Returns the finding of a run, whatever state it is in."""
    best = run.incumbent
    if best is None:
        return _without_result(run)
    if run.looks_up and not run.confirmed:
        return _looked_up(run, best_cell(run.ok) or best)
    if dict(best.trial.config) == dict(run.default):
        return Headline("inconclusive", "1×", "the default stayed the best", _stayed(run, best))
    found = confirmation(run)
    if not found.default or not found.tuned:
        return _unconfirmed(run, best)
    split: Split = "test" if shown(run, found.default, "test") and shown(run, found.tuned, "test") else "valid"
    return _confirmed(run, found, split)


def interval_text(found: Ratio) -> str:
    """Returns the interval in words."""
    if found.low is None or found.high is None:
        return f"no interval: {found.why_no_interval}"
    high = "no upper bound" if math.isinf(found.high) else decimals(found.high, 2)
    return f"95 % interval {decimals(found.low, 2)} to {high}"


def _without_result(run: RunData) -> Headline:
    failed = len(run.told)
    if failed:
        text = f"All {failed} answered trials failed; their reasons are listed below."
        return Headline("worse", NONE, "no trial succeeded", text)
    text = "The run has not answered a trial yet; write the report again later."
    return Headline("open", NONE, "no finished trial yet", text)


def _looked_up(run: RunData, best: Evaluation) -> Headline:
    kind = quantity(run)
    found = regret(best.final_test_error, run.optimum_test_error)
    return Headline(
        "open",
        number(found),
        f"test {kind} of the best cell that was found",
        f"Of {counted(len(run.ok), 'look-up')} the cell of trial {best.trial.id} has the lowest validation error, "
        f"{number(best.valid_error)} after {counted(best.trial.epochs, 'epoch')}; its test error had no part in that.",
        "one seed",
    )


def _stayed(run: RunData, best: Evaluation) -> str:
    return (
        f"Of {counted(len(run.ok), 'evaluation')} none at {counted(best.trial.epochs, 'epoch')} had a lower validation "
        f"error than the default's {best.valid_error:.4f}."
    )


def _unconfirmed(run: RunData, best: Evaluation) -> Headline:
    default = run.default_evaluation
    seen = f"{best.valid_error:.4f} at {counted(best.trial.epochs, 'epoch')}"
    if default is not None:
        seen += f", the default's {default.valid_error:.4f} at {counted(default.trial.epochs, 'epoch')}"
    return Headline(
        "open",
        number(best.valid_error),
        "validation error of the incumbent, not confirmed",
        f"During tuning the incumbent's validation error was {seen}. It is the best of {len(run.ok)} noisy values and "
        f"so flatters itself{': a confirmation searches both again with fresh seeds' if run.has_default else ''}.",
    )


def _confirmed(run: RunData, found: Confirmation, split: Split) -> Headline:
    word = f"{'test' if split == 'test' else 'validation'} {quantity(run)}"
    result = ratio(run, split)
    default, tuned = (fmean(shown(run, side, split)) for side in (found.default, found.tuned))
    begin = {
        "better": f"Tuning helped: mean {word} fell",
        "worse": f"Tuning did harm: mean {word} rose",
        "inconclusive": f"Not decided by these repeats: mean {word} went",
    }[result.verdict]
    p_value = "" if result.p_value is None else f", exact permutation test p = {result.p_value:.2g}"
    smallest = "" if result.smallest_p is None else f" (it cannot go below {result.smallest_p:.2g} here)"
    return Headline(
        result.verdict,
        times(result.value),
        f"the default's mean {word} over the tuned one's",
        f"{begin} from {number(default)} with the default to {number(tuned)} tuned; {interval_text(result)}, n = "
        f"{len(found.default)} and {len(found.tuned)} fresh searches{p_value}{smallest}.{_above_floor(run, split)}",
    )


def _above_floor(run: RunData, split: Split) -> str:
    """Returns the ratio of what could be gained, in a sentence; empty where the floor is unknown."""
    floor = run.floor_test_regret
    if split == "valid" or floor is None:
        return ""
    above = ratio(run, split, floor)
    compared = "the mean tuned regret does not lie above it"
    if above.value is not None:
        compared = f"above this floor the ratio is {times(above.value)}"
    return (
        f" The cell with the lowest validation error has a test regret of {number(floor)}, which no choice by "
        f"validation error can expect to beat; {compared}."
    )
