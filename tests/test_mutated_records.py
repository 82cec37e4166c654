"""Journals whose lines are whole and whose values are not: every command gives the same reading, or one clean error."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from metaopt.cli import status
from metaopt.core.errors import MetaoptError
from metaopt.core.harmless import is_harmless
from metaopt.core.interrupt import Interrupt
from metaopt.core.wording import shown
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import study_groups
from metaopt.report.data.inputs import run_importance
from metaopt.report.data.load import RunData, load_run
from metaopt.report.export.files import export
from metaopt.report.pages.run import render_report
from metaopt.report.sections.comparison import compare
from metaopt.report.sections.headline import headline
from metaopt.report.sections.run import facts, run_sections, state
from metaopt.report.sections.summary import run_summary, study_summary
from metaopt.report.sections.tuned import tuned, tuned_table
from metaopt.runs import launch
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader
from metaopt.runs.journal_lines import encode
from metaopt.runs.plan import PlannedRun, plan
from metaopt.runs.record import RunRecord
from metaopt.settings.run import BaselineSettings
from metaopt.studies.file import StudyPlan
from metaopt.studies.run import check_folder

REFERENCE = Path(__file__).parents[1] / "results" / "reference"

Line = dict[str, Any]
Place = tuple[str | int, ...]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


#: What stands in place of a value; ``...`` for nothing at all.
VALUES: tuple[Any, ...] = (
    *(..., None, True, "", "x", "nan", "\udc80", "\x1b[31m\u202e", "9" * 5000),
    *(-1, 0, 0.5, 1.5, 2**63, -(2**63), 10**30, 10**400, 1e308, -1e308, 5e-324),
    *([], {}, [1], ["x", None], {"a": 1}, {"a": {"b": [1, None]}}, {"\x1b": "\udc80"}, nested(30), nested(500)),
)


def lines_of(path: Path, most: int = 10**6) -> list[Line]:
    """Returns the first lines of a journal without their checksums, a tick and an end behind them."""
    found = [json.loads(line) for line in path.read_text().splitlines()[:most]]
    for line in found:
        del line["crc"]
    at_s = found[-1]["at_s"] + 1.0
    return [
        *(line for line in found if line["kind"] not in ("tick", "end")),
        {"kind": "tick", "at_s": at_s},
        {"kind": "end", "at_s": at_s, "reason": "the budget of 50 evaluations is used up"},
    ]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yields where there is a value in a line: of long lists in the first two entries."""
    inner: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:2]))
    for name, held in inner:
        yield (*place, name)
        yield from places(held, (*place, name))


def mutated(line: Line, place: Place, value: Any) -> Line:
    line = copy.deepcopy(line)
    inner: Any = line
    for step in place[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return line


class Victim:
    """A run folder, one value of which is changed at a time.

    Args:
        folder: For its journals.
        tuned: Lines of its journal.
        confirmed: Those of its confirmation; empty for none.
    """

    def __init__(self, folder: Path, tuned: list[Line], confirmed: Sequence[Line] = ()) -> None:
        self.folder, self.header = folder, tuned[0]
        self._journals = {folder / "journal.jsonl": tuned}
        if confirmed:
            self._journals[folder / "confirm" / "journal.jsonl"] = list(confirmed)
        for path, lines in self._journals.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(map(encode, lines)))

    def mutations(self, every: int) -> Iterator[str]:
        """Writes one mutated journal after the other and yields what is changed in it.

        Args:
            every: So many that could be made are one that is made.
        """
        number, seen = 0, set[tuple[str, Place]]()
        for path, lines in self._journals.items():
            whole = [encode(line) for line in lines]
            for at, line in enumerate(lines):
                for place in [place for place in places(line) if (_kind(line), place) not in seen]:
                    seen.add((_kind(line), place))
                    for value in VALUES:
                        number += 1
                        if number % every == 0:
                            changed = encode(mutated(line, place, value))
                            path.write_bytes(b"".join([*whole[:at], changed, *whole[at + 1 :]]))
                            yield f"{path.parent.name} line {at + 1} {'.'.join(map(str, place))} = {shown(value)}"
            path.write_bytes(b"".join(whole))


def _kind(line: Line) -> str:
    return f"{line['kind']} {line['result']['status']}" if line["kind"] == "tell" else str(line["kind"])


def check(what: str, deed: Callable[[], object]) -> bool:
    """Does a deed, which may fail with an error of ours that can be shown; returns whether it did not."""
    try:
        deed()
    except MetaoptError as error:
        text = str(error)
        assert is_harmless(text), what
        assert len(text) < 9000, what
        return False
    except RecursionError as error:
        raise AssertionError(f"{what}: {error}") from None
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    return True


def status_of(folder: Path) -> list[str]:
    said = RunRecord.read(RunFolder(folder)).to_json()
    lines = status._lines(said)
    assert all(map(is_harmless, lines))
    json.dumps(said, allow_nan=False)
    return lines


def words(run: RunData) -> None:
    """Everything of a page but its drawings."""
    importance, groups = run_importance(run), study_groups([run, run])
    tables = [table for section in run_sections(run, importance) for table in section.tables]
    tables += [tuned_table(rows := [tuned(group) for group in groups])]
    assert all(map(is_harmless, [text for table in tables for row in table.cells for text in row]))
    said = [*run_summary(run, importance), *study_summary(groups, compare(problems(groups)), rows, ())]
    assert all(map(is_harmless, said))
    facts(run), state(run), headline(run)


def exported(folder: Path, *formats: str) -> None:
    for to in formats:
        file = folder / f"trials.{to}"
        try:
            export([folder], to, file)
            text = "" if to in ("parquet", "optuna") else file.read_text(encoding="utf-8")
        finally:
            file.unlink(missing_ok=True)
        assert is_harmless(text)


def resume(folder: Path) -> None:
    with Interrupt() as interrupted:
        launch.resume(RunFolder(folder), {}, Console(quiet=True), interrupted)


def attack(victim: Victim, every: int, further: int, deeds: dict[str, tuple[int, Callable[[Path], object]]]) -> int:
    """Does every deed with mutated journals; returns how many mutations there were.

    Args:
        victim: Whose journals are mutated.
        every: Of the mutations that could be made, how many stand for one.
        further: Of those that load, how many stand for one whose page and tables are made.
        deeds: Commands by name, which take the run's folder; each with one mutation of so many.
    """
    number = 0
    for number, what in enumerate(victim.mutations(every), start=1):
        check(f"status: {what}", lambda: status_of(victim.folder))
        found: list[RunData] = []
        if check(f"load: {what}", lambda found=found: found.append(load_run(victim.folder))) and not number % further:
            check(f"words: {what}", lambda found=found: words(found[0]))
            check(f"tables: {what}", lambda: exported(victim.folder, "csv", "parquet", "json"))
        for name, (rate, deed) in deeds.items():
            if number % rate == 0:
                check(f"{name}: {what}", lambda deed=deed: deed(victim.folder))
    return number


def tuned_run(folder: Path) -> Victim:
    """A real run of an earlier version, whose tuner leaves a memo, with its confirmation."""
    run = REFERENCE / "darts-digits1-bohb"
    return Victim(folder / "run", lines_of(run / "journal.jsonl", 9), lines_of(run / "confirm" / "journal.jsonl", 5))


def looked_up(folder: Path, tuner: str) -> Victim:
    """A run of look-ups that has come to its end."""
    flags = {"tuner": tuner, "budget": "6", "budget_seconds": "1e6"}
    run = plan(load_config(BaselineSettings, flags, {}))
    with Interrupt() as interrupted:
        launch.start(run, RunFolder(folder / "made"), ["metaopt"], Console(quiet=True), interrupted)
    return Victim(folder / "run", lines_of(folder / "made" / "journal.jsonl"))


def compared(victim: Victim) -> Callable[[Path], None]:
    """Returns what ``compare`` does with a run that is there."""
    record = RunHeader.of(victim.header)
    plan = StudyPlan("", "", (PlannedRun(victim.folder.name, record.config, record.space),))
    return lambda folder: check_folder(plan, folder.parent, folder.parent)


def to_optuna(folder: Path) -> None:
    exported(folder, "optuna")


def drawn(folder: Path) -> None:
    for content in render_report([folder]).values():
        assert content


def test_some_mutations_of_a_tuned_run(tmp_path: Path) -> None:
    victim = tuned_run(tmp_path)
    deeds = {"compare": (5, compared(victim)), "export": (60, to_optuna)}
    assert attack(victim, 31, 20, deeds) >= 150


@pytest.mark.parametrize("tuner", ["bohb", "local_search", "reinforce"])
def test_some_mutations_of_look_ups(tmp_path: Path, tuner: str) -> None:
    victim = looked_up(tmp_path, tuner)
    deeds = {"compare": (5, compared(victim)), "resume": (10, resume)}
    assert attack(victim, 41, 20, deeds) >= 60


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_mutation_of_a_tuned_run(tmp_path: Path) -> None:
    victim = tuned_run(tmp_path)
    deeds = {"compare": (10, compared(victim)), "export": (90, to_optuna), "report": (800, drawn)}
    assert attack(victim, 2, 40, deeds) >= 2000


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("tuner", ["bohb", "smac", "re"])
def test_every_mutation_of_look_ups(tmp_path: Path, tuner: str) -> None:
    victim = looked_up(tmp_path, tuner)
    deeds = {"compare": (10, compared(victim)), "export": (90, to_optuna), "resume": (15, resume)}
    assert attack(victim, 11, 40, deeds) >= 300
