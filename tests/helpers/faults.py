"""An objective that does what its configuration says: answers, raises, hangs, dies. For tests of what survives that."""

from __future__ import annotations

import ctypes
import errno
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import pyarrow
from ConfigSpace import Categorical, ConfigurationSpace, Float

from metaopt.core.trial import Result, Trial


def hold_of(log: Path) -> Path:
    """Returns the file that holds evaluations up while it is there."""
    return log.with_suffix(".hold")


class Faults:
    """``x`` is the answer, ``deed`` what happens on the way there.

    Args:
        log: A file that every start of an evaluation is appended to; starts of finished trials as ``again``. While
            there is the file that :func:`hold_of` names, no evaluation goes on.
        sleep_s: Seconds that an evaluation takes.
        settings: Whatever the real objective takes, ignored.
    """

    needs_process: ClassVar[bool] = True
    epochs: ClassVar[tuple[int, int]] = (3, 27)
    possible_epochs: ClassVar[frozenset[int] | None] = None
    timed: ClassVar[bool] = True
    space = ConfigurationSpace(
        space=[Float("x", (0.0, 1.0), default=0.5), Categorical("deed", ["answer", "raise"], weights=[9, 1])]
    )

    def __init__(self, log: str = "", sleep_s: float = 0.0, **settings: Any) -> None:
        self._log = log or os.environ.get("FAULTS_LOG", "")
        self._sleep_s = sleep_s or float(os.environ.get("FAULTS_SLEEP_S", "0"))

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        if self._log:
            word = "again" if (folder / "result.json").exists() else "start"
            with open(self._log, "a") as log:
                log.write(f"{word} {folder.parent.parent.name} {trial.id} {os.getpid()}\n")
            while hold_of(Path(self._log)).exists():
                time.sleep(0.05)
        time.sleep(self._sleep_s)
        error = getattr(self, f"_{trial.config['deed']}")(trial)
        return Result(trial.id, "ok", error, error, cost_s=self._sleep_s, info={"pid": 0})

    def describe(self) -> dict[str, Any]:
        return {"benchmark": "faults", "optimum_valid_error": 0.0, "optimum_test_error": 0.0}

    def _answer(self, trial: Trial) -> float:
        x = float(trial.config["x"])
        return round(min(1.0, (x - 0.3) ** 2 + 0.1 / trial.epochs), 6)

    def _raise(self, trial: Trial) -> float:
        raise ArithmeticError("on purpose")

    def _nan(self, trial: Trial) -> float:
        return math.nan

    def _infinite(self, trial: Trial) -> float:
        return -math.inf

    def _percent(self, trial: Trial) -> float:
        return 7.5

    def _text(self, trial: Trial) -> Any:
        return "0.5"

    def _segfault(self, trial: Trial) -> float:
        ctypes.string_at(0)
        return 0.0

    def _killed(self, trial: Trial) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    def _memory(self, trial: Trial) -> float:
        return float(len(bytearray(8 * 2**30)))

    def _exit(self, trial: Trial) -> float:
        sys.exit(3)

    def _hard_exit(self, trial: Trial) -> float:
        print("last words", file=sys.stderr, flush=True)
        os._exit(7)

    def _exit_with(self, trial: Trial) -> float:
        os._exit(round(1000 * float(trial.config["x"])))

    def _signal(self, trial: Trial) -> float:
        os.kill(os.getpid(), round(1000 * float(trial.config["x"])))
        return self._hang(trial)

    def _interrupts_itself(self, trial: Trial) -> float:
        raise KeyboardInterrupt("mine")

    def _leaves(self, trial: Trial) -> float:
        raise GeneratorExit("mine")

    def _recursion(self, trial: Trial) -> float:
        return self._recursion(trial)

    def _says_nothing(self, trial: Trial) -> float:
        raise _MuteError

    def _odd_object(self, trial: Trial) -> Any:
        return _Mute()

    def _disk_full(self, trial: Trial) -> float:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _arrow_memory(self, trial: Trial) -> float:
        try:
            raise pyarrow.ArrowMemoryError("malloc of size 128 failed")
        except pyarrow.ArrowException as error:
            raise ValueError(f"the table cannot be read, it is damaged: {error}") from None

    def _closes_descriptors(self, trial: Trial) -> float:
        os.closerange(0, 1024)
        return self._answer(trial)

    def _stops_its_server(self, trial: Trial) -> float:
        os.kill(os.getppid(), signal.SIGSTOP)
        return self._answer(trial)

    def _goes_elsewhere(self, trial: Trial) -> float:
        os.chdir("/")
        return self._answer(trial)

    def _floods(self, trial: Trial) -> float:
        for _ in range(300):
            os.write(2, 2**20 * b"x" + b"\n")
            time.sleep(0.005)
        os.write(2, b"last words\n")
        os._exit(7)

    def _leaves_a_child(self, trial: Trial) -> float:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600.5)"])
        return self._answer(trial)

    def _hang(self, trial: Trial) -> float:
        while True:
            time.sleep(60)

    def _brood(self, trial: Trial) -> float:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        return self._hang(trial)

    def _gpu(self, trial: Trial) -> float:
        return int(os.environ["CUDA_VISIBLE_DEVICES"]) / 100

    def _threads(self, trial: Trial) -> float:
        return int(os.environ["OMP_NUM_THREADS"]) / 100


class _MuteError(Exception):
    """Cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class _Mute:
    """The same as a value."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    __str__ = __format__ = __repr__  # type: ignore[assignment]


class DeletesItsFolder(Faults):
    """Deletes what it is given."""

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        shutil.rmtree(folder)
        return super().evaluate(trial, folder)


class Inline(Faults):
    """The same without a process of its own."""

    needs_process = False


class Doomed(Inline):
    """Fails with the optimizer that the environment names, as long as there is no file ``cured``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._doomed = settings["optimizer"] == os.environ.get("FAULTS_DOOMED", "darts")

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        if self._doomed and not Path("cured").exists():
            raise LookupError(f"no such table for trial {trial.id}" if trial.id % 2 else "no such table")
        return super().evaluate(trial, folder)
