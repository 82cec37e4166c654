"""The summaries at the top of pages: what was done, who leads, what is statistically significant, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from metaopt.core.wording import counted
from metaopt.report.data.clocks import budget_text
from metaopt.report.data.groups import Group, problem
from metaopt.report.data.incumbents import best_cell
from metaopt.report.data.load import RunData
from metaopt.report.data.regret import regret_name
from metaopt.report.document.section import number, times
from metaopt.report.sections.comparison import Compared
from metaopt.report.sections.headline import confirmation, interval_text, ratio
from metaopt.report.sections.pairs import Pair
from metaopt.report.sections.repeats import RepeatsFinal
from metaopt.report.sections.tuned import Tuned
from metaopt.report.stats.importance import Importance
from metaopt.report.stats.pairwise import ALPHA

_NAMED = 4  # names in a sentence
_PROBLEMS = 2  # with a sentence each on who leads and what is significant


def study_summary(
    groups: Sequence[Group], compared: Sequence[Compared], tuned: Sequence[Tuned], repeats: Sequence[RepeatsFinal]
) -> tuple[str, ...]:
    """Returns three to six sentences on a study.

    Args:
        groups: All of them.
        compared: The problems on which groups are compared.
        tuned: Default against tuned, of each group that confirmed both.
        repeats: Where the searches of grids ended.
    """
    sentences = [_compared_what(groups)]
    for one in compared[:_PROBLEMS]:
        sentences += [_leader(one), _significance(one)]
    if len(compared) > _PROBLEMS:
        sentences.append(f"The other {len(compared) - _PROBLEMS} problems have their own sections below.")
    if any(row.ratio.value is not None for row in tuned):
        sentences.append(_tuning(tuned))
    if repeats and len(sentences) < 5:
        sentences += _repeats(repeats)
    return (*sentences, _failures([run for group in groups for run in group.runs]))


def _compared_what(groups: Sequence[Group]) -> str:
    runs = [run for group in groups for run in group.runs]
    where = _names(list(dict.fromkeys(map(problem, runs))))
    sizes = sorted({len(group.runs) for group in groups})
    each = counted(sizes[0], "run") if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} runs"
    kinds = [
        f"{counted(len(some), 'group')} {'tunes' if len(some) == 1 else 'tune'} a one-shot optimizer"
        if tunes
        else f"{counted(len(some), 'group')} {'looks' if len(some) == 1 else 'look'} cells up"
        for tunes in (True, False)
        if (some := [group for group in groups if ("optimizer" in group.runs[0].settings) is tunes])
    ]
    return (
        f"{counted(len(runs), 'run')} in {counted(len(groups), 'group')} on {where}, {each} in each; "
        f"{' and '.join(kinds)}."
    )


def _leader(one: Compared) -> str:
    rows = sorted((row for row in one.at_main if len(row.there)), key=lambda row: row.numbers["mean"])
    on = f" on {one.problem.name}" if one.prefix else ""
    if len(rows) < 2:
        return f"Too few groups have found a cell{on} to say who leads."
    optima = [run.optimum_test_error for row in rows for run in row.contestant.data]
    first, *others = [f"**{row.contestant.label}** ({number(row.numbers['mean'])})" for row in rows]
    last = f"; the highest is that of {others[-1]}" if len(others) > 1 else ""
    return (
        f"At the common budget of {budget_text(one.main)}{on} the lowest mean {regret_name(optima)} is that of "
        f"{first}, followed by {others[0]}{last}."
    )


def _significance(one: Compared) -> str:
    pairs = one.pairs[one.main.clock.name]
    tested = [pair for pair in pairs if pair.p_value is not None]
    found = [pair for pair in tested if pair.is_significant]
    on = f" on {one.problem.name}" if one.prefix else ""
    if not tested:
        fewest = min(min(pair.n) for pair in pairs)
        return (
            f"Nothing can be called statistically significant{on}: {counted(fewest, 'run')} in a group "
            f"{'is' if fewest == 1 else 'are'} too few for a test."
        )
    if not found:
        return (
            f"None of the {counted(len(tested), 'tested pair')}{on} is significantly different after correction, which "
            "is not evidence that they are equal."
        )
    if len(found) <= _NAMED:
        text = ", ".join("{} is better than {}".format(*_ordered(pair)) for pair in found)
        named = f"statistically significant{on} (corrected p < .05): {text}"
    else:
        wins = [_ordered(pair)[0] for pair in found]
        best = sorted(dict.fromkeys(wins), key=wins.count, reverse=True)[:_NAMED]
        most = ", ".join(f"{name} is better than {wins.count(name)}" for name in best)
        named = f"{len(found)} of {len(tested)} pairs differ significantly{on} (corrected p < .05); most often {most}"
    rest = len(tested) - len(found)
    others = f". {counted(rest, 'other pair')} {'is' if rest == 1 else 'are'} not, which is not evidence of equality"
    return f"{named[0].upper()}{named[1:]}{others if rest else ''}."


def _ordered(pair: Pair) -> tuple[str, str]:
    """Returns the better group and the other."""
    return (pair.a, pair.b) if pair.first_better else (pair.b, pair.a)


def _tuning(rows: Sequence[Tuned]) -> str:
    told = [row for row in rows if row.ratio.value is not None]
    verdicts = {verdict: [row for row in told if row.ratio.verdict == verdict] for verdict in ("better", "worse")}
    parts = [
        f"tuning {did} for {_names([f'{row.label} ({times(row.ratio.value)})' for row in found])}"
        for did, found in (("helped", verdicts["better"]), ("did harm", verdicts["worse"]))
        if found
    ]
    undecided = len(told) - sum(map(len, verdicts.values()))
    if undecided:
        parts.append(
            f"it is not decided for {undecided} of {counted(len(told), 'group')}, whose intervals of the ratio hold 1"
        )
    text = "; ".join(parts)
    return f"Default against tuned, by fresh searches: {text}."


def _repeats(rows: Sequence[RepeatsFinal]) -> Iterator[str]:
    finished = [row for row in rows if row.regret]
    if not finished:
        return
    best = min(finished, key=lambda row: fmean(row.regret))
    name = regret_name([row.repeats.optimum_test_error for row in rows])
    yield (
        f"After the last epoch the lowest mean {name} is that of **{best.repeats.name}**, {number(fmean(best.regret))} "
        f"over {counted(len(best.regret), 'search', 'searches')}."
    )
    tested = [row for row in rows if row.ratio is not None and row.ratio.p_value is not None]
    if tested:
        found = [row for row in tested if row.ratio and row.ratio.p_value is not None and row.ratio.p_value < ALPHA]
        names = f": {_names([row.repeats.name for row in found])}" if found else ""
        yield (
            f"{len(found)} of {len(tested)} differ from the configuration that they are compared with at p < .05, not "
            f"corrected for their number{names}."
        )


def _failures(runs: Sequence[RunData]) -> str:
    answered, failed = sum(len(run.told) for run in runs), sum(len(run.told) - len(run.ok) for run in runs)
    predicted = sum(run.predicted for run in runs)
    said = f"; {predicted:,} results are predictions of a surrogate" if predicted else ""
    return f"{f'{failed:,}' if failed else 'None'} of {answered:,} trials failed{said}."


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = names[:_NAMED] if more > 0 else names
    return f"{', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def run_title(run: RunData) -> str:
    """Returns what a run was, as a heading."""
    settings = run.settings
    tuner = settings.get("tuner") or "a tuner"
    if run.looks_up or not settings.get("optimizer"):
        return f"{tuner} over the cells of {problem(run)}"
    return f"{settings['optimizer']} on {problem(run)}, tuned by {tuner}"


def run_summary(run: RunData, importance: Importance) -> Iterator[str]:
    """Yields three to six sentences on a run, whatever state it is in.

    Args:
        run: The run.
        importance: Of its hyperparameters.
    """
    epochs, seconds = sum(e.charged_epochs for e in run.told), max((e.told_s for e in run.told), default=0.0)
    seed = f" with seed {run.settings['seed']}" if "seed" in run.settings else ""
    many = len(run.told)
    what = f"{counted(many, 'cell')} looked up" if run.looks_up else counted(many, "search", "searches")
    failed = len(run.told) - len(run.ok)
    yield (
        f"One run{seed}: {what}, {epochs:,} epochs, {seconds:,.0f} "
        f"{'seconds of training as the table has them' if run.looks_up else 'seconds'}; "
        f"{counted(failed, 'trial') if failed else 'no trial'} failed."
    )
    best = best_cell(run.ok)
    if best is None:
        return
    optimum = run.optimum_test_error
    regret = "" if optimum is None else f", {number(best.final_test_error - optimum)} above the lowest in the table"
    yield (
        f"The cell with the lowest validation error, {number(best.valid_error)}, is that of trial {best.trial.id} "
        f"after {counted(best.trial.epochs, 'epoch')}; its test error is {number(best.final_test_error)}{regret}."
    )
    yield _confirmed(run)
    if importance.names and not run.looks_up:
        yield _matters(importance)


def _confirmed(run: RunData) -> str:
    found, best = confirmation(run), run.incumbent
    if run.looks_up and not run.confirmed:
        return "One run says nothing of how well its tuner does with other seeds: `metaopt compare` runs several."
    if best is not None and dict(best.trial.config) == dict(run.default):
        return "No configuration was better than the default, so nothing was gained by tuning."
    if not found.default or not found.tuned:
        return "Nothing was confirmed by fresh searches, so no difference can be called statistically significant."
    result = ratio(run, "test")
    verdict = "statistically significant" if result.verdict != "inconclusive" else "not statistically significant"
    return (
        f"In {len(found.default)} and {len(found.tuned)} fresh searches the default's mean over the tuned one's is "
        f"{times(result.value)} ({interval_text(result)}), which is {verdict}."
    )


def _matters(importance: Importance) -> str:
    if not importance.is_trusted:
        return (
            f"Which hyperparameters matter cannot be told: models of the {importance.n_trials} trials explain only "
            f"{max(0.0, importance.fit):.0%} of the variance of trials that they have not seen."
        )
    share, name = max(zip(importance.mean, importance.names, strict=True))
    return f"Of all inputs **{name}** explains most of the variance of the validation error, {share:.0%} by itself."
