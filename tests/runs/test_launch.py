from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import faults
from metaopt.core.errors import ConfigError, JournalError, RunError
from metaopt.core.interrupt import Interrupt
from metaopt.objectives import OBJECTIVES
from metaopt.runs import launch
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import decode, without_clock
from metaopt.runs.plan import PlannedRun, plan
from metaopt.runs.record import RunRecord
from metaopt.settings.run import BaselineSettings, TuneSettings


@pytest.fixture(autouse=True)
def _objective(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def config(**flags: str) -> TuneSettings:
    return load_config(
        TuneSettings, {"optimizer": "darts", "budget": "6", "executor": "serial", "tuner": "random", **flags}, {}
    )


def start(folder: RunFolder, **flags: str) -> str:
    return launch.start(plan(config(**flags)), folder, ["metaopt", "tune"], Console(file=io.StringIO()), Interrupt())


def test_a_run_and_its_confirmation(folder: RunFolder) -> None:
    assert start(folder, confirm="2", budget="12") == "the budget of 12 evaluations is used up"
    recorded, confirmed = folder.read(), folder.confirmation.read()
    assert recorded.incumbent is not None
    assert [trial.key for trial in confirmed.trials] == [0, 1, 0, 1]
    assert [trial.config for trial in confirmed.trials[:2]] == [recorded.header["default"], recorded.incumbent.config]
    assert {trial.epochs for trial in confirmed.trials} == {27}
    seeds = {trial.seed for trial in (*recorded.trials, *confirmed.trials)}
    assert len(seeds) == len(recorded.trials) + len(confirmed.trials), "a confirming search repeats a seed"
    assert len(confirmed.results) == 4
    assert confirmed.header["confirms"] == "run"


def test_a_run_reserves_what_its_objective_says_that_a_trial_may_train(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults.Faults, "dearest_epochs", lambda self, config, epochs: epochs + 30, raising=False)
    with pytest.raises(ConfigError, match="budget_epochs is 56, but the default configuration may train 57 epochs"):
        plan(config(budget_epochs="56"))
    end = start(folder, budget_epochs="84", confirm="0")
    assert end == "the next trial, which may train 57 epochs, does not fit into the budget of 84 epochs"
    assert [trial.most_epochs for trial in folder.read().trials] == [57, 57]
    assert RunRecord.read(folder).status.epochs == 54


def test_the_header_says_everything(folder: RunFolder) -> None:
    start(folder)
    header = folder.read().header
    assert header["run"]["tuner"] == "random"
    assert "folder" not in header["run"]
    assert [entry["name"] for entry in header["space"]["hyperparameters"]] == ["deed", "x"]
    assert header["default"] == {"deed": "answer", "x": 0.5}
    assert header["objective"]["benchmark"] == "faults"
    assert header["versions"]["python"]
    assert header["host"]["cores"] >= 1
    assert header["command"] == ["metaopt", "tune"]
    assert header["started"].endswith("+00:00")


def test_no_confirmation_if_none_is_wanted(folder: RunFolder) -> None:
    start(folder, confirm="0")
    assert not folder.confirmation.begun


def test_a_default_that_stays_the_best_is_confirmed_alone(folder: RunFolder) -> None:
    start(folder, budget="1", confirm="2")
    assert [trial.key for trial in folder.confirmation.read().trials] == [0, 0]


def test_resuming_a_finished_run_does_nothing(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    end = start(folder)
    before = folder.journal.read_bytes(), folder.confirmation.journal.read_bytes()
    monkeypatch.setattr(PlannedRun, "make_executor", lambda self: pytest.fail("an executor was started"))
    assert launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt()) == end
    assert (folder.journal.read_bytes(), folder.confirmation.journal.read_bytes()) == before


def test_a_run_resumes_with_its_own_settings_and_says_what_was_torn(folder: RunFolder) -> None:
    start(folder, confirm="0")
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join(lines[:6]) + lines[6][:10])
    told = Console(file=io.StringIO())
    launch.resume(folder, {}, told, Interrupt())
    assert isinstance(told.file, io.StringIO)
    assert "line 7, byte" in told.file.getvalue()
    resumed = [decode(line) for line in folder.journal.read_bytes().splitlines()]
    assert without_clock(resumed) == without_clock([decode(line.rstrip()) for line in lines])


@pytest.mark.parametrize("cut", [6, None], ids=["tuning", "confirming"])
def test_a_run_does_not_go_on_with_another_problem(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, cut: int | None
) -> None:
    start(folder, confirm="1")
    place = folder if cut else folder.confirmation
    place.journal.write_bytes(b"".join(place.journal.read_bytes().splitlines(keepends=True)[: cut or 2]))
    before = folder.journal.read_bytes(), folder.confirmation.journal.read_bytes()
    described = faults.Faults.describe
    monkeypatch.setattr(faults.Faults, "describe", lambda own: {**described(own), "optimum_valid_error": 0.2})
    with pytest.raises(JournalError, match=r"optimum_valid_error was 0\.0 and is 0\.2"):
        launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt())
    assert (folder.journal.read_bytes(), folder.confirmation.journal.read_bytes()) == before
    monkeypatch.undo()
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")
    assert launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt())


def test_a_run_goes_on_with_what_a_later_version_says_besides(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(folder, confirm="0")
    folder.journal.write_bytes(b"".join(folder.journal.read_bytes().splitlines(keepends=True)[:6]))
    described = faults.Faults.describe
    monkeypatch.setattr(faults.Faults, "describe", lambda own: {**described(own), "digests": {"table": "aa"}})
    monkeypatch.setattr(launch, "versions", lambda: {"python": "4.0"})
    told = Console(file=io.StringIO())
    assert launch.resume(folder, {}, told, Interrupt())
    assert isinstance(told.file, io.StringIO)
    assert "other versions than the run was begun with: python 4.0, not" in told.file.getvalue()


def test_the_confirmation_of_another_run_is_refused(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    start(folder, confirm="2")
    start(other, confirm="2", seed="1")
    lines = other.confirmation.journal.read_bytes().splitlines(keepends=True)
    folder.confirmation.journal.write_bytes(b"".join(lines[:2]))
    with pytest.raises(JournalError, match="confirms another run than that of the folder above: run"):
        launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt())


def test_a_second_driver_is_refused(folder: RunFolder) -> None:
    start(folder)
    with folder.locked(), pytest.raises(RunError, match="another driver"):
        launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt())


def resume(folder: RunFolder, interrupted: Interrupt | None = None, **more: Any) -> str:
    return launch.resume(folder, {}, Console(file=io.StringIO()), interrupted or Interrupt(), **more)


def trials_of(place: RunFolder) -> list[object]:
    """Asks and tells of a journal, without clocks."""
    lines = [decode(line) for line in place.journal.read_bytes().splitlines()]
    return [without_clock(line) for line in lines if line["kind"] in ("ask", "tell")]


@pytest.fixture
def larger(tmp_path: Path) -> RunFolder:
    """A run that was begun with what another is extended to."""
    folder = RunFolder(tmp_path / "larger")
    start(folder, budget="14", confirm="2")
    return folder


def test_an_extended_run_equals_one_that_was_begun_with_as_much(folder: RunFolder, larger: RunFolder) -> None:
    start(folder, budget="5", confirm="2")
    assert resume(folder, budget={"budget": 14}) == "the budget of 14 evaluations is used up"
    assert trials_of(folder) == trials_of(larger)
    assert trials_of(folder.confirmation) == trials_of(larger.confirmation)
    record = RunRecord.read(folder)
    assert (record.state, record.budget.evaluations) == ("finished", 14)
    assert resume(folder) == record.end


def test_a_run_that_is_killed_while_it_is_extended_loses_nothing(folder: RunFolder, larger: RunFolder) -> None:
    start(folder, budget="5", confirm="2")
    resume(folder, budget={"budget": 14})
    shutil.rmtree(folder.path / "trials", ignore_errors=True)
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    kinds = [decode(line[:-1])["kind"] for line in lines]
    for cut in range(kinds.index("end") + 1, len(lines)):
        for torn in (b"", lines[cut][: len(lines[cut]) // 2]):
            folder.journal.write_bytes(b"".join(lines[:cut]) + torn)
            if folder.confirmation.path.exists():
                shutil.rmtree(folder.confirmation.path)
            extended = "extend" in kinds[:cut]
            resume(folder, **({} if extended else {"budget": {"budget": 14}}))
            assert trials_of(folder) == trials_of(larger), (cut, torn)
            assert trials_of(folder.confirmation) == trials_of(larger.confirmation)


def test_more_confirming_searches_are_those_of_a_run_that_asked_for_them(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    start(folder, budget="12", confirm="2")
    start(other, budget="12", confirm="5")
    before = folder.journal.read_bytes()
    assert resume(folder, searches=5)
    assert trials_of(folder.confirmation) == trials_of(other.confirmation)
    whole = folder.confirmation.journal.read_bytes().splitlines(keepends=True)
    assert resume(folder, searches=5) == resume(folder, searches=3) == resume(folder)
    assert folder.confirmation.journal.read_bytes() == b"".join(whole), "there are as many already"
    for cut in range(5, len(whole)):
        folder.confirmation.journal.write_bytes(b"".join(whole[:cut]) + whole[cut][:9])
        resume(folder, searches=5)
        assert trials_of(folder.confirmation) == trials_of(other.confirmation), cut
    assert folder.journal.read_bytes() == before
    assert RunRecord.read(folder).state == "finished"


def test_a_killed_confirmation_goes_on_to_what_was_asked_for_last(folder: RunFolder) -> None:
    start(folder, budget="12", confirm="0")
    resume(folder, searches=4)
    lines = folder.confirmation.journal.read_bytes().splitlines(keepends=True)
    folder.confirmation.journal.write_bytes(b"".join(lines[:-3]))
    assert RunRecord.read(folder).state == "interrupted"
    resume(folder)
    assert len(folder.confirmation.read().results) == 8


def test_what_confirms_another_result_is_set_aside_and_found_again(folder: RunFolder) -> None:
    start(folder, budget="1", confirm="2")  # whose incumbent is the default
    first = trials_of(folder.confirmation)
    resume(folder, budget={"budget": 12})
    assert [trials_of(aside) for aside in folder.set_aside] == [first]
    second = trials_of(folder.confirmation)
    assert len(second) == 8
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.set_confirmation_aside()
    assert [aside.path.name for aside in folder.set_aside] == ["confirm-2", "confirm-1"]
    resume(folder)  # as after a kill before the journal was extended again
    assert trials_of(folder.confirmation) == second
    assert folder.journal.read_bytes() == b"".join(lines)


def test_one_search_of_the_default_is_not_taken_for_the_beginning_of_those_of_two(folder: RunFolder) -> None:
    start(folder, budget="1", confirm="1")  # whose incumbent is the default
    first = trials_of(folder.confirmation)
    resume(folder, budget={"budget": 12})
    assert [trials_of(aside) for aside in folder.set_aside] == [first]
    assert len(RunRecord.read(folder).to_confirm) == 2
    assert len(folder.confirmation.read().trials) == 2


def test_searches_that_were_added_are_made_of_the_next_result_too(folder: RunFolder) -> None:
    start(folder, budget="1", confirm="0")
    resume(folder, searches=2)
    resume(folder, budget={"budget": 12})
    assert len(folder.confirmation.read().trials) == 4


def test_a_confirmation_that_was_killed_before_its_first_line_is_no_obstacle(folder: RunFolder) -> None:
    start(folder, budget="12", confirm="1")
    wanted = trials_of(folder.confirmation)
    folder.set_confirmation_aside()
    (folder.confirmation.path / "trials").mkdir(parents=True)
    folder.confirmation.journal.touch()
    resume(folder)
    assert trials_of(folder.confirmation) == wanted


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"budget": 5}, r"budget 5 does not extend the run; allowed: more than 5\n  its limits: budget 5"),
        ({"budget_epochs": 900}, "budget_epochs 900 does not extend the run; the run has no such limit"),
    ],
)
def test_only_a_limit_that_a_run_has_is_raised(folder: RunFolder, budget: dict[str, int], message: str) -> None:
    start(folder, budget="5", confirm="1")
    before = folder.journal.read_bytes()
    with pytest.raises(ConfigError, match=message):
        resume(folder, budget=budget)
    assert folder.journal.read_bytes() == before
    assert folder.confirmation.begun


def test_there_is_something_to_confirm_or_it_is_said(folder: RunFolder, tmp_path: Path) -> None:
    start(folder, budget="5")
    folder.journal.write_bytes(b"".join(folder.journal.read_bytes().splitlines(keepends=True)[:5]))
    with pytest.raises(RunError, match="has not come to its end"):
        resume(folder, searches=5)
    cells = RunFolder(tmp_path / "cells")
    run = plan(load_config(BaselineSettings, {"budget": "3"}, {}))
    launch.start(run, cells, [], Console(file=io.StringIO()), Interrupt())
    with pytest.raises(RunError, match="its cells have no default to compare with"):
        resume(cells, searches=5)
