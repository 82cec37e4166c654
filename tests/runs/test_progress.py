from __future__ import annotations

import io

import pytest
from rich.console import Console

from metaopt.core.trial import Budget, Result, Trial
from metaopt.runs.journal import Event
from metaopt.runs.progress import Bar, Lines, Progress, duration, show


def trial(number: int) -> Trial:
    return Trial(number, number, {"x": 0.5 + number}, 9, seed=0)


def play(progress: Progress) -> str:
    with progress:
        progress.replayed([Event(0.0, trial(0)), Event(2.0, Result(0, "ok", 0.25))])
        progress.asked(2.0, trial(1))
        progress.told(4.0, Result(1, "crashed", cost_s=2.0, reason="[red]why[/red]"))
        progress.asked(4.0, trial(2))
        progress.passed(5.0)
    assert isinstance(progress.console.file, io.StringIO)
    return progress.console.file.getvalue()


def test_lines_without_a_terminal() -> None:
    progress = show("tuning", Budget(evaluations=4), Console(file=io.StringIO()), default={"x": 0.5})
    assert isinstance(progress, Lines)
    before, line = play(progress).splitlines()
    assert before.startswith("tuning goes on after 1/4 trials | incumbent 0.2500 at 9 epochs")
    assert before.endswith("2 s gone · about 6 s left")
    assert line.startswith("tuning 2/4 trials, 1 failed: trial 1, 9 epochs, crashed: [red]why[/red] | ")
    assert "default 0.2500 at 9 epochs" in line
    assert line.endswith("4 s gone · about 4 s left")
    assert "\x1b" not in line


def test_the_best_of_equals_is_not_shown() -> None:
    said = play(show("confirming", Budget(evaluations=4), Console(file=io.StringIO()), scores=False))
    assert "incumbent" not in said
    assert "4 s gone" in said


def test_of_cells_no_default_is_shown() -> None:
    said = play(show("tuning", Budget(evaluations=4), Console(file=io.StringIO())))
    assert "incumbent 0.2500" in said
    assert "default" not in said


def test_a_bar_on_a_terminal() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, _environ={"TERM": "xterm"})
    progress = show("tuning", Budget(evaluations=4), console, default={"x": 0.5})
    assert isinstance(progress, Bar)
    text = play(progress)
    assert "2/4 trials, 1 running, 1 failed" in text
    assert "incumbent 0.2500 at 9 epochs · default 0.2500 at 9 epochs" in text
    assert "\x1b[?25l" in text
    assert text.rstrip().endswith("\x1b[?25h"), "the cursor stays hidden"


def test_colour_is_left_out_where_it_is_not_wanted() -> None:
    environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    console = Console(file=io.StringIO(), force_terminal=True, width=120, _environ=environment)
    assert "\x1b[3" not in play(show("tuning", Budget(evaluations=4), console)).replace("\x1b[?", "")


def test_a_dumb_terminal_gets_lines() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(show("tuning", Budget(), console), Lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_trials_that_take_no_time_get_a_line_now_and_then_but_failures_always() -> None:
    progress = show("tuning", Budget(evaluations=9), Console(file=io.StringIO()), pause_s=3600.0)
    for number in range(4):
        progress.asked(0.0, trial(number))
        progress.told(1.0, Result(number, "crashed" if number == 2 else "ok", None if number == 2 else 0.25))
    assert isinstance(progress.console.file, io.StringIO)
    lines = progress.console.file.getvalue().splitlines()
    assert ["trial 0," in lines[0], "trial 2," in lines[1], len(lines)] == [True, True, 2]


def test_simulated_seconds_are_called_so() -> None:
    said = play(show("tuning", Budget(evaluations=4), Console(file=io.StringIO()), simulated=True))
    assert "4 s simulated · about 4 s simulated left" in said
    assert "gone" not in said


def test_one_trial_is_no_plural() -> None:
    assert "tuning goes on after 1/1 trial |" in play(show("tuning", Budget(1), Console(file=io.StringIO())))


def test_a_bar_shows_the_epochs_of_running_searches() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, _environ={"TERM": "xterm"})
    progress = Bar("tuning", Budget(9), console, trained={2: 4, 3: 0, 4: 1, 5: 2, 6: 3}.__getitem__)
    play(progress)
    for number in range(3, 7):
        progress.asked(6.0, trial(number))
    progress._read_at = float("-inf")
    assert progress._running() == (
        "trial 2: epoch 4/9 · trial 3: epoch 0/9 · trial 4: epoch 1/9 · trial 5: epoch 2/9 · 1 more"
    )
