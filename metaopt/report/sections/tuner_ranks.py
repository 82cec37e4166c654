"""What tuners are worth over all one-shot optimizers, as a section of a study's page."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from metaopt.core.wording import counted
from metaopt.report.data.groups import Group
from metaopt.report.data.regret import Optima, regret_column, regret_note
from metaopt.report.data.repeated import repeated
from metaopt.report.document.section import Column, PageTable, Section, number, records_table, times
from metaopt.report.figures.ranks import difference_plot
from metaopt.report.sections.pairs import p_text
from metaopt.report.sections.ranks import ranks_data, ranks_table, tests_note
from metaopt.report.sections.tuners import TunerRuns, corrected, shared_blocks, tuner_ranking, tuner_runs, unlike
from metaopt.report.stats.ranks import FEWEST_BLOCKS, Ranking

_PREFIX = "tuners-"  # of file names
_OF_TUNER = ("tuner", "tuner_options")


def tuner_section(groups: Sequence[Group]) -> Section | None:
    """Returns tuners against the default and against each other.

    Args:
        groups: Runs of one-shot optimizers.

    Returns:
        None where "Tuned against default" says it all: for one tuner of one optimizer, or without blocks for a test.
    """
    tuners = [one for one in tuner_runs(groups) if one.means]
    p_values = corrected(tuners)
    if sum(len(one.places) for one in tuners) < 2 or not p_values:
        return None
    optima = _optima(groups)
    ranked = tuner_ranking(tuners)
    tables, data = [_table(tuners, p_values, optima)], [_blocks_data(tuners, optima)]
    if ranked is not None:
        tables.append(ranks_table("Tuners by average rank", ranked))
        data.append(ranks_data(f"{_PREFIX}ranks", ranked))
    plots = (difference_plot(ranked, _PREFIX),) if ranked is not None else ()
    notes = _notes(groups, tuners, ranked)
    return Section("Tuners over all optimizers", notes, tuple(tables), plots, data=tuple(data))


def _optima(groups: Sequence[Group]) -> Optima:
    return [run.optimum_test_error for group in groups for run in group.runs]


def _table(tuners: Sequence[TunerRuns], p_values: dict[str, float], optima: Optima) -> PageTable:
    shown = regret_column(optima)
    columns = (
        Column("", "tuner", attrgetter("label")),
        Column(None, "runs"),
        Column(None, "finished"),
        Column(None, "blocks", lambda one: len(one.means)),
        Column("default", f"default_{shown}_mean", attrgetter("mean.default"), number),
        Column("tuned", f"tuned_{shown}_mean", attrgetter("mean.tuned"), number),
        Column("ratio", "ratio", show=times),
        Column(None, "optimizers", lambda one: len(one.places)),
        Column("lower on optimizers", value=lambda one: f"{one.lower_places} of {len(one.places)}"),
        Column(None, "lower_optimizers", attrgetter("lower_places")),
        Column("lower in runs", "lower"),
        Column("equal", "equal"),
        Column("runs", value=_runs),
        Column(None, "p_value"),
        Column("corrected p", "corrected_p", lambda one: p_values.get(one.label), p_text),
    )
    return PageTable("Tuners against the default", columns, tuple(tuners), file="tuners")


def _runs(one: TunerRuns) -> str:
    return str(one.runs) if one.finished == one.runs else f"{one.finished} of {one.runs}"


def _blocks_data(tuners: Sequence[TunerRuns], optima: Optima) -> PageTable:
    """Returns what the tests are of: a row per block."""
    names = [f"{side}_{regret_column(optima)}_mean" for side in ("default", "tuned")]
    return records_table(
        f"{_PREFIX}runs",
        (
            {"tuner": one.label, **block._asdict(), **dict(zip(names, pair, strict=True))}
            for one in tuners
            for block, pair in one.means.items()
        ),
    )


def _notes(groups: Sequence[Group], tuners: Sequence[TunerRuns], ranked: Ranking | None) -> tuple[str, ...]:
    over = dict.fromkeys(block.optimizer for one in tuners for block in one.means)
    optima = _optima(groups)
    notes = [
        f"Runs of {counted(len(over), 'one-shot optimizer')} together: {', '.join(over)}. {regret_note(optima)}. "
        "Default and tuned: mean over the runs of what their confirming searches found; the trial that made a "
        "configuration the incumbent has no part in it. Ratio: geometric mean over optimizers and problems of the "
        "default's mean over the tuned one's, above 1 where tuning helped; none where a mean is 0.",
        "Corrected p: that tuning changes nothing on any of these optimizers, by Wilcoxon's signed-rank test over the "
        "runs, exact and corrected by Holm for the tuners; none with fewer than "
        f"{FEWEST_BLOCKS} runs. A single optimizer can carry it, so see on how many the mean is lower; and runs of one "
        "seed search with the same seeds, so they are not wholly independent.",
        *_remarks(tuners),
        *_rounding(groups),
    ]
    return (*notes, *([_ranks_note(tuners, ranked)] if len(tuners) > 1 else ()))


def _remarks(tuners: Sequence[TunerRuns]) -> list[str]:
    """Says where rows of the table are not to be compared as they stand."""
    remarks = []
    if differing := [name for name in unlike([one.settings for one in tuners]) if name not in _OF_TUNER]:
        remarks.append(f"**Tuners were not run alike**: they differ in {', '.join(differing)}.")
    if len({frozenset(block[:2] for block in one.means) for one in tuners}) > 1:
        remarks.append(
            "**Not all tuners have runs of the same optimizers and problems**; ranks are over what all have."
        )
    if lacking := [one.label for one in tuners if one.finished < one.runs]:
        remarks.append(
            f"Some runs of {', '.join(lacking)} are in no mean: not confirmed, or without a confirming search that "
            "finished on a side. In tests and ranks such a side is worse than any other."
        )
    return remarks


def _rounding(groups: Sequence[Group]) -> list[str]:
    """Says where runs of one seed have less luck in common than the seed promises."""
    found = repeated([run for group in groups for run in group.runs])
    if not found.differing:
        return []
    return [
        f"**Not all runs were made where numbers are rounded alike** (processor, GPU, versions): {found.text}. So "
        "defaults of one seed differ, too, and a tuner is to be held against the default beside it."
    ]


def _ranks_note(tuners: Sequence[TunerRuns], ranked: Ranking | None) -> str:
    blocks = f"{counted(len(shared_blocks(tuners)), 'block')} (a problem, an optimizer, a seed)"
    if ranked is None:
        return (
            f"Tuners are not ranked: all of them have {blocks}, and below {FEWEST_BLOCKS} no test could find a "
            "significant difference."
        )
    return f"Ranks: of the tuned mean in each of the {blocks} that all tuners have. {tests_note(ranked)}"
