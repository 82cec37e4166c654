from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import JournalError, RunError
from metaopt.core.trial import Result, Trial
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalWriter
from metaopt.studies.archive import pack
from metaopt.studies.gather import gather

ROOT = Path(__file__).parents[2]
COURSE = {
    "one_shot_error": [0.5, 0.25],
    "cell": ["1110101101:maxpool3x3:conv1x1:maxpool3x3", "111:maxpool3x3"],
    "valid_error": [0.096667, 0.074667],
    "test_error": [0.099944, 0.070352],
}
SPACE = {"name": "darts", "hyperparameters": [{"name": "x", "type": "uniform_float", "lower": 0.0, "upper": 1.0}]}
Answer = tuple[Trial, Result]


def answer(number: int, x: float = 0.5, *, seed: int = 1, **course: Any) -> Answer:
    trial = Trial(number, 0, {"x": x}, 2, seed)
    return trial, Result(number, "ok", 0.07, 0.07, cost_s=4.5, info={"trajectory": {**COURSE, **course}})


def header(**run: Any) -> dict[str, Any]:
    settings = {"optimizer": "darts", "benchmark": "digits", "cell_space": 1, "channels": None, **run}
    host = {"commit": "abc", "name": "here"}
    return {"run": settings, "space": SPACE, "objective": {"name": "oneshot", "table": {"cells": 9}}, "host": host}


def write(folder: RunFolder, content: Mapping[str, Any], answers: list[Answer]) -> Path:
    recorded = folder.begin(content)
    with closing(JournalWriter(folder.journal, recorded)) as journal:
        for trial, result in answers:
            journal.ask(0.0, trial)
            journal.tell(1.0, result)
        journal.ask(2.0, Trial(len(answers), 0, {"x": 0.1}, 2, 99))
    return folder.path


def test_searches_of_a_run_and_of_its_confirmation(tmp_path: Path) -> None:
    run = write(RunFolder(tmp_path / "mine"), header(), [answer(0), answer(1, 0.25, seed=2)])
    write(RunFolder(run).confirmation, header(), [answer(0, seed=3)])
    gathered = gather([run], "digits", 1)
    assert [(s.optimizer, s.space, s.config["x"], s.epochs, s.seed, s.source) for s in gathered.searches.values()] == [
        ("darts", "darts", 0.5, 2, 1, "mine"),
        ("darts", "darts", 0.25, 2, 2, "mine"),
        ("darts", "darts", 0.5, 2, 3, "mine/confirm"),
    ]
    first = next(iter(gathered.searches.values()))
    assert (first.one_shot_error, first.cell, first.cost_s) == ((0.5, 0.25), tuple(COURSE["cell"]), 4.5)
    assert (first.valid_error, first.test_error) == ((0.096667, 0.074667), (0.099944, 0.070352))
    assert gathered.left_out == {}
    assert gathered.spaces == {"darts": SPACE}
    assert gathered.made_by == [{"versions": {}, "commit": "abc"}]


def test_runs_of_a_study_are_found_packed_or_not(tmp_path: Path) -> None:
    study = tmp_path / "study"
    for number in range(3):
        write(RunFolder(study / f"darts-s{number}"), header(), [answer(0, seed=number)])
    loose = gather([study], "digits", 1)
    pack(study, ["darts-s0", "darts-s1"])
    packed = gather([study], "digits", 1)
    assert packed.searches == loose.searches
    assert {s.source for s in packed.searches.values()} == {f"study/darts-s{number}" for number in range(3)}


def test_a_search_counts_once_and_the_first_telling_is_kept(tmp_path: Path) -> None:
    other = answer(1, one_shot_error=[0.5, 0.75])
    first = write(RunFolder(tmp_path / "a"), header(), [answer(0)])
    second = write(RunFolder(tmp_path / "b"), header(), [answer(0), other, answer(2, seed=5)])
    gathered = gather([first, second], "digits", 1)
    assert [(s.source, s.seed) for s in gathered.searches.values()] == [("a", 1), ("b", 5)]
    assert gathered.left_out == {
        "searches that are there already": 1,
        "searches that are there already, but with another course": 1,
    }


def test_what_is_no_recorded_search_is_left_out_and_counted(tmp_path: Path) -> None:
    crashed = Trial(0, 0, {"x": 0.5}, 2, 1), Result(0, "crashed", reason="on purpose")
    trial, result = answer(1)
    predicted = trial, replace(result, info={**result.info, "predicted": True})
    trial, result = answer(2)
    bare = trial, replace(result, info={})
    run = write(RunFolder(tmp_path / "a"), header(), [crashed, predicted, bare, answer(3)])
    look_up = write(RunFolder(tmp_path / "b"), {"run": {"benchmark": "digits", "cell_space": 1}}, [])
    elsewhere = write(RunFolder(tmp_path / "c"), header(cell_space=2), [answer(0)])
    gathered = gather([run, look_up, elsewhere], "digits", 1)
    assert len(gathered.searches) == 1
    assert gathered.left_out == {
        "failed searches": 1,
        "searches whose cell a surrogate scored": 1,
        "searches without a trajectory": 1,
        "runs of look-ups": 1,
        "runs of another benchmark or cell space": 1,
    }


def test_spaces_of_one_name_are_told_apart(tmp_path: Path) -> None:
    wider = {**SPACE, "hyperparameters": [{**SPACE["hyperparameters"][0], "upper": 2.0}]}  # type: ignore[dict-item]
    first = write(RunFolder(tmp_path / "a"), header(), [answer(0)])
    second = write(RunFolder(tmp_path / "b"), {**header(), "space": wider}, [answer(0, seed=2)])
    gathered = gather([first, second], "digits", 1)
    assert gathered.spaces == {"darts": SPACE, "darts (2)": wider}
    assert [search.space for search in gathered.searches.values()] == ["darts", "darts (2)"]


def larger_table(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "objective": {"name": "oneshot", "table": {"cells": 10}}}


def wider_supernet(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "run": {**content["run"], "channels": 16}}


@pytest.mark.parametrize(
    ("change", "named"),
    [(larger_table, "table.cells was 9 and is 10"), (wider_supernet, "settings.channels was None and is 16")],
)
def test_searches_of_another_problem_are_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], named: str, tmp_path: Path
) -> None:
    first = write(RunFolder(tmp_path / "a"), header(), [answer(0)])
    second = write(RunFolder(tmp_path / "b"), change(header()), [answer(0, seed=2)])
    with pytest.raises(JournalError, match=f"b/journal.jsonl is of another problem than the runs before it: {named}"):
        gather([first, second], "digits", 1)


def test_what_is_no_cell_is_refused(tmp_path: Path) -> None:
    run = write(RunFolder(tmp_path / "a"), header(), [answer(0, cell=["111:maxpool3x3", "nonsense"])])
    with pytest.raises(JournalError, match="has no cell as one that trial 0 has found"):
        gather([run], "digits", 1)


def test_a_folder_of_neither_and_one_without_searches_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="empty is not a run folder"):
        gather([tmp_path / "empty"], "digits", 1)
    with pytest.raises(RunError, match=r"there is no run folder .*none"):
        gather([tmp_path / "none"], "digits", 1)
    run = write(RunFolder(tmp_path / "a"), header(), [answer(0)])
    with pytest.raises(RunError, match=r"no finished search of 'other', cell space 2, in .*/a; left out, runs of an"):
        gather([run], "other", 2)


def test_a_run_of_an_earlier_version_is_read() -> None:
    gathered = gather([ROOT / "results/reference/darts-digits1-bohb"], "digits", 1)
    assert len(gathered.searches) >= 50
    assert {len(search.cell) for search in gathered.searches.values()} <= {8, 16}
