"""Shows a search while it goes on: a line per epoch, on a terminal above a live bar. Never asks."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.runs.progress import LiveDisplay, duration

_REFRESHES_PER_S = 4
_BAR_WIDTH = 32


class SearchProgress(LiveDisplay):
    """Call it with every epoch; use it as a context.

    Args:
        epochs: That were asked for; a search may train fewer or more.
        optima: Lowest validation and lowest test error in the table, which regrets are counted from.
        console: Where to show it.
    """

    def __init__(self, epochs: int, optima: tuple[float, float], console: Console) -> None:
        self._epochs, self._optima, self._console = epochs, optima, console
        self._done, self._began = 0, time.monotonic()
        is_live = console.is_terminal and not console.is_dumb_terminal
        self._live: AbstractContextManager[object] = (
            Live(get_renderable=self._bar, console=console, refresh_per_second=_REFRESHES_PER_S, transient=True)
            if is_live
            else nullcontext()
        )

    def __call__(self, epoch: TrajectoryEpoch) -> None:
        """Takes an epoch and says what it was like."""
        self._done = epoch.epoch
        for line in (self._line(epoch), *([f"  {epoch.note}"] if epoch.note else [])):
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _line(self, epoch: TrajectoryEpoch) -> str:
        parts = [f"train loss {epoch.train_loss:.3f}", f"one-shot error {epoch.one_shot_error:.4f}"]
        if epoch.valid_error is not None and epoch.test_error is not None:
            valid, test = epoch.valid_error - self._optima[0], epoch.test_error - self._optima[1]
            parts.append(f"table regret {valid:.4f} (test {test:.4f})")
        elif epoch.cell is not None:
            parts.append("its cell is not in the table")
        parts += [] if epoch.eigenvalue is None else [f"eigenvalue {epoch.eigenvalue:.3g}"]
        return f"epoch {self._count()}: {', '.join(parts)}"

    def _count(self) -> str:
        if self._done > self._epochs:  # the search went back, or trains on to decide its cell
            return f"{self._done} (asked: {self._epochs})"
        return f"{self._done:>{len(str(self._epochs))}}/{self._epochs}"

    def _bar(self) -> Table:
        gone = time.monotonic() - self._began
        times = [f"{duration(gone)} gone"]
        if 0 < self._done < self._epochs:
            times.append(f"about {duration(gone / self._done * (self._epochs - self._done))} left")
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text("searching", "bold"),
            ProgressBar(self._epochs, min(self._done, self._epochs), width=_BAR_WIDTH),
            Text(f"epoch {self._count()} · {' · '.join(times)}", "dim"),
        )
        return bar
