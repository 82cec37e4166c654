"""The NAS best-practice checklist, answered from the journals as far as they can.

Lindauer and Hutter (2020), "Best Practices for Scientific Research on Neural Architecture Search", JMLR 21(243):
fourteen practices in three sections. Their wording here is ours. What no journal holds is said to be unanswered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metaopt.core.wording import counted
from metaopt.report.data.clocks import given
from metaopt.report.data.contestants import Problem
from metaopt.report.data.load import RunData
from metaopt.report.data.repeated import repeated
from metaopt.report.document.section import Column, PageTable

_UNANSWERED = "not answered here"
_OF_HOST = ("name", "processor", "cores", "commit")
_UNTOLD = "null"  # by the headers of versions that did not ask
_CHANGED = "-dirty"  # at the end of a commit that git describes with changes on top


@dataclass(frozen=True)
class Item:
    """A practice.

    Attributes:
        number: In the checklist, 1 to 14.
        practice: What should be done.
        answer: ``yes``, ``no``, ``partly`` or ``not answered here``.
        evidence: With what numbers, and from which fields of the journals.
    """

    number: int
    practice: str
    answer: str
    evidence: str


def checklist(problems: Sequence[Problem]) -> list[Item]:
    """Returns all fourteen practices with their answers, over all problems of a study."""
    runs = [run for problem in problems for one in problem.contestants for run in one.data]
    answers = (
        ("code of the training pipeline is released", _code(runs)),
        ("code of the NAS method is released", _code(runs)),
        ("code is released even before it is cleaned up", (_UNANSWERED, "a journal does not know what was published")),
        ("same benchmark: data, cell space and training of the final cells", _benchmark(problems)),
        ("ablation studies", (_UNANSWERED, "which parts of a tuner matter is a study of its own")),
        ("same evaluation protocol for all", _protocol(problems)),
        ("performance over the compute used", _over_time(runs)),
        ("random sampling and random search among the groups", _random(problems)),
        ("several runs, with their seeds", _seeds(problems)),
        ("tabular or surrogate benchmarks for in-depth evaluation", _tabular(runs)),
        ("confounding factors are controlled: hardware, versions", _confounders(runs)),
        ("how hyperparameters were tuned, with what time and resources", _tuning(problems)),
        ("time of the whole method, end to end", _whole_time(problems)),
        ("all details of the setup", _details(runs)),
    )
    return [Item(place, practice, *answer) for place, (practice, answer) in enumerate(answers, start=1)]


ChecklistAnswer = tuple[str, str]


def _code(runs: Sequence[RunData]) -> ChecklistAnswer:
    made_from = [str(run.header.get("host", {}).get("commit") or "") for run in runs]
    commits = sorted({commit.removesuffix(_CHANGED) for commit in made_from} - {""})
    if not commits:
        return _UNANSWERED, "no commit in host.commit"
    changed, without = sum(commit.endswith(_CHANGED) for commit in made_from), made_from.count("")
    text = f"{counted(len(commits), 'commit')} of metaopt in host.commit ({', '.join(one[:10] for one in commits[:3])}"
    text += ", ...)" if len(commits) > 3 else ")"
    if changed or without:
        return "partly", f"{text}; {counted(changed, 'run')} made from a changed checkout, {without} without a commit"
    return "partly", f"{text}, each as it was committed; whether it is public a journal does not know"


def _values(runs: Iterable[RunData], *path: str) -> list[str]:
    """Returns the different values of a field of headers, as text."""
    found: dict[str, None] = {}
    for run in runs:
        value: object = run.header
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        found[json.dumps(value, sort_keys=True)] = None
    return list(found)


def _runs_of(problem: Problem) -> list[RunData]:
    return [run for one in problem.contestants for run in one.data]


def _benchmark(problems: Sequence[Problem]) -> ChecklistAnswer:
    names = ", ".join(problem.name for problem in problems)
    text = f"{names} (run.benchmark, run.cell_space); groups are compared within one only"
    unlike = [problem.name for problem in problems if any(note.startswith("**") for note in problem.notes)]
    return ("no", f"{text}, but the tables differ on {', '.join(unlike)}") if unlike else ("yes", text)


def _protocol(problems: Sequence[Problem]) -> ChecklistAnswer:
    differing = sorted(
        {name for problem in problems for name in _differing_protocol(problem)},
    )
    fields = "objective.table, run.errors, run.unknown, run.budget*"
    if differing:
        return "no", f"groups of one problem differ in {', '.join(differing)} (of {fields})"
    return (
        "yes",
        f"one table, one way to choose and one budget for all groups ({fields}); validation chooses, test is shown",
    )


def _differing_protocol(problem: Problem) -> list[str]:
    runs = _runs_of(problem)
    names = [name for name in ("unknown", "budget", "budget_epochs", "budget_seconds") if _differs(runs, name)]
    look_ups = [run for one in problem.contestants if one.looks_up for run in one.data]
    kinds = {one.looks_up for one in problem.contestants}
    return [
        *names,
        *(["errors"] if _differs(look_ups, "errors") else []),
        *(["what an evaluation is: a search or a training"] if len(kinds) > 1 else []),
    ]


def _differs(runs: Sequence[RunData], name: str) -> bool:
    return len(_values(runs, "run", name)) > 1


def _over_time(runs: Sequence[RunData]) -> ChecklistAnswer:
    budgets = sorted({given(run) for run in runs})
    return "yes", f"curves over evaluations, epochs and seconds as far as they compare; budgets: {'; '.join(budgets)}"


def _random(problems: Sequence[Problem]) -> ChecklistAnswer:
    lacking = [p.name for p in problems if not any(_is_random_search(run) for run in _runs_of(p))]
    if not lacking:
        first = any(_is_random_search(run) and run.starts_at_default for p in problems for run in _runs_of(p))
        after = " after the default one" if first else ""
        return "yes", f"a group of look-ups with run.tuner random on every problem, a random cell each{after}"
    return "no", f"no look-ups with run.tuner random on {', '.join(lacking)}"


def _is_random_search(run: RunData) -> bool:
    return "optimizer" not in run.settings and run.settings.get("tuner") == "random"


def _seeds(problems: Sequence[Problem]) -> ChecklistAnswer:
    counts = [len(one.data) for problem in problems for one in problem.contestants]
    seeds = sorted({seed for problem in problems for one in problem.contestants for seed in one.seeds})
    listed = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])
    least, most = min(counts), max(counts)
    amount = counted(least, "run") if least == most else f"{least} to {most} runs"
    return ("yes" if least > 1 else "no"), f"{amount} in a group, seeds {listed} (run.seed)"


def _tabular(runs: Sequence[RunData]) -> ChecklistAnswer:
    cells = sorted({int(table["cells"]) for run in runs if (table := run.objective.get("table")) and "cells" in table})
    if not cells:
        return _UNANSWERED, "no table in objective.table"
    answered = sum(len(run.ok) for run in runs)
    predicted = sum(run.predicted for run in runs)
    text = f"tables of {', '.join(map(str, cells))} cells (objective.table.cells)"
    return (
        "yes",
        f"{text}; predicted by a surrogate: {predicted} of {counted(answered, 'result')} (result.info.predicted)",
    )


def _confounders(runs: Sequence[RunData]) -> ChecklistAnswer:
    told = {name: set(_values(runs, "host", name)) - {_UNTOLD} for name in _OF_HOST}
    differing = [f"host.{name}" for name, values in told.items() if len(values) > 1]
    libraries = sorted({name for run in runs for name in run.header.get("versions", {})})
    differing += [f"versions.{name}" for name in libraries if len(_values(runs, "versions", name)) > 1]
    if not any(run.header.get("host") for run in runs):
        return _UNANSWERED, "no host in the headers"
    found = repeated(runs)
    answers = f"; {found.text}" if found.searches else ""
    if differing or found.differing:
        named = f"the runs differ in {', '.join(differing)}" if differing else "the headers do not differ"
        return "partly", f"{named}{answers}"
    text = f"one machine, one commit and the same {len(libraries)} versions for all runs (host, versions)"
    return "yes", f"{text}{answers}"


def _tuning(problems: Sequence[Problem]) -> ChecklistAnswer:
    runs = [run for problem in problems for run in _runs_of(problem)]
    tuned = [run for run in runs if "optimizer" in run.settings]
    if not tuned:
        return (
            _UNANSWERED,
            "only look-ups; how the options of their tuners were chosen (run.tuner_options) is not in them",
        )
    tuners = ", ".join(sorted({str(run.settings.get("tuner")) for run in tuned}))
    seconds = sum(_seconds(run) for run in tuned)
    look_ups = (
        "; the options of look-ups' tuners are stated, not how they were chosen" if len(tuned) < len(runs) else ""
    )
    return "yes", f"by {tuners}, {seconds / 3600:.3g} hours in {counted(len(tuned), 'run')} (told_s){look_ups}"


def _seconds(run: RunData) -> float:
    return max((e.told_s for e in run.told), default=0.0)


def _whole_time(problems: Sequence[Problem]) -> ChecklistAnswer:
    parts = []
    for looks_up, what in ((False, "searching on this machine"), (True, "training as the tables have it")):
        runs = [run for p in problems for one in p.contestants if one.looks_up is looks_up for run in one.data]
        if runs:
            parts.append(
                f"{sum(_seconds(run) for run in runs) / 3600:.3g} hours of {what} in {counted(len(runs), 'run')}"
            )
    return "partly", f"{' and '.join(parts)} (told_s); what a final training of the cells found would take is not in it"


def _details(runs: Sequence[RunData]) -> ChecklistAnswer:
    fields = ("run", "space", "default", "objective", "versions", "host", "command")
    lacking = sorted({name for run in runs for name in fields if name not in run.header})
    if lacking:
        return "partly", f"{', '.join(lacking)} missing in headers"
    return "yes", f"every journal begins with {', '.join(fields)}"


def checklist_table(items: Sequence[Item]) -> PageTable:
    """Returns the practices with their answers."""
    columns = (
        Column("", "number"),
        Column("practice", "practice"),
        Column("answer", "answer"),
        Column("from the journals", "evidence"),
    )
    return PageTable("Checklist", columns, tuple(items), file="checklist")
