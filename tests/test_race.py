"""Several processes that look at the same files, and then act on what they saw, at the same instant."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import read
from metaopt.studies.archive import ARCHIVE, journals

DRIVERS = 10


@pytest.mark.slow
def test_of_many_drivers_exactly_one_works(tmp_path: Path) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    env = harness.environment(folder, FAULTS_LOG=log, FAULTS_SLEEP_S=40)  # longer than the others take to give up
    arguments = ("tune", "--optimizer", "darts", "--budget", 1, "--tuner", "random", "--confirm", 0, "--folder", folder)
    command = harness.command(*arguments, "--executor", "serial", "--no-report")
    first = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_until(log.exists, "the first trial")
    first.kill()
    first.wait()
    resume = harness.command("resume", folder, "--no-report")
    pipe = subprocess.PIPE
    drivers = [subprocess.Popen(resume, env=env, stdout=pipe, stderr=pipe, text=True) for _ in range(DRIVERS)]
    said = [driver.communicate(timeout=harness.HANG_S) for driver in drivers]
    codes = sorted(driver.returncode for driver in drivers)
    assert codes == [0] + [2] * (DRIVERS - 1), said
    refused = [stderr for driver, (_, stderr) in zip(drivers, said, strict=True) if driver.returncode == 2]
    assert all(f"another driver works on {folder}: " in stderr for stderr in refused)
    assert log.read_text().count("start") == 2, "once by the one that was killed, once by the one that works"
    assert list(read(folder / "journal.jsonl").results) == [0]


#: Starts a run; between its look at the folder and its lock it waits until the other one has looked, too.
START = """
import sys, time
from pathlib import Path
from metaopt.cli import main
from metaopt.runs.folder import RunFolder
barrier, me, *command = sys.argv[1:]
create = RunFolder.create
def create_and_wait(folder):
    create(folder)
    Path(barrier, me).touch()
    while len(list(Path(barrier).iterdir())) < 2:
        time.sleep(0.01)
RunFolder.create = create_and_wait
sys.exit(main(command))
"""


@pytest.mark.slow
def test_of_two_starts_in_one_new_folder_one_is_refused(tmp_path: Path) -> None:
    folder, barrier = tmp_path / "run", tmp_path / "barrier"
    barrier.mkdir()
    command = ["baseline", "--tuner", "random", "--budget", "3", "--folder", str(folder), "--no-report", "--seed"]
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(barrier), seed, *command, seed], stderr=subprocess.PIPE, text=True
        )
        for seed in "01"
    ]
    said = [start.communicate(timeout=100)[1] for start in starts]
    assert sorted(start.returncode for start in starts) == [0, 2], said
    winner = [start.returncode for start in starts].index(0)
    assert "holds a run" in said[1 - winner] or "another driver works on" in said[1 - winner]
    recorded = read(folder / "journal.jsonl")
    assert recorded.header["run"]["seed"] == winner
    assert len(recorded.results) == 3


#: Packs a study; the first of all stops right before the archive takes its place.
PACK = """
import os, signal, sys
from pathlib import Path
from metaopt.studies import archive as study_archive
study, stops = Path(sys.argv[1]), sys.argv[2] == "stops"
replace = os.replace
def stop(source, target):
    os.kill(os.getpid(), signal.SIGSTOP)
    replace(source, target)
if stops:
    os.replace = stop
print("packs", flush=True)
study_archive.pack(study, [path.parent.name for path in study.glob("*/journal.jsonl")])
"""


def packing(study: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PACK, str(study), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "packs\n"
    return process


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The folder of a study with three runs."""
    for number in range(3):
        folder = RunFolder(tmp_path / f"run-{number}")
        folder.create()
        with folder.locked():
            folder.begin({"run": {"seed": number}})
    return tmp_path


def seeds(study: Path) -> list[int]:
    with journals(study) as place:
        return sorted(read(path).header["run"]["seed"] for path in place.glob("*/journal.jsonl"))


@pytest.mark.parametrize("killed", [False, True])
def test_two_that_pack_one_study_lose_nothing(study: Path, killed: bool) -> None:
    first = packing(study, "stops")
    harness.wait_until(lambda: harness.is_stopped(first.pid), what="its rename")
    second = packing(study, "goes on")
    assert seeds(study) == [0, 1, 2]
    first.send_signal(signal.SIGKILL if killed else signal.SIGCONT)
    said = [process.communicate(timeout=60) for process in (first, second)]
    assert (first.returncode, second.returncode) == (-signal.SIGKILL if killed else 0, 0), said
    assert seeds(study) == [0, 1, 2]
    assert (study / ARCHIVE).is_file()
    assert not list(study.glob("run-*"))


#: Writes many files with its name in them, again and again.
WRITE = """
import sys
from pathlib import Path
from metaopt.report.document.files import write_files
me = sys.argv[2].encode()
for _ in range(8):
    write_files(Path(sys.argv[1]), {f"{number}.svg": me for number in range(10)})
"""


def test_two_reports_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    place = tmp_path / "report"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(place), name]) for name in "ab"]
    assert [writer.wait(100) for writer in writers] == [0, 0]
    assert len({path.read_bytes() for path in place.iterdir()}) == 1
    assert len(list(place.iterdir())) == 10
