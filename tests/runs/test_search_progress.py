from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.runs.search_progress import SearchProgress


def epoch(number: int, valid: float | None = 0.25, eigenvalue: float | None = None) -> TrajectoryEpoch:
    test = None if valid is None else valid + 0.1
    return TrajectoryEpoch(number, 1.23456, 0.5, valid, test, None, eigenvalue, {})


def play(console: Console) -> str:
    with SearchProgress(12, (0.05, 0.25), console) as progress:
        progress(epoch(1))
        progress(epoch(2, None))
        progress(epoch(13, None, eigenvalue=0.123456))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_per_epoch() -> None:
    assert play(Console(file=io.StringIO(), width=40)).splitlines() == [
        "epoch  1/12: train loss 1.235, one-shot error 0.5000, table regret 0.2000 (test 0.1000)",
        "epoch  2/12: train loss 1.235, one-shot error 0.5000",
        "epoch 13 (asked: 12): train loss 1.235, one-shot error 0.5000, eigenvalue 0.123",
    ]


def test_a_cell_that_nobody_knows_is_said() -> None:
    file = io.StringIO()
    with SearchProgress(12, (0.05, 0.25), Console(file=file, width=40)) as progress:
        progress(replace(epoch(5, None), cell="1"))
    assert file.getvalue() == "epoch  5/12: train loss 1.235, one-shot error 0.5000, its cell is not in the table\n"


def test_what_happened_in_an_epoch_has_a_line_below_it() -> None:
    file = io.StringIO()
    with SearchProgress(12, (0.05, 0.25), Console(file=file, width=40)) as progress:
        progress(replace(epoch(5), note="stopped by the rule code, went back to epoch 3"))
    assert file.getvalue().splitlines()[1:] == ["  stopped by the rule code, went back to epoch 3"]


def test_a_bar_below_the_lines_on_a_terminal() -> None:
    said = play(Console(file=io.StringIO(), force_terminal=True, width=120, _environ={"TERM": "xterm"}))
    assert "epoch  2/12: train loss" in said
    assert "searching" in said
    assert "epoch  0/12 · 0 s gone" in said
    assert "epoch 13 (asked: 12) · 0 s gone" in said
    assert said.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in said, "the cursor stays hidden"


def test_a_dumb_terminal_gets_lines_only() -> None:
    said = play(Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"}))
    assert "searching" not in said
