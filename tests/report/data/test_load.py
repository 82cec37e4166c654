from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import fmean

import pytest

from metaopt.cli.run import close
from metaopt.core.errors import JournalError, RunError
from metaopt.report.data.load import load_run, load_runs
from metaopt.report.sections.headline import confirmation
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import Hyperparameter
from metaopt.runs.journal import JournalWriter, read
from metaopt.runs.record import RunRecord


def test_a_run_is_read_whole(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run("a", n=14, confirm=2))
    assert (run.name, len(run.evaluations), len(run.told), len(run.ok), len(run.confirmed)) == ("a", 14, 14, 13, 4)
    assert run.settings["tuner"] == "bohb"
    assert (run.optimum_valid_error, run.optimum_test_error) == (0.031, 0.035)
    assert run.default["learning_rate"] == 0.025
    first = run.evaluations[0]
    assert (first.asked_s, first.told_s) == (0.0, 1.0)
    assert 0 < first.one_shot_error < 1
    crashed = run.evaluations[12]
    assert not crashed.ok
    assert math.isnan(crashed.valid_error)


def test_the_space_is_read_from_the_header(make_run: Callable[..., Path]) -> None:
    space = {h.name: h for h in load_run(make_run(n=1)).space}
    assert space["learning_rate"] == Hyperparameter("learning_rate", 1e-3, 1e-1, log=True, default=0.025)
    assert space["schedule"].choices == ("cosine", "constant", "step")
    assert space["cutout"].choices == (False, True)
    assert (space["cutout_length"].lower, space["cutout_length"].upper) == (1.0, 6.0)


def test_answers_keep_their_order_and_missing_ones_stay_missing(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.3), answer(1, None), answer(2, 0.2)]))
    assert [e.trial.id for e in run.told] == [0, 2]
    assert run.evaluations[1].result is None
    assert math.isnan(run.evaluations[1].told_s)


def test_a_header_that_says_nothing_is_no_obstacle(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.3)], run=None, space=None, objective=None, default=None))
    assert (run.space, dict(run.settings), run.optimum_valid_error, dict(run.default)) == ((), {}, None, {})


def test_a_half_written_line_is_named(make_run: Callable[..., Path]) -> None:
    folder = make_run(n=2, confirm=0)
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    run = load_run(folder)
    assert len(run.told) == 1
    assert "half-written" in run.torn[0]


def test_damage_in_the_middle_is_refused(make_run: Callable[..., Path]) -> None:
    folder = make_run(n=3, confirm=0)
    journal = folder / "journal.jsonl"
    raw = bytearray(journal.read_bytes())
    raw[raw.index(b"\n") + 20] ^= 1
    journal.write_bytes(raw)
    with pytest.raises(JournalError, match="line 2"):
        load_run(folder)


def test_a_missing_folder_names_the_nearest(make_run: Callable[..., Path]) -> None:
    folder = make_run("darts-digits1-bohb-s0", n=1)
    with pytest.raises(RunError, match=r"no run folder .*s9; did you mean .*darts-digits1-bohb-s0\?"):
        load_run(folder.with_name("darts-digits1-bohb-s9"))


def test_a_folder_without_a_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a run folder: it has no journal\.jsonl"):
        load_run(tmp_path)


def test_runs_of_one_name_are_told_apart(make_run: Callable[..., Path]) -> None:
    first = make_run("same", n=1)
    second = shutil.copytree(first, first.parent / "elsewhere" / "same")
    assert [run.name for run in load_runs([first, second])] == ["same", "same (2)"]


@pytest.mark.parametrize(
    ("hyperparameter", "value", "place"),
    [
        (Hyperparameter("x", 0.0, 10.0), 2.5, 0.25),
        (Hyperparameter("x", 0.01, 100.0, log=True), 1.0, 0.5),
        (Hyperparameter("x", 0.0, 1.0), 1.5, 1.0),
        (Hyperparameter("x", choices=("a", "b")), "b", 0.75),
    ],
)
def test_positions_lie_on_the_sampled_scale(hyperparameter: Hyperparameter, value: float | str, place: float) -> None:
    assert hyperparameter.position(value) == pytest.approx(place)


def ended(path: Path) -> Path:
    """Writes at the end of a run's journals that it has come to its end."""
    for journal in (path / "journal.jsonl", path / "confirm" / "journal.jsonl"):
        with closing(JournalWriter(journal, read(journal))) as writer:
            writer.end(60.0, "the budget is used up")
    return path


def test_the_page_shows_what_the_record_says(make_run: Callable[..., Path]) -> None:
    path = ended(make_run(n=12, confirm=3))
    record, run = RunRecord.read(RunFolder(path)), load_run(path)
    assert run.incumbent is not None
    assert run.incumbent.trial == record.incumbent
    assert run.default_evaluation is not None
    assert record.status.default is not None
    assert run.default_evaluation.trial.id == record.status.default.trial_id
    assert (run.predicted, run.restarts) == (record.status.predicted, record.status.restarts)
    assert record.confirmation is not None
    on_page = confirmation(run)
    for shown, side in ((on_page.default, "default"), (on_page.tuned, "tuned")):
        assert [e.test_error for e in shown] == record.confirmation.errors(side, "test_error")  # type: ignore[arg-type]


def test_the_terminal_says_the_means_of_the_page(
    make_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = ended(make_run(n=12, confirm=3))
    assert close(RunFolder(path), "the budget is used up", False, None) == 0
    said = capsys.readouterr().out
    on_page = confirmation(load_run(path))
    for name, shown in (("default", on_page.default), ("incumbent", on_page.tuned)):
        mean = fmean(e.test_error for e in shown)
        assert re.search(rf"^  {name} +mean test error {mean:.4f}", said, re.MULTILINE), said
