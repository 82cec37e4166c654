"""Searches from the journals of any runs, of run folders and of studies, packed or not, for one table of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import CellError, JournalError, RunError
from metaopt.core.harmless import harmless
from metaopt.core.trial import Result, Trial
from metaopt.core.wording import shown
from metaopt.recorded.searches import RecordedSearch
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader
from metaopt.runs.journal import read_header
from metaopt.runs.same_problem import changed_problem
from metaopt.settings.search import SearchTask
from metaopt.studies.archive import ARCHIVE, in_use, journals

#: Settings that do not define the problem: where a search runs, and how cells missing from the table are scored.
_NOT_OF_THE_PROBLEM = frozenset({"device", "unknown"})
_MOST_NAMED = 5
_NEEDED = ("one_shot_error", "cell")


@dataclass
class Gathered:
    """Searches of one benchmark and cell space, and what was left out.

    Attributes:
        benchmark: Of the searches.
        cell_space: Its number.
        searches: By what decides their course.
        left_out: How many searches, or runs, by the reason.
        problem: What the objective of their runs says of itself, and the settings of their supernets.
        spaces: The spaces of their hyperparameters by name, as ConfigSpace writes them.
        made_by: Versions and commits that they were made with, each once.
    """

    benchmark: str
    cell_space: int
    searches: dict[tuple[str, str, int, int], RecordedSearch] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    problem: dict[str, Any] = field(default_factory=dict)
    spaces: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    made_by: list[Mapping[str, Any]] = field(default_factory=list)
    _cells: set[str] = field(default_factory=set)

    def take(self, name: str, run: RunFolder) -> None:
        """Takes the searches of a run and of its confirmation.

        Raises:
            JournalError: if its journals are damaged, or are of another problem than those before.
        """
        header = RunHeader.of(read_header(run.journal))
        optimizer = header.settings.get("optimizer")
        if optimizer is None:
            self.left_out["runs of look-ups"] += 1
            return
        if (header.settings.get("benchmark"), header.settings.get("cell_space")) != (self.benchmark, self.cell_space):
            self.left_out["runs of another benchmark or cell space"] += 1
            return
        self._check_problem(run, header)
        self._take_maker(header)
        space = self._named(str(header.space.get("name") or optimizer), header.space)
        for place, source in ((run, name), (run.confirmation, f"{name}/confirm")):
            if place.begun:
                recorded = place.read()
                for trial in recorded.trials:
                    if (result := recorded.results.get(trial.id)) is not None:
                        self._take(place, trial, result, (optimizer, space, source))

    def _check_problem(self, run: RunFolder, header: RunHeader) -> None:
        task = {of.name for of in fields(SearchTask)} - _NOT_OF_THE_PROBLEM
        stated = {**header.objective, "settings": {name: header.settings.get(name) for name in sorted(task)}}
        if found := changed_problem(self.problem, stated):
            raise JournalError(
                f"{run.journal} is of another problem than the runs before it: {found}",
                "gather its searches into another file",
            )
        self.problem = {**stated, **self.problem}

    def _take_maker(self, header: RunHeader) -> None:
        host = header.content.get("host") or {}
        maker = {"versions": header.content.get("versions") or {}, "commit": host.get("commit")}
        if maker not in self.made_by:
            self.made_by.append(maker)

    def _named(self, name: str, space: Mapping[str, Any]) -> str:
        """Returns the name of a space: a number distinguishes others of the same name."""
        own, number = name, 1
        while self.spaces.setdefault(own, space) != space:
            number += 1
            own = f"{name} ({number})"
        return own

    def _take(self, run: RunFolder, trial: Trial, result: Result, where: tuple[str, str, str]) -> None:
        course = result.info.get("trajectory") or {}
        if result.status != "ok":
            self.left_out["failed searches"] += 1
        elif result.info.get("predicted"):
            self.left_out["searches whose cell a surrogate scored"] += 1
        elif not all(course.get(name) for name in _NEEDED):
            self.left_out["searches without a trajectory"] += 1
        else:
            self._check_cells(run, trial, course["cell"])
            self._add(_search(trial, result, course, *where))

    def _check_cells(self, run: RunFolder, trial: Trial, cells: Sequence[str | None]) -> None:
        for key in {key for key in cells if key is not None} - self._cells:
            try:
                CellGraph.from_key(key)
            except CellError as error:
                what = f"{run.journal} has no cell as one that trial {trial.id} has found: {error.message}"
                raise JournalError(what, "leave this run out") from None
            self._cells.add(key)

    def _add(self, search: RecordedSearch) -> None:
        known = self.searches.setdefault(search.key, search)
        if known is not search:
            equal = known.course == search.course
            self.left_out["searches that are there already" + ("" if equal else ", but with another course")] += 1


def _search(
    trial: Trial, result: Result, course: Mapping[str, Any], optimizer: str, space: str, source: str
) -> RecordedSearch:
    nothing = [None] * len(course["cell"])
    return RecordedSearch(
        optimizer=optimizer,
        space=space,
        config=trial.config,
        epochs=trial.epochs,
        seed=trial.seed,
        one_shot_error=tuple(course["one_shot_error"]),
        cell=tuple(course["cell"]),
        valid_error=tuple(course.get("valid_error", nothing)),
        test_error=tuple(course.get("test_error", nothing)),
        cost_s=result.cost_s,
        source=source,
    )


def gather(paths: Sequence[Path], benchmark: str, cell_space: int) -> Gathered:
    """Returns the searches of all runs, each once: where several say it, the first of them counts.

    Args:
        paths: Folders of runs and of studies.
        benchmark: Whose searches are wanted.
        cell_space: Number of the cell space.

    Raises:
        RunError: if a folder is of neither, or if there is no search.
        JournalError: if a journal is damaged, or of another problem than those before it.
    """
    gathered = Gathered(benchmark, cell_space)
    for path in paths:
        with _runs_in(path) as runs:
            for name, run in runs:
                gathered.take(harmless(name), run)
    if not gathered.searches:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in sorted(gathered.left_out.items()))
        raise RunError(
            f"there is no finished search of {shown(benchmark)}, cell space {cell_space}, in "
            f"{', '.join(map(str, paths[:_MOST_NAMED]))}" + (f"; left out, {reasons}" if reasons else ""),
            "name runs of metaopt tune or metaopt benchmark record, and their --benchmark and --cell-space",
        )
    return gathered


@contextmanager
def _runs_in(path: Path) -> Iterator[list[tuple[str, RunFolder]]]:
    """Gives the runs of a folder, which is of one run or of a study, by their names."""
    own, name = RunFolder(path), path.resolve().name
    if not (path / ARCHIVE).is_file() and (own.begun or not any(path.glob("*/journal.jsonl"))):
        own.story()  # says what is wrong with a folder that is neither
        yield [(name, own)]
        return
    with in_use(path), journals(path) as place:
        folders = sorted(journal.parent for journal in place.glob("*/journal.jsonl"))
        yield [(f"{name}/{folder.name}", RunFolder(folder)) for folder in folders]
