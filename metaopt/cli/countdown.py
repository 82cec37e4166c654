"""Lines on standard error that say how far a long piece of work is."""

from __future__ import annotations

import sys
import time

from metaopt.runs.progress import duration

_PAUSE_S = 2.0


class Countdown:
    """Prints a line when a piece of work is done, at most every two seconds, and for the last one.

    Args:
        pieces: What the pieces are called, as a plural.
    """

    def __init__(self, pieces: str) -> None:
        self._pieces = pieces
        self._printed_at = float("-inf")

    def __call__(self, done: int, total: int, left_s: float) -> None:
        """Says how many pieces are done, and about how long the others take; ``left_s`` may be NaN."""
        now = time.monotonic()
        if done < total and now - self._printed_at < _PAUSE_S:
            return
        self._printed_at = now
        left = "" if left_s != left_s else f", about {duration(left_s)} left"
        print(f"{done} of {total} {self._pieces}{left}", file=sys.stderr, flush=True)
