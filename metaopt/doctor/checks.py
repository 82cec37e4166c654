"""The list of checks, and running them so that one that fails or hangs, as with a broken library, hurts no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from metaopt.core.registry import load

#: Seconds after which a check is given up.
LIMIT_S = 90.0

#: In the order of what builds on what.
CHECKS = {
    "python": "metaopt.doctor.machine:python",
    "versions": "metaopt.doctor.machine:versions",
    "torch": "metaopt.doctor.machine:pytorch",
    "device": "metaopt.doctor.machine:device",
    "cores": "metaopt.doctor.machine:processors",
    "memory": "metaopt.doctor.machine:memory",
    "open files": "metaopt.doctor.machine:open_files",
    "encoding": "metaopt.doctor.machine:encoding",
    "home": "metaopt.doctor.machine:home",
    "runs": "metaopt.doctor.machine:runs",
    "disk": "metaopt.doctor.machine:disk",
    "temporary files": "metaopt.doctor.machine:temporary",
    "dask": "metaopt.doctor.machine:dask",
}
#: Gives the checks of every benchmark that there is.
BENCHMARKS = "metaopt.doctor.benchmarks:benchmarks"


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


def examine_all(checks: Mapping[str, str] = CHECKS, limit_s: float = LIMIT_S) -> dict[str, Finding]:
    """Runs the named checks, and those of every benchmark."""
    found = examine({name: _loaded(path) for name, path in checks.items()}, limit_s)
    more: dict[str, Check] = {}

    def listed() -> Finding:
        more.update(load(BENCHMARKS)())
        return Finding("ok", f"{len(more)} tables and images to check")

    return found | examine({"benchmarks": listed}, limit_s) | examine(more, limit_s)


def _loaded(path: str) -> Check:
    def check() -> Finding:
        found: Finding = load(path)()
        return found

    return check


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
            found.append(
                Finding(
                    "problem",
                    f"the check itself failed: {type(error).__name__}: {text}",
                    "fix that error, then run metaopt doctor again",
                )
            )

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    advice = "see what it waits for: a busy machine, a network file system, a broken device"
    return found[0] if found else Finding("problem", f"no answer within {limit_s:g} s", advice)
