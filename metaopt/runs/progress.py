"""Shows a run while it goes on: a live bar on a terminal, a line per finished trial elsewhere. Never asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from metaopt.core.trial import Budget, Result, Trial, Value
from metaopt.core.wording import counted
from metaopt.runs.journal import Event
from metaopt.runs.status import RunStatus, Score, Tally

_REFRESHES_PER_S = 4
_BAR_WIDTH = 32
#: Seconds between two looks at the running searches, and how many of them are shown.
_READS_S, _SHOWN = 1.0, 4
Config = Mapping[str, Value]


class Progress:
    """Collects the events of a run; the base of both ways to show them.

    Args:
        title: What is going on, e.g. ``"tuning"``.
        budget: What the run may use.
        console: Where to show it.
        default: The default configuration, whose score is shown; None where there is none.
        scores: Whether to show scores: not where configurations are evaluated again and again, since the best of equals
            is luck.
        simulated: Whether the seconds are those of a simulated clock.
        trained: Number of a running trial to the epochs that it has trained so far.
    """

    def __init__(
        self,
        title: str,
        budget: Budget,
        console: Console,
        *,
        default: Config | None = None,
        scores: bool = True,
        simulated: bool = False,
        trained: Callable[[int], int] | None = None,
    ) -> None:
        self.title, self.budget, self.console = title, budget, console
        self._has_default, self._scores, self._tally = default is not None, scores, Tally(default)
        self._simulated, self._trained = " simulated" if simulated else "", trained
        self._now_s = 0.0

    def replayed(self, events: Sequence[Event]) -> None:
        """Takes the events that earlier drivers wrote."""
        for event in events:
            self._add(event)

    def asked(self, at_s: float, trial: Trial) -> None:
        """Takes a trial that was asked for."""
        self._add(Event(at_s, trial))

    def told(self, at_s: float, result: Result) -> None:
        """Takes a result."""
        self._add(Event(at_s, result))

    def passed(self, at_s: float) -> None:
        """Takes the time."""
        self._now_s = at_s

    def _add(self, event: Event) -> None:
        self._tally.take(event.record)
        self._now_s = event.at_s

    @property
    def status(self) -> RunStatus:
        """How the run stands now."""
        return self._tally.status(self.budget, self._now_s)

    def _summary(self, status: RunStatus) -> str:
        scores = [f"incumbent {_error(status.incumbent)}"]
        scores += [f"default {_error(status.default)}"] if self._has_default else []
        parts = [
            *(scores if self._scores else ()),
            counted(status.epochs, "epoch"),
            f"{duration(status.elapsed_s)}{self._simulated or ' gone'}",
        ]
        parts += [f"about {duration(status.left_s)}{self._simulated} left"] if status.left_s is not None else []
        return " · ".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Lines(Progress):
    """One line per finished trial; those of earlier drivers are summed up in one.

    Args:
        title: See :class:`Progress`.
        budget: Likewise.
        console: Likewise.
        pause_s: Wall seconds after a line in which a trial that is ok gets none: for trials that take no time.
        options: Further ones of :class:`Progress`.
    """

    def __init__(self, title: str, budget: Budget, console: Console, *, pause_s: float = 0.0, **options: Any) -> None:
        super().__init__(title, budget, console, **options)
        self._pause_s, self._printed_at = pause_s, float("-inf")

    def replayed(self, events: Sequence[Event]) -> None:
        """Takes the events that earlier drivers wrote."""
        super().replayed(events)
        if events:
            self._print(f"{self.title} goes on after {_count(self.status, self.budget)} | {self._summary(self.status)}")

    def told(self, at_s: float, result: Result) -> None:
        """Takes a result and says so."""
        trial = self._tally.running[result.trial_id]
        super().told(at_s, result)
        ok = result.status == "ok"
        if ok and time.monotonic() - self._printed_at < self._pause_s:
            return
        status = self.status
        ending = f"valid error {result.valid_error:.4f}" if ok else f"{result.status}: {result.reason}"
        epochs = counted(trial.epochs, "epoch")
        head = f"{self.title} {_count(status, self.budget)}: trial {trial.id}, {epochs}, {ending}"
        self._print(f"{head} | {self._summary(status)}")
        self._printed_at = time.monotonic()

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """Shows its live display for as long as it is entered."""

    _live: AbstractContextManager[object]

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


class Bar(LiveDisplay, Progress):
    """A live bar, with lines of numbers and of the running searches under it; see :class:`Progress`."""

    def __init__(self, title: str, budget: Budget, console: Console, **options: Any) -> None:
        super().__init__(title, budget, console, **options)
        self._read_at, self._searches = float("-inf"), ""
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=_REFRESHES_PER_S)

    def _render(self) -> Group:
        status = self.status
        head = Table.grid(padding=(0, 1))
        part = _part_used(status, self.budget)
        head.add_row(
            Text(self.title, "bold"), ProgressBar(1.0, part, width=_BAR_WIDTH), Text(_count(status, self.budget))
        )
        lines = [self._summary(status), self._running()]
        return Group(head, *(Text(line, "dim") for line in lines if line))

    def _running(self) -> str:
        """Returns how far the running searches are; their files are read once a second."""
        if self._trained is not None and time.monotonic() - self._read_at >= _READS_S:
            trials = list(self._tally.running.values())
            parts = [f"trial {trial.id}: epoch {self._trained(trial.id)}/{trial.epochs}" for trial in trials[:_SHOWN]]
            more = [f"{len(trials) - _SHOWN} more"] if len(trials) > _SHOWN else []
            self._read_at, self._searches = time.monotonic(), " · ".join([*parts, *more])
        return self._searches


def _part_used(status: RunStatus, budget: Budget) -> float:
    """Returns how much of the budget is used, in [0, 1]: the largest part of all its kinds."""
    parts = [
        used / limit
        for used, limit in (
            (status.done, budget.evaluations),
            (status.epochs, budget.epochs),
            (status.elapsed_s, budget.seconds),
        )
        if limit
    ]
    return min(1.0, max(parts, default=0.0))


def _count(status: RunStatus, budget: Budget) -> str:
    total = f"{status.done}/{counted(budget.evaluations, 'trial')}" if budget.evaluations else ""
    counts = [total or counted(status.done, "trial")]
    counts += [f"{status.running} running"] if status.running else []
    counts += [f"{status.failed} failed"] if status.failed else []
    counts += [counted(status.restarts, "restart")] if status.restarts else []
    counts += [f"{status.predicted} predicted"] if status.predicted else []
    return ", ".join(counts)


def _error(score: Score | None) -> str:
    return "none yet" if score is None else f"{score.valid_error:.4f} at {counted(score.epochs, 'epoch')}"


def duration(seconds: float) -> str:
    """Returns a time to read: ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def show(title: str, budget: Budget, console: Console, *, pause_s: float = 0.0, **options: Any) -> Progress:
    """Returns the way to show a run that suits the console, see :class:`Lines`."""
    if console.is_terminal and not console.is_dumb_terminal:
        return Bar(title, budget, console, **options)
    return Lines(title, budget, console, pause_s=pause_s, **options)
