"""``metaopt cluster``: what a user wants to know of a cluster before a run depends on it."""

from __future__ import annotations

import json
import re
import shlex
import time
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from pathlib import Path

from metaopt.cli import OK
from metaopt.core.errors import ConfigError, RunError
from metaopt.core.wording import counted
from metaopt.executors.dask.clusters.settings import BatchSettings, load_cluster


def script(arguments: Namespace) -> int:
    """Prints the script of a job."""
    settings = load_cluster(arguments.cluster)
    if not isinstance(settings, BatchSettings):
        raise ConfigError(
            f"{arguments.cluster} is of kind {settings.kind}, which submits no jobs",
            "metaopt cluster check says whether it can be used",
        )
    from metaopt.executors.dask.clusters.batch import job_script

    print(job_script(settings), end="")
    return OK


def check(arguments: Namespace) -> int:
    """Waits for the first worker and says what there is; of a batch system one job is enough.

    Raises:
        RunError: if no worker comes in time, or none that can be used.
    """
    settings = load_cluster(arguments.cluster)
    if isinstance(settings, BatchSettings):
        settings = replace(settings, workers=1, minimum=None)
    from metaopt.executors.base import Recipe
    from metaopt.executors.dask.executor import DaskExecutor

    recipe = Recipe("metaopt.objectives.oneshot:OneShot", {})
    started = time.monotonic()
    with DaskExecutor(recipe, None, settings, lost_after_s=arguments.wait) as crew:
        while not (hosts := crew.hosts):
            crew.wait(0.5)
            if time.monotonic() - started > arguments.wait:
                text = f"no worker has come within {arguments.wait:g} s"
                raise RunError(text, "wait longer with --wait, or look at the queue and at the jobs' output")
        print(f"the first worker was there after {time.monotonic() - started:.0f} s; it has what this machine has")
        for host, workers in sorted(Counter(hosts).items()):
            print(f"  {host}: {counted(workers, 'worker')}")
    return OK


def certificates(arguments: Namespace) -> int:
    """Writes a key and the certificate for it, which is also what to trust."""
    from metaopt.executors.dask.clusters.certificates import make_certificates

    certificate, key = make_certificates(arguments.folder.resolve())
    print(how_to_use(certificate, key))
    return OK


def how_to_use(certificate: Path, key: Path) -> str:
    """Returns the commands that start a scheduler and workers with these files, and the cluster file for them."""
    own, secret = shlex.quote(str(certificate)), shlex.quote(str(key))
    files = f"--tls-ca-file {own} --tls-cert {own} --tls-key {secret}"
    quiet = "--dashboard-address 127.0.0.1:0 --no-dashboard"  # the pages would stay on every network without the first
    return "\n".join(
        [
            f"whoever can read {key} can run code as you; copy both only to machines of yours; they expire in a year",
            "on the machine of the scheduler:",
            f"  dask scheduler --protocol tls --port 8786 {quiet} {files}",
            "on every machine of workers, with as many --nworkers as it has GPUs, or cores:",
            "  export DASK_DISTRIBUTED__WORKER__DAEMON=False PYTHONSAFEPATH=1",
            f"  dask worker tls://SCHEDULER:8786 --nthreads 1 --nworkers 1 {quiet} {files}",
            "in the cluster file:",
            "  kind: scheduler",
            "  address: tls://SCHEDULER:8786",
            f"  ca: {_in_yaml(certificate)}",
            f"  certificate: {_in_yaml(certificate)}",
            f"  key: {_in_yaml(key)}",
        ]
    )


def _in_yaml(path: Path) -> str:
    """Returns a path as YAML takes it: in quotes, if anything in it could mean something."""
    text = str(path)
    return text if re.fullmatch(r"/[\w./@+-]*", text) else json.dumps(text)
