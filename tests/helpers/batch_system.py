"""Commands of batch systems that start the jobs at once, as processes of this machine, in sessions of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

_SUBMIT = """#!{python}
import os, shutil, subprocess, sys
folder = {folder!r}
for number in map(str, range(1, 1000)):
    script = os.path.join(folder, number + ".sh")
    try:
        os.close(os.open(script, os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:  # several may be submitted at once
        pass
if len(sys.argv) > 1:
    shutil.copy(sys.argv[-1], script)  # the original is deleted at once
else:
    open(script, "w").write(sys.stdin.read())
if os.path.exists({refuse!r}) and open({refuse!r}).read() in ("", number):
    sys.exit("sbatch: error: invalid partition specified")
log = open(os.path.join({logs!r}, "job-" + number), "w")
queue = "while [ -e " + {hold!r} + " ]; do sleep 0.1; done; exec bash " + script
job = subprocess.Popen(["bash", "-c", queue], start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
os.symlink(str(job.pid), os.path.join({pids!r}, number))
print({answer!r}.replace("N", number))
"""
_CANCEL = """#!{python}
import os, signal, sys
try:
    os.killpg(int(os.readlink(os.path.join({pids!r}, sys.argv[-1].partition(".")[0]))), signal.SIGTERM)
except ProcessLookupError:
    sys.exit("no such job")
"""
#: Submits, cancels, and what the first of them says.
SYSTEMS = {
    "slurm": ("sbatch", "scancel", "Submitted batch job N"),
    "pbs": ("qsub", "qdel", "N.server"),
    "sge": ("qsub", "qdel", 'Your job N ("metaopt") has been submitted'),
    "lsf": ("bsub", "bkill", "Job <N> is submitted to default queue <normal>."),
}


class BatchSystem:
    """A batch system with room for everything, unless it is told otherwise.

    Args:
        folder: An empty one.
        kind: Of :data:`SYSTEMS`.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.bin = folder / "bin"
        self._jobs, self._pids, logs = folder / "jobs", folder / "pids", folder / "logs"
        for each in (self.bin, self._jobs, self._pids, logs):
            each.mkdir()
        submit, cancel, answer = SYSTEMS[kind]
        self._hold, self._refuse = folder / "hold", folder / "refuse"
        places = {"python": sys.executable, "folder": str(self._jobs), "pids": str(self._pids), "logs": str(logs)}
        places |= {"hold": str(self._hold), "refuse": str(self._refuse)}
        # A real one, if there is one on this machine, knows nothing of these jobs.
        for name, text in ((submit, _SUBMIT), (cancel, _CANCEL), ("squeue", "#!/bin/sh\nexit 1\n")):
            (self.bin / name).write_text(text.format(**places, answer=answer))
            (self.bin / name).chmod(0o755)

    @property
    def jobs(self) -> list[int]:
        """The process group of every job ever submitted."""
        return [int(os.readlink(self._pids / name)) for name in sorted(os.listdir(self._pids), key=int)]

    @property
    def running(self) -> list[int]:
        """Those that still run."""
        return [job for job in self.jobs if _is_alive(job)]

    def hold(self) -> None:
        """Lets jobs wait in the queue from now on."""
        self._hold.touch()

    def release(self) -> None:
        """Starts the jobs that wait."""
        self._hold.unlink()

    def refuse(self, number: int | None = None) -> None:
        """Takes no more jobs, or all but the one of this number, counted from 1."""
        self._refuse.write_text("" if number is None else str(number))

    def take(self) -> None:
        """Takes jobs again."""
        self._refuse.unlink()

    def kill(self, job: int) -> None:
        """Ends a job as a node that fails would."""
        os.killpg(job, signal.SIGKILL)

    def close(self) -> None:
        for job in self.running:
            with contextlib.suppress(ProcessLookupError):
                self.kill(job)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
