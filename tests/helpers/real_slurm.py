"""A SLURM of one node on this machine: real daemons, real jobs, started by a test and ended with it."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import wait_until

_COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
_SETTINGS = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=none
KillWait=2
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000
PartitionName=tests Nodes=node Default=YES State=UP MaxTime=INFINITE
"""


class Slurm:
    """Room for four jobs of one core; the commands find it by ``SLURM_CONF``.

    Attributes:
        environment: What the commands need.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: a socket's path has at most 108 characters
        self._daemons: list[subprocess.Popen[bytes]] = []
        self.environment = {"SLURM_CONF": str(self._folder / "slurm.conf")}

    def start(self) -> None:
        """Starts the daemons and waits until the node takes jobs."""
        for name in ("state", "spool"):
            (self._folder / name).mkdir()
        with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
            controller, node = (free.getsockname()[1] for free in (first, second))
        places = {"folder": self._folder, "host": socket.gethostname().partition(".")[0], "user": getpass.getuser()}
        (self._folder / "slurm.conf").write_text(_SETTINGS.format(**places, controller=controller, node=node))
        # None of its limits is used; the plug-in of the first version is the one that loads on every machine.
        (self._folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        key = self._folder / "munge.key"
        with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(128))
        files = {"socket": "munge.sock", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
        options = [f"--{name}={self._folder / file}" for name, file in files.items()]
        self._start("munged", "--foreground", "--force", f"--key-file={key}", *options)
        wait_until((self._folder / "munge.sock").exists, "munge")
        self._start("slurmctld", "-D", "-c")
        self._start("slurmd", "-D", "-N", "node")
        wait_until(lambda: "idle" in self._ask("sinfo", "--noheader", "--format=%T"), f"the node: {self._folder}")

    def _start(self, name: str, *options: str) -> None:
        with open(self._folder / f"{name}.out", "wb") as log:
            self._daemons.append(
                subprocess.Popen([name, *options], env=os.environ | self.environment, stdout=log, stderr=log)
            )

    def _ask(self, *command: str) -> str:
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout

    def jobs(self, state: str = "") -> list[int]:
        """Returns the jobs that have not ended, of this state only, such as ``RUNNING``; in order."""
        found = (line.split() for line in self._ask("squeue", "--noheader", "--format=%i %T").splitlines())
        return sorted(int(job) for job, its in found if its.startswith(state))

    def ended(self) -> dict[int, str]:
        """Returns how every job that has ended did so, such as ``COMPLETED``, ``CANCELLED`` or ``TIMEOUT``."""
        file = self._folder / "jobs.txt"
        found = re.findall(r"^JobId=(\d+) .* JobState=(\w+)", file.read_text() if file.exists() else "", re.MULTILINE)
        return {int(job): state for job, state in found}

    def cancel(self, job: int, *options: str) -> None:
        """Cancels a job as its user would."""
        self._ask("scancel", *options, str(job))

    def time_out(self, job: int) -> None:
        """Lets the wall time of a job be over now; SLURM looks every half minute, and asks no job to leave before."""
        self._ask("scontrol", "update", f"JobId={job}", "EndTime=now")

    def drain(self) -> None:
        """Lets the node finish its jobs and take no others."""
        self._ask("scontrol", "update", "NodeName=node", "State=DRAIN", "Reason=maintenance")

    def undrain(self) -> None:
        """Lets the node take jobs again."""
        self._ask("scontrol", "update", "NodeName=node", "State=RESUME")

    def close(self) -> None:
        """Ends jobs and daemons."""
        for job in self.jobs():
            self.cancel(job, "--signal=KILL", "--full")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.jobs())
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
            daemon.kill()
            daemon.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def started() -> Slurm:
    """Returns a SLURM that runs; skips the test, with the reason, where none is installed."""
    if lacking := [name for name in _COMMANDS if shutil.which(name) is None]:
        pytest.skip(f"no {', '.join(lacking)} on this machine: Debian's packages slurm-wlm and munge have them")
    slurm = Slurm()
    try:
        slurm.start()
    except BaseException:
        slurm.close()
        raise
    return slurm
