"""Whether a worker runs what its driver runs: results of two versions are not to be mixed in one run."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from metaopt.core.machine import versions

_SOURCE = "metaopt's source"


@cache
def environment() -> dict[str, str]:
    """Returns the versions that results depend on, and a digest of metaopt's own modules."""
    found = {name: version.partition("+")[0] for name, version in versions().items()}  # not for which device torch is
    found["python"] = found["python"].rpartition(".")[0]
    return {**found, _SOURCE: _digest(Path(str(resources.files("metaopt"))))}


def fingerprint() -> str:
    """Returns what differs between any two environments, in twelve letters and digits."""
    return hashlib.sha256(json.dumps(environment(), sort_keys=True).encode()).hexdigest()[:12]


def misfit(wanted: Mapping[str, str]) -> str:
    """Returns why this process must not evaluate for a driver that has the environment ``wanted``; empty if it may."""
    here = environment()
    differing = [
        f"{name} {here.get(name, 'not installed')}, and the driver {wanted[name]}"
        for name in wanted
        if here.get(name) != wanted[name]
    ]
    if differing:
        return "it has " + "; ".join(differing)
    if multiprocessing.current_process().daemon:
        return "it may not start processes: set DASK_DISTRIBUTED__WORKER__DAEMON=False where it is started"
    return ""


def _digest(folder: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(f"{path.relative_to(folder)}\n".encode())
        content.update(path.read_bytes())
    return content.hexdigest()[:12]
