"""Checks of the machine: Python and its packages, PyTorch, Dask, cores, memory, files, text.

Libraries are loaded by the checks of them, so that one that cannot be loaded fails no other check.
"""

from __future__ import annotations

import locale
import os
import platform
import resource
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from metaopt.core import paths
from metaopt.core.distribution import NAME, VERSION
from metaopt.core.errors import REINSTALL, MetaoptError
from metaopt.core.machine import cores
from metaopt.core.registry import load
from metaopt.core.system_errors import explained
from metaopt.doctor.checks import Finding
from metaopt.executors.process.fork_server import check_temporary_folder

_GB = 2**30
#: A run with its report has a few MB, a built table with its parts about 100 MB.
LEAST_FREE_GB = 1.0
#: A worker with torch has about 0.5 GB.
LEAST_MEMORY_GB = 1.0
#: Dask wants some tens of files for every worker.
LEAST_FILES = 512
_DASK_S = 60.0


def python() -> Finding:
    """Whether Python is one that metaopt runs on."""
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    try:
        wanted = metadata.metadata(NAME)["Requires-Python"]
    except metadata.PackageNotFoundError:
        return _not_installed()
    if not SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        return Finding("problem", text, f"install a Python {wanted}")
    return Finding("ok", text) if sys.platform == "linux" else Finding("warning", text, "metaopt is tested on Linux")


def versions() -> Finding:
    """Whether what is installed is what metaopt's package demands."""
    try:
        demands = [Requirement(text) for text in metadata.requires(NAME) or ()]
    except metadata.PackageNotFoundError:
        return _not_installed()
    needed = [demand for demand in demands if demand.marker is None or demand.marker.evaluate({"extra": ""})]
    wrong = [text for demand in needed if (text := _unmet(demand))]
    if wrong:
        return Finding("problem", "; ".join(wrong), REINSTALL)
    return Finding("ok", f"metaopt {VERSION}, and {len(needed)} packages as it demands")


def _not_installed() -> Finding:
    return Finding("problem", f"the package {NAME} is not installed, only its files are there", REINSTALL)


def _unmet(demand: Requirement) -> str:
    try:
        found = metadata.version(demand.name)
    except metadata.PackageNotFoundError:
        return f"{demand.name} is not installed"
    return "" if demand.specifier.contains(found, prereleases=True) else f"{demand.name} {found} is not {demand}"


def pytorch() -> Finding:
    """Whether PyTorch computes."""
    import torch

    if float((torch.ones(2, 2) @ torch.ones(2, 2)).sum()) != 8.0:
        return Finding("problem", f"PyTorch {torch.__version__} computes wrongly", "install torch again")
    return Finding("ok", f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")


def device() -> Finding:
    """The device that searches run on."""
    import torch

    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
        return Finding("ok", ", ".join(f"{card.name}, {card.total_memory / 2**30:.0f} GB" for card in cards))
    if torch.version.cuda:
        return Finding("warning", "PyTorch is built for CUDA and sees no device", "check the driver")
    return Finding("ok", "CPU; this build of PyTorch is for CPUs")


def dask() -> Finding:
    """Whether a worker process of a cluster on this machine does a task."""
    with load("metaopt.executors.dask.local:local_cluster")(1) as client:
        length = client.submit(len, (1, 2, 3)).result(timeout=_DASK_S)
    if length != 3:
        return Finding("problem", f"a worker says that 3 is {length}", "install distributed again")
    return Finding("ok", "a worker of a cluster on this machine has done a task")


def home() -> Finding:
    """Whether tables and images can be kept."""
    return writable(paths.home(), "METAOPT_HOME")


def runs() -> Finding:
    """Whether runs can be kept in the current folder."""
    return writable(Path("runs").absolute(), "another current folder, or --folder")


def writable(folder: Path, setting: str) -> Finding:
    """Tries to write a file in a folder, or where it would be made, and takes it away again."""
    place = folder
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
        with tempfile.NamedTemporaryFile(dir=place, prefix=".metaopt-doctor-") as file:
            file.write(b"written")
    except OSError as error:
        found = explained(error, f"cannot write to {place}", f"choose {setting}")
        return Finding("problem", found.message, found.hint)
    return Finding("ok", f"{folder} can be " + ("written" if place == folder else "made"))


def temporary() -> Finding:
    """Whether temporary files can be written, and sockets among them."""
    try:
        check_temporary_folder()
        return writable(Path(tempfile.gettempdir()), "another TMPDIR")
    except MetaoptError as error:
        return Finding("problem", error.message, error.hint)
    except OSError as error:
        found = explained(error, "there is no folder for temporary files", "set TMPDIR to one")
        return Finding("problem", found.message, found.hint)


def disk() -> Finding:
    """Whether there is room for runs."""
    free_gb = shutil.disk_usage(Path.cwd()).free / _GB
    text = f"{free_gb:.1f} GB free in {Path.cwd()}"
    return Finding("ok", text) if free_gb >= LEAST_FREE_GB else Finding("warning", text, "make room, or go elsewhere")


def processors() -> Finding:
    """How many cores this process may use, by its affinity and its control group."""
    share = _group_limit("cpu.max")
    text = f"{cores()} of {os.cpu_count()} cores"
    if share is not None and share < cores():
        return Finding("warning", f"{text}, limited to the time of {share:g}", f"say --workers {max(1, int(share))}")
    return Finding("ok", text)


def memory() -> Finding:
    """How much memory there is, by the machine and by the control group."""
    total_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB
    limit = _group_limit("memory.max")
    usable_gb = total_gb if limit is None else min(total_gb, limit / _GB)
    text = f"{usable_gb:.1f} GB of {total_gb:.1f} GB may be used"
    if usable_gb < LEAST_MEMORY_GB:
        return Finding("problem", text, f"a search wants {LEAST_MEMORY_GB:g} GB: raise the limit")
    if usable_gb < LEAST_MEMORY_GB * cores():
        return Finding("warning", text, f"say --workers {int(usable_gb / LEAST_MEMORY_GB)}")
    return Finding("ok", text)


def _group_limit(name: str) -> float | None:
    """Returns the limit of this process's control group (version 2): cores or bytes; None where there is none."""
    try:
        group = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
        limit, *period = (Path("/sys/fs/cgroup") / group / name).read_text().split()
    except (OSError, ValueError):
        return None
    return None if limit == "max" else float(limit) / float(period[0] if period else 1)


def open_files() -> Finding:
    """Whether enough files and sockets may be open at a time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} open files at a time"
    return Finding("ok", text) if soft >= LEAST_FILES else Finding("problem", text, f"ulimit -n {min(hard, 4096)}")


def encoding() -> Finding:
    """Whether text is UTF-8."""
    names = {locale.getpreferredencoding(False), sys.getfilesystemencoding(), str(sys.stdout.encoding)}
    text = f"text is {', '.join(sorted(names))}"
    if all(name.lower().replace("-", "") == "utf8" for name in names):
        return Finding("ok", text)
    return Finding("warning", text, "set LC_ALL=C.UTF-8 or PYTHONUTF8=1")
