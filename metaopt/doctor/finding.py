"""What a check has found, and running one so that nothing it does can hurt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check.

    Attributes:
        state: ``warning``: it works, but less well; ``problem``: something will not work.
        text: What was found.
        advice: What to do next; empty if all is well.
    """

    state: State
    text: str
    advice: str = ""


Check = Callable[[], Finding]


def examine(checks: Mapping[str, Check], limit_s: float) -> dict[str, Finding]:
    """Runs checks in turn; one that fails itself, or takes longer than ``limit_s`` seconds, is a problem."""
    return {name: _examined(check, limit_s) for name, check in checks.items()}


def _examined(check: Check, limit_s: float) -> Finding:
    found: list[Finding] = []

    def run() -> None:
        try:
            found.append(check())
        except BaseException as error:  # whatever a broken machine makes of it, the other checks go on
            text = " ".join(str(error).split())
            found.append(Finding("problem", f"the check itself failed: {type(error).__name__}: {text}", "mend that"))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    advice = "see what it waits for: a busy machine, a network file system, a broken device"
    return found[0] if found else Finding("problem", f"no answer within {limit_s:g} s", advice)
