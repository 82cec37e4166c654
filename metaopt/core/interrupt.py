"""Turns Ctrl-C, and the signals by which a batch system takes a machine away, into a wish to stop.

A second one is an order.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

#: Ctrl-C; what ``kill`` and batch systems send before they kill; what is sent ahead of that for programs that go on
#: elsewhere, e.g. by ``sbatch --signal=USR2@60``.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
_SHOW_CURSOR = "\x1b[?25h"


class Interrupt:
    """While entered, catches :data:`SIGNALS`. Call it to learn whether one came."""

    def __init__(self) -> None:
        self._came = self._raises = False
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Returns whether a signal came."""
        return self._came

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Has a signal raise KeyboardInterrupt on the spot, for work that nobody can ask in between.

        Raises:
            KeyboardInterrupt: also where one has come already.
        """
        self._raises = True
        try:
            if self._came:
                raise KeyboardInterrupt
            yield
        finally:
            self._raises = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._catch) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            # The journal is on the disk and every child dies with this process; only the terminal wants tidying.
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR.encode())
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._came = True
        if self._raises:
            raise KeyboardInterrupt
