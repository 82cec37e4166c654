"""The machine, and what a result was made with: cores, versions, host and commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

from metaopt.core.distribution import VERSION
from metaopt.core.redaction import redacted_command

_LIBRARIES = (
    "torch", "numpy", "scipy", "ConfigSpace", "hpbandster", "statsmodels", "distributed", "scikit-learn",
)  # fmt: skip
_CPUINFO = Path("/proc/cpuinfo")
#: What Linux tells of a processor, x86 and ARM, and how it is called here.
_OF_PROCESSOR = {
    "model name": "", "cpu family": "family", "model": "model", "CPU implementer": "implementer", "CPU part": "part",
}  # fmt: skip


def command_line() -> list[str]:
    """Returns the command line of this process without secrets, and with the name of the command for its path."""
    return ["metaopt", *redacted_command(sys.argv[1:])]


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the libraries that results depend on, without importing them."""
    found = {"python": platform.python_version(), "metaopt": VERSION}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def host(cores: int) -> dict[str, str | int]:
    """Returns the machine, and the commit of the checkout that metaopt runs from, if it does.

    Args:
        cores: Number of cores that the run may use.
    """
    return {
        "name": platform.node(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(_CPUINFO),
        "cores": cores,
        "commit": _commit(),
    }


def _processor(cpuinfo: Path) -> str:
    """Returns what a processor is called and which generation it is: those of one name round differently."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = dict(part for line in lines if len(part := [word.strip() for word in line.split(":", 1)]) == 2)
    parts = [f"{short} {said[name]}".lstrip() for name, short in _OF_PROCESSOR.items() if said.get(name)]
    return ", ".join(parts) or platform.processor() or platform.machine()


def _commit() -> str:
    root = Path(str(resources.files("metaopt"))).parent
    if not (root / ".git").exists():
        return ""
    try:
        # The environment may name another repository, as it does in a hook.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
