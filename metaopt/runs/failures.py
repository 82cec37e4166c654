"""Ends a run whose evaluations all fail in the same way before that has used up its budget."""

from __future__ import annotations

from metaopt.core.errors import RunError
from metaopt.core.trial import Result
from metaopt.core.wording import counted, shown


class EveryTrialFailsError(RunError):
    """A run that was stopped since it had nothing but equal failures; the rest of its budget is kept."""


class FirstFailures:
    """Counts how often evaluations have failed in the same way, as long as none has ever succeeded.

    Args:
        most: Failures of the same kind in a row after which there is no hope; 0: there always is.
        succeeded: Whether an evaluation has succeeded before, so that nothing is counted any more.
    """

    def __init__(self, most: int, succeeded: bool) -> None:
        self._most, self._succeeded = most, succeeded
        self._kind, self._count, self._reason = "", 0, ""

    def told(self, result: Result) -> None:
        """Takes note of a result."""
        self._succeeded = self._succeeded or result.status == "ok"
        if result.status in ("ok", "stopped"):
            return
        kind = f"{result.status}: {result.reason.partition(':')[0]}"
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind, self._reason = kind, result.reason

    @property
    def hopeless(self) -> bool:
        """Whether so many have failed in the same way, and no other has succeeded."""
        return bool(self._most) and not self._succeeded and self._count >= self._most

    def error(self, again: str) -> EveryTrialFailsError:
        """Returns the error for a run without hope.

        Args:
            again: The command that goes on with it.
        """
        failed = counted(self._count, "evaluation")
        return EveryTrialFailsError(
            f"{failed} in a row failed in the same way, and none has succeeded, so that the run is stopped and the "
            f"rest of its budget kept: {shown(self._reason)}",
            f"remove the cause, then go on with: {again}; with --stop-after-failures 0 it goes on whatever fails. "
            "Limits of time and memory are the run's own: for others start a new one",
        )
