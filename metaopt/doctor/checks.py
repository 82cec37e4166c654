"""The list of checks, loaded one by one and by name: a library that cannot be loaded fails its own check only."""

from __future__ import annotations

from collections.abc import Mapping

from metaopt.core.registry import load
from metaopt.doctor.finding import Check, Finding, examine

#: Seconds after which a check is given up.
LIMIT_S = 90.0

#: In the order of what builds on what.
CHECKS = {
    "python": "metaopt.doctor.machine:python",
    "versions": "metaopt.doctor.packages:versions",
    "torch": "metaopt.doctor.pytorch:pytorch",
    "device": "metaopt.doctor.pytorch:device",
    "cores": "metaopt.doctor.machine:processors",
    "memory": "metaopt.doctor.machine:memory",
    "open files": "metaopt.doctor.machine:open_files",
    "encoding": "metaopt.doctor.machine:encoding",
    "home": "metaopt.doctor.machine:home",
    "runs": "metaopt.doctor.machine:runs",
    "disk": "metaopt.doctor.machine:disk",
    "temporary files": "metaopt.doctor.machine:temporary",
    "dask": "metaopt.doctor.cluster:dask",
}
#: Gives the checks of every benchmark that there is.
BENCHMARKS = "metaopt.doctor.benchmarks:benchmarks"


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
