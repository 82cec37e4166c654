"""Repeated searches in numbers: where each configuration ended, compared with the first, and every epoch's mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.core.wording import listed
from metaopt.report.data.groups import Repeats
from metaopt.report.data.regret import regret_note
from metaopt.report.data.trajectories import QUANTITIES, curve, quantity_name, trajectories
from metaopt.report.document.section import NONE, Column, PageTable, records_table, times
from metaopt.report.sections.tuned import bounds_text, mean_sd, moments
from metaopt.report.stats.curves import regret
from metaopt.report.stats.ratio import Ratio, rank_correlation, regret_ratio


@dataclass(frozen=True)
class RepeatsFinal:
    """Where the searches of a configuration ended.

    Attributes:
        repeats: The searches.
        regret: Test regret of the cell of each; the test error where the optimum is unknown.
        one_shot: One-shot validation error of each that has one.
        against: What it is compared with; empty for that one itself.
        ratio: Mean regret of that configuration over the mean of this one; None for that one itself.
    """

    repeats: Repeats
    regret: tuple[float, ...]
    one_shot: tuple[float, ...]
    against: str
    ratio: Ratio | None


def repeats_finals(repeats: Sequence[Repeats]) -> list[RepeatsFinal]:
    """Returns where all searches ended.

    A configuration is compared with the first one of its group; where groups have one each, with that of the first
    group on the same problem.
    """
    within = any(one.label for one in repeats)
    first: dict[tuple[str, str], Repeats] = {}
    found = []
    for one in repeats:
        base = first.setdefault((one.problem, one.group if within else ""), one)
        ratio = None if base is one else regret_ratio(_regrets(base), _regrets(one))
        one_shot = tuple(e.one_shot_error for e in one.evaluations if not math.isnan(e.one_shot_error))
        found.append(RepeatsFinal(one, _regrets(one), one_shot, "" if base is one else base.label or base.group, ratio))
    return found


def _regrets(repeats: Repeats) -> tuple[float, ...]:
    errors = [e.final_test_error for e in repeats.evaluations if not math.isnan(e.final_test_error)]
    return tuple(regret(error, repeats.optimum_test_error) for error in errors)


def repeats_table(rows: Sequence[RepeatsFinal]) -> PageTable:
    """Returns a row per configuration; errors and regrets are in [0, 1]."""
    shown, name = quantity_name("test_error", repeats := [row.repeats for row in rows]), _column(repeats)
    columns = (
        Column("", value=attrgetter("repeats.name")),
        Column(None, "group", attrgetter("repeats.group")),
        Column(None, "configuration", attrgetter("repeats.label")),
        Column(shown, value=attrgetter("regret"), show=mean_sd),
        Column("one-shot error", value=attrgetter("one_shot"), show=mean_sd),
        Column("searches", "searches", lambda row: len(row.regret)),
        Column("failed", "failed", attrgetter("repeats.failed")),
        *moments(name, attrgetter("regret")),
        *moments("one_shot_error", attrgetter("one_shot")),
        Column("compared with", "compared_with", attrgetter("against")),
        Column("ratio", "ratio", _of_ratio("value"), times),
        Column("95 % interval", value=attrgetter("ratio"), show=bounds_text),
        Column(None, "ratio_low", _of_ratio("low")),
        Column(None, "ratio_high", _of_ratio("high")),
        Column("p", "p_value", _of_ratio("p_value"), lambda p: NONE if p is None else f"{p:.2g}"),
    )
    return PageTable("After the last epoch", columns, tuple(rows), file="final")


def _of_ratio(name: str) -> Callable[[RepeatsFinal], float | None]:
    return lambda row: getattr(row.ratio, name, None)


def _column(repeats: Sequence[Repeats]) -> str:
    return quantity_name("test_error", repeats).replace(" ", "_")


def repeats_notes(repeats: Sequence[Repeats]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    epochs = sorted({e.trial.epochs for one in repeats for e in one.evaluations})
    return (
        f"Searches of {listed(epochs, 'epoch')}, each with its own seed. "
        f"{regret_note([one.optimum_test_error for one in repeats])}; mean over the searches ± their standard "
        "deviation.",
        f"Ratio: mean {quantity_name('test_error', repeats)} of the configuration compared with over the one of the "
        "row, above 1 where the row is better, with Fieller's interval; p: exact permutation test of the difference of "
        "the means, two-sided, not corrected for the number of rows.",
    )


def curves_data(repeats: Sequence[Repeats]) -> PageTable:
    """Returns what the figures of trajectories show, for programs: a row per configuration, quantity and epoch."""
    return records_table(
        "trajectories",
        (
            {
                "group": one.group,
                "configuration": one.label,
                "quantity": _column([one]) if quantity == "test_error" else quantity,
                "epoch": int(epoch),
                "searches": int(n),
                "mean": float(mean),
                "standard_error": float(error) if n > 1 else None,
            }
            for one in repeats
            for quantity in QUANTITIES
            if (found := curve(one, quantity)) is not None
            for epoch, n, mean, error in zip(found.epochs, found.n, found.mean, found.standard_error, strict=True)
        ),
    )


def eigenvalue_notes(repeats: Sequence[Repeats]) -> tuple[str, ...]:
    """Returns how the dominant eigenvalue goes with the regret: a sentence per configuration, and one for all."""
    measured = [one for one in repeats if not np.isnan(trajectories(one, "eigenvalue")).all()]
    shown = quantity_name("test_error", measured)
    notes = [_eigenvalue_note(one.name, shown, _pairs(one)) for one in measured]
    together = [pair for one in measured for pair in _pairs(one)]
    return (*notes, *([_eigenvalue_note("all together", shown, together)] if len(measured) > 1 else []))


def _pairs(one: Repeats) -> list[tuple[Floats, Floats]]:
    return list(zip(trajectories(one, "eigenvalue"), trajectories(one, "test_error"), strict=True))


def _eigenvalue_note(name: str, shown: str, pairs: Sequence[tuple[Floats, Floats]]) -> str:
    within = [rho for x, y in pairs if (rho := rank_correlation(x.tolist(), y.tolist()).spearman) is not None]
    ends = list(_last_pairs(pairs))
    across = rank_correlation([x for x, _ in ends], [y for _, y in ends])
    inside = f"{fmean(within):+.2f} (mean of {len(within)})" if within else "unknown"
    between = "unknown" if across.spearman is None else f"{across.spearman:+.2f}"
    if across.low is not None and across.high is not None:
        between += f", 95 % interval {across.low:+.2f} to {across.high:+.2f}"
    return (
        f"{name}: Spearman's rho of dominant eigenvalue and {shown} over the epochs of a search {inside}; between "
        f"the ends of all searches (n = {across.n}) {between}."
    )


def _last_pairs(pairs: Sequence[tuple[Floats, Floats]]) -> Iterator[tuple[float, float]]:
    for eigenvalues, regrets in pairs:
        measured = np.flatnonzero(~np.isnan(eigenvalues) & ~np.isnan(regrets))
        if measured.size:
            yield float(eigenvalues[measured[-1]]), float(regrets[measured[-1]])
