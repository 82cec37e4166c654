"""Jobs of a batch system, each of them one worker, by dask-jobqueue; the scheduler runs in the driver."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Status

from metaopt.core import registry
from metaopt.core.errors import ConfigError, with_extra
from metaopt.core.paths import home
from metaopt.core.safe_path import SAFE
from metaopt.core.system_errors import explained
from metaopt.executors.dask.clusters.base import Cluster
from metaopt.executors.dask.clusters.certificates import make_certificates, trusting
from metaopt.executors.dask.clusters.fleet import Fleet, Submissions
from metaopt.executors.dask.clusters.settings import BatchSettings
from metaopt.executors.dask.connections import Encryption, ending_without_them
from metaopt.executors.dask.local import SCHEDULER_OPTIONS, WORKER_SETTINGS, dask_settings

_SYSTEMS = {"slurm": "SLURM", "pbs": "PBS", "sge": "SGE", "lsf": "LSF"}
_CHARGED = {"slurm": "account", "pbs": "account", "sge": "project", "lsf": "project"}
#: A worker leaves in good order before its job is cut off: after this share of its time, give or take half of the rest.
_LIFETIME, _STAGGER = 0.92, 0.04
#: Seconds for which a job looks for the driver before it ends.
_DEATH_TIMEOUT_S = 120
_QUEUE_TIMEOUT_S = 10.0


@contextlib.contextmanager
def batch(settings: BatchSettings) -> Iterator[Cluster]:
    """Starts a scheduler here, submits the jobs, and ends both.

    All connections are encrypted; the keys are made for this cluster alone, and lie in ``settings.shared`` for as long
    as it runs, readable by their owner only.

    Raises:
        ConfigError: if the batch system or a package is not there, or if the folder cannot be written.
    """
    job = _job_class(settings)
    command = job.submit_command.split()[0]
    if shutil.which(command) is None:
        raise ConfigError(
            f"{command} is not on this machine, and jobs of {settings.kind} are submitted with it",
            "run metaopt where jobs are submitted; metaopt cluster script FILE prints the job meanwhile",
        )
    kind = registry.load(f"dask_jobqueue:{_SYSTEMS[settings.kind]}Cluster")
    submissions = Submissions(ask=_slurm_queue) if settings.kind == "slurm" else Submissions()
    with _security(Path(settings.shared)) as security, dask.config.set(dask_settings(settings.threads)):
        options = {**_job_options(settings), "security": security, "scheduler_options": SCHEDULER_OPTIONS}
        options |= {"job_cls": _recording(job, submissions), "silence_logs": "CRITICAL"}
        with ending_without_them(kind)(**options) as cluster, Client(cluster, set_as_default=False) as client:
            fleet = Fleet(cluster, settings.workers if settings.minimum is None else None, submissions)
            if settings.minimum is None:
                cluster.scale(jobs=settings.workers)
            else:
                cluster.adapt(minimum_jobs=settings.minimum, maximum_jobs=settings.workers)
            advice = f"look at the queue of {settings.kind}, and at the output in {settings.shared}"
            yield Cluster(client, fleet, advice)


@contextlib.contextmanager
def _security(shared: Path) -> Iterator[Encryption]:
    folder = shared / f"keys-{uuid.uuid4().hex}"
    try:
        yield trusting(*make_certificates(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _recording(job: Any, submissions: Submissions) -> Any:
    """Returns the class of jobs, changed to say what the batch system says of each: Dask tells only a log of its own.

    And to say that they have ended, which Dask checks when it closes.
    """

    class Recording(job):
        async def start(self) -> None:
            try:
                await super().start()
                submissions.accepted[self.name] = self.job_id
            except (OSError, RuntimeError, ValueError) as error:  # no such command, its exit code, its answer
                submissions.refused[self.name] = " ".join(str(error).split())
                self.status = Status.failed

        async def close(self) -> None:
            await super().close()
            self.status = Status.closed

    return Recording


def _slurm_queue() -> Set[str] | None:
    """Returns the ids of all jobs of this user that wait or run; None if SLURM does not say."""
    if (squeue := shutil.which("squeue")) is None:
        return None
    command = [squeue, "--me", "--noheader", "--format=%i"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_QUEUE_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else set(done.stdout.split())


def job_script(settings: BatchSettings) -> str:
    """Returns the script of a job as it would be submitted, except addresses and keys, which every cluster has anew.

    The folder for the jobs' output is made, if it is not there.

    Raises:
        ConfigError: if dask-jobqueue is not installed, or if that folder cannot be made.
    """
    job, options = _job_class(settings), _job_options(settings)
    try:
        script: str = job("tls://DRIVER:PORT", name="metaopt-0", **options).job_script()
    except OSError as error:
        hint = "name a folder that you may write to as shared"
        raise explained(error, f"cannot make {settings.shared}", hint, ConfigError) from None
    return script


def _job_class(settings: BatchSettings) -> Any:
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise ConfigError(
            f"a {settings.kind} cluster needs the package dask-jobqueue, which is not installed",
            with_extra("clusters"),
        )
    kind: Any = registry.load(f"dask_jobqueue.{settings.kind}:{_SYSTEMS[settings.kind]}Job")

    class OneTrial(kind):
        #: Of the worker, not of the trial, which has all cores: a worker of several would be sent several trials.
        worker_process_threads = 1

    return OneTrial


def _job_options(settings: BatchSettings) -> dict[str, Any]:
    lifetime_s = int(_LIFETIME * settings.walltime_s)
    options: dict[str, Any] = {
        "cores": settings.threads,
        "processes": 1,
        "memory": settings.memory,
        "queue": settings.queue,
        "walltime": _walltime(settings),
        _CHARGED[settings.kind]: settings.account,
        "job_name": "metaopt",
        "job_extra_directives": list(settings.directives),
        "job_script_prologue": [*_exports(), *settings.prologue],
        "python": shlex.quote(os.path.expanduser(settings.python or sys.executable)),
        "interface": settings.interface,
        "log_directory": settings.shared,  # which dask-jobqueue makes
        "death_timeout": _DEATH_TIMEOUT_S,
        "worker_extra_args": [
            *("--dashboard-address", "127.0.0.1:0", "--no-dashboard"),
            *("--lifetime", f"{lifetime_s}s", "--lifetime-stagger", f"{int(_STAGGER * settings.walltime_s)}s"),
        ],
    }
    if settings.resources:
        options["resource_spec"] = settings.resources
    return options


def _exports() -> list[str]:
    """Returns what the environment of a worker needs: tables from where the driver has them, and Dask's settings."""
    dask_variables = {name.upper().replace(".", "__").replace("-", "_"): of for name, of in WORKER_SETTINGS.items()}
    return [
        f"export METAOPT_HOME={shlex.quote(str(home().absolute()))}",
        *(f"export DASK_{name}={value}" for name, value in dask_variables.items()),
        *(f"export {name}={value}" for name, value in SAFE.items()),
    ]


def _walltime(settings: BatchSettings) -> str:
    if settings.kind != "lsf":
        return settings.walltime
    return f"{settings.walltime_s // 3600}:{settings.walltime_s % 3600 // 60:02}"  # LSF knows no seconds
