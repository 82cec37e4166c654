"""Lines on standard error that say how far a long piece of work is, and about how long the rest takes."""

from __future__ import annotations

import sys
import time

from metaopt.runs.progress import duration

_PAUSE_S = 2.0


class Pace:
    """Prints a line at the first call, for the last piece, and between them at most every two seconds.

    Args:
        pieces: Name of the pieces, a plural.
    """

    def __init__(self, pieces: str) -> None:
        self._pieces = pieces
        self._first: tuple[float, int] | None = None  # second and pieces done at the first call
        self._printed_at = float("-inf")

    def __call__(self, done: int, total: int) -> None:
        """Says how many pieces are done, and how long the others take at the pace since the first call."""
        now = time.monotonic()
        began, before = self._first = self._first or (now, done)
        if done < total and now - self._printed_at < _PAUSE_S:
            return
        self._printed_at = now
        left_s = (now - began) / (done - before) * (total - done) if done > before else None
        left = "" if left_s is None else f", about {duration(left_s)} left"
        print(f"{done} of {total} {self._pieces}{left}", file=sys.stderr, flush=True)
