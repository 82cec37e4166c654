"""What tuners are worth over all one-shot optimizers, as a section of a study's page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metaopt.report.comparison.pairs import p_text
from metaopt.report.comparison.rank_figures import difference_plot
from metaopt.report.comparison.rank_part import ranks_records, ranks_table, tests_note
from metaopt.report.comparison.ranks import FEWEST_BLOCKS, Ranking
from metaopt.report.comparison.tuners import TunerRuns, corrected, shared_blocks, tuner_ranking, tuner_runs
from metaopt.report.layout import NONE, Table, number, times
from metaopt.report.study_groups import Group
from metaopt.report.study_part import Part, Record
from metaopt.report.study_regret import regret_name
from metaopt.wording import counted

_PREFIX = "tuners-"  # of file names


def tuner_part(groups: Sequence[Group]) -> Part | None:
    """Returns tuners against the default and against each other; None without two groups and blocks enough for a test.

    Args:
        groups: Runs of one-shot optimizers.
    """
    tuners = tuner_runs(groups)
    p_values = corrected(tuners)
    if len(groups) < 2 or not p_values:
        return None
    ranked = tuner_ranking(tuners)
    tables = [_table(tuners, p_values)]
    records = {"tuners.csv": _records(tuners, p_values), f"{_PREFIX}runs.csv": _run_records(tuners)}
    if ranked is not None:
        tables.append(ranks_table("Tuners by average rank", ranked))
        records[f"{_PREFIX}ranks.csv"] = ranks_records(ranked)
    plots = (difference_plot(ranked, _PREFIX),) if ranked is not None else ()
    return Part("Tuners over all optimizers", _notes(groups, tuners, ranked), tuple(tables), records, plots)


def _table(tuners: Sequence[TunerRuns], p_values: dict[str, float]) -> Table:
    head = ("", "default", "tuned", "ratio", "tuned is lower", "equal", "of runs", "corrected p")
    rows = tuple(
        (
            one.label,
            number(float(one.default.mean())),
            number(float(one.tuned.mean())),
            times(one.ratio),
            str(np.sum(one.tuned < one.default)),
            str(np.sum(one.tuned == one.default)),
            str(len(one.means)),
            p_text(p_values[one.label]) if one.label in p_values else NONE,
        )
        for one in tuners
    )
    return Table("Tuners against the default", head, rows)


def _records(tuners: Sequence[TunerRuns], p_values: dict[str, float]) -> list[Record]:
    return [
        {
            "tuner": one.label,
            "runs": len(one.means),
            "default_mean": float(one.default.mean()),
            "tuned_mean": float(one.tuned.mean()),
            "ratio": one.ratio,
            "lower": int(np.sum(one.tuned < one.default)),
            "equal": int(np.sum(one.tuned == one.default)),
            "p_value": one.p_value,
            "corrected_p": p_values.get(one.label),
        }
        for one in tuners
    ]


def _run_records(tuners: Sequence[TunerRuns]) -> list[Record]:
    """Returns what the tests are of: a row per run."""
    return [
        {"tuner": one.label, **block._asdict(), "default_mean": default, "tuned_mean": tuned}
        for one in tuners
        for block, (default, tuned) in one.means.items()
    ]


def _notes(groups: Sequence[Group], tuners: Sequence[TunerRuns], ranked: Ranking | None) -> tuple[str, ...]:
    over = dict.fromkeys(block.optimizer for one in tuners for block in one.means)
    shown = regret_name([run.optimum_test_error for group in groups for run in group.runs])
    notes = (
        f"Runs of {counted(len(over), 'one-shot optimizer')} together: {', '.join(over)}. Default and tuned: mean "
        f"{shown} of the confirming searches; what a trial had that was chosen has no part in it. Ratio: geometric "
        "mean over the optimizers of the default's mean over the tuned one's, above 1 where tuning helped.",
        "Corrected p: Wilcoxon's signed-rank test of tuned against default over the runs, exact and corrected by Holm "
        f"for the tuners; none with fewer than {FEWEST_BLOCKS} runs. It says nothing of other optimizers.",
    )
    return (*notes, *([_ranks_note(tuners, ranked)] if len(tuners) > 1 else ()))


def _ranks_note(tuners: Sequence[TunerRuns], ranked: Ranking | None) -> str:
    blocks = f"{counted(len(shared_blocks(tuners)), 'block')} (a problem, an optimizer, a seed)"
    if ranked is None:
        return (
            f"Tuners are not ranked: all of them have {blocks}, and below {FEWEST_BLOCKS} no test could tell any two "
            "apart."
        )
    return f"Ranks: of the tuned mean in each of the {blocks} that all tuners have. {tests_note(ranked)}"
