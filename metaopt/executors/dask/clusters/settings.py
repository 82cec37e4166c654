"""The settings of a cluster: a YAML file, or just the address of a Dask scheduler."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metaopt.core.errors import ConfigError, MetaoptError, unknown_name
from metaopt.core.wording import shown
from metaopt.core.yaml_file import read_yaml
from metaopt.settings.field import check, convert, field, types_of

_MEMORY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})? ?[kMGT]i?B")
_WALLTIME = re.compile(r"([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2})")
#: What stands in the head or on the command line of a job as it is written: one word, and no option of its own.
_WORDS = {
    "queue": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:@/+=-]*"),
    "account": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:@/+=-]*"),
    "resources": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:@/+=*|&!<>()\[\]^-]*"),
    "interface": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*"),
    "shared": re.compile(r"/[\w./@+,=-]*"),
}
_DASKS = "from Dask's configuration"
_HINT = "docs/clusters.md has a file for every kind"


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Workers on this machine: kind ``local``; what every other kind has, too."""

    kind: str = field("local", "kind of cluster: local, scheduler, slurm, pbs, sge or lsf")
    workers: int | None = field(None, "trials at a time", ge=1, le=100_000)
    threads: int = field(1, "threads of a trial, and cores of a job", ge=1, le=4096)

    @property
    def queues(self) -> bool:
        """Whether trials are asked for as if all workers were there, instead of only for those that are."""
        return True  # a lost one is back in seconds

    def problems(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values, and between them."""
        yield from check(self)
        if self.queues and self.workers is None:
            yield ConfigError("workers is not given", "say how many trials this machine can run at a time")


@dataclass(frozen=True, kw_only=True)
class SchedulerSettings(ClusterSettings):
    """A Dask scheduler that runs already, with workers that others start: kind ``scheduler``."""

    kind: str = field("scheduler", "scheduler")
    address: str = field(MISSING, "address of the scheduler, such as tls://head.example.org:8786")
    ca: str | None = field(None, "CA certificate file", otherwise=_DASKS)
    certificate: str | None = field(None, "certificate file", otherwise=_DASKS)
    key: str | None = field(None, "file with the key of the certificate", otherwise=_DASKS)

    @property
    def encrypted(self) -> bool:
        """Whether the connection is."""
        return urlsplit(self.address).scheme == "tls"

    @property
    def queues(self) -> bool:
        """Whether trials are asked for as if all workers were there, instead of only for those that are."""
        return False

    def problems(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values, and between them."""
        yield from super().problems()
        yield from _address_problems(self.address)
        files = {name: getattr(self, name) for name in ("ca", "certificate", "key")}
        if len(given := [name for name, file in files.items() if file]) in (1, 2):
            text = f"of ca, certificate and key only {' and '.join(given)} is given; all three belong together"
            yield ConfigError(text, "metaopt cluster certificates FOLDER makes them")
        for name, file in files.items():
            if file and not Path(file).is_file():
                yield ConfigError(f"{name} is {file}, and there is no such file", "check the path")


@dataclass(frozen=True, kw_only=True)
class BatchSettings(ClusterSettings):
    """Jobs of a batch system, each of them one worker: kinds ``slurm``, ``pbs``, ``sge`` and ``lsf``."""

    kind: str = field(MISSING, "slurm, pbs, sge or lsf")
    workers: int = field(MISSING, "jobs, each of which runs a trial at a time", ge=1, le=100_000)
    minimum: int | None = field(None, "jobs to keep when there is less to do", ge=0, otherwise="workers")
    memory: str = field(MISSING, "memory of a job, such as 16GB")
    walltime: str = field(MISSING, "time limit of a job, such as 04:00:00; the next resumes a trial that is cut off")
    queue: str | None = field(None, "queue or partition", otherwise="of the batch system")
    account: str | None = field(None, "account or project to charge", otherwise="of the batch system")
    resources: str | None = field(
        None, "resources of a job as PBS and SGE write them, such as select=1:ncpus=4:ngpus=1"
    )
    directives: tuple[str, ...] = field((), "further lines of the job's head, such as --gres=gpu:1")
    prologue: tuple[str, ...] = field((), "commands before the worker, such as module load cuda")
    python: str | None = field(None, "Python on the nodes", otherwise="the one that runs metaopt")
    interface: str | None = field(None, "network interface between driver and nodes, such as ib0")
    shared: str = field(MISSING, "folder that driver and nodes see, for keys and the jobs' output")

    @property
    def queues(self) -> bool:
        """Whether trials are asked for as if all workers were there, instead of only for those that are."""
        return self.minimum is not None  # jobs are started for what waits

    def problems(self) -> Iterator[MetaoptError]:
        """Yields what is wrong with single values, and between them."""
        yield from super().problems()
        if self.minimum is not None and self.minimum > self.workers:
            text = f"minimum is {self.minimum} and workers {self.workers}; the first must not be larger"
            yield ConfigError(text, "leave out minimum to keep all jobs")
        if self.resources and self.kind not in ("pbs", "sge"):
            yield ConfigError(f"resources is for pbs and sge, not for {self.kind}", "use directives")
        if not _MEMORY.fullmatch(self.memory):
            text = f"memory is {shown(self.memory)}, not a number with a unit"
            yield ConfigError(text, "write it as 16GB or 16000MB")
        if not _seconds(self.walltime):
            text = f"walltime is {shown(self.walltime)}, not hours:minutes:seconds"
            yield ConfigError(text, 'write "04:00:00", in quotes')
        yield from self._unfit_for_scripts()

    def _unfit_for_scripts(self) -> Iterator[MetaoptError]:
        """Yields what would become another line, option or command in the script of a job."""
        for name, pattern in _WORDS.items():
            if (text := getattr(self, name)) is not None and not pattern.fullmatch(text):
                yield ConfigError(
                    f"{name} is {shown(text)}, which the script of a job cannot hold: blanks and signs that mean "
                    "something to a shell or a batch system are not allowed",
                    f"name another {name}, or write what the system takes as directives",
                )
        if self.python is not None and (not self.python.isprintable() or not self.python or set("$`") & {*self.python}):
            yield ConfigError(
                f"python is {shown(self.python)}, which is not the path of a program: no shell expands it",
                "write the whole path, or activate an environment in prologue and write python: python",
            )
        for line in self.directives:
            if not line.isprintable() or not line.strip():
                text = f"a line of directives is {shown(line)}, which is not one line"
                yield ConfigError(text, "write every line of the job's head as an entry of its own")
        for line in self.prologue:
            if any(not sign.isprintable() and sign not in "\t\n" for sign in line):
                yield ConfigError(f"a line of prologue is {shown(line)}", "leave out its control characters")

    @property
    def walltime_s(self) -> int:
        """Seconds of a job."""
        return _seconds(self.walltime)


KINDS: Mapping[str, type[ClusterSettings]] = {
    "local": ClusterSettings,
    "scheduler": SchedulerSettings,
    **dict.fromkeys(("slurm", "pbs", "sge", "lsf"), BatchSettings),
}


def load_cluster(text: str) -> ClusterSettings:
    """Returns the settings of a cluster.

    Args:
        text: The path of a YAML file, or the address of a scheduler.

    Raises:
        ConfigError: naming everything that is unknown, lacking, of another type or out of range.
    """
    if "://" in text:
        return _checked(SchedulerSettings(address=text), text)
    content = read_yaml(Path(text))
    if not isinstance(content, dict) or "kind" not in content:
        raise ConfigError(f"the cluster file {text} does not say what kind of cluster it is of", _HINT)
    if content["kind"] not in KINDS:
        raise unknown_name(f"kind in {text}:", str(content["kind"]), KINDS, _HINT)
    kind = KINDS[content["kind"]]
    return _checked(_made(kind, content, Path(text)), text)


def _made(kind: type[ClusterSettings], content: Mapping[str, Any], path: Path) -> ClusterSettings:
    names = [field.name for field in fields(kind)]
    if unknown := [str(name) for name in content if name not in names]:
        raise unknown_name(f"setting of a {content['kind']} cluster in {path}:", unknown[0], names, _HINT)
    if lacking := [field.name for field in fields(kind) if field.default is MISSING and field.name not in content]:
        raise ConfigError(f"{path} lacks {', '.join(lacking)} of a {content['kind']} cluster", _HINT)
    given = {}
    for name, value in content.items():
        try:
            given[name] = convert(value, types_of(kind)[name])
        except ValueError as error:
            raise ConfigError(f"{name} in {path} must be {error}, got {shown(value)}", _HINT) from None
    for name in ("ca", "certificate", "key", "shared"):  # relative paths are taken from where the file is
        if isinstance(given.get(name), str):
            given[name] = str(path.resolve().parent / Path(given[name]).expanduser())
    return kind(**given)


def _checked(settings: ClusterSettings, source: str) -> ClusterSettings:
    for problem in settings.problems():
        raise ConfigError(f"{source}: {problem.message}", problem.naming(str).hint)
    return settings


def _address_problems(address: str) -> Iterator[MetaoptError]:
    example = "write it as tls://head.example.org:8786"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None or parts.scheme not in ("tls", "tcp"):
        yield ConfigError(f"{shown(address)} is not the address of a scheduler", example)
    elif parts.username or parts.password:
        yield ConfigError("the address of a scheduler takes no user and no password", example)
    elif parts.scheme == "tcp" and not _is_loopback(host):
        text = f"{address} is not encrypted, and whoever reads along there can run code as you"
        yield ConfigError(text, "start the scheduler and its workers with TLS, see docs/clusters.md, and use tls://")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(walltime: str) -> int:
    """Returns the seconds of ``hours:minutes:seconds``, 0 if it is something else."""
    if not (found := _WALLTIME.fullmatch(walltime)):
        return 0
    hours, minutes, seconds = map(int, found.groups())
    return 3600 * hours + 60 * minutes + seconds
