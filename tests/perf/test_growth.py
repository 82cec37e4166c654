"""What a look-up costs does not grow with the length of a run: of status, of an export, of the driver, of a study.

Each size is beside a tenth of it, in one process after the other; prints CPU microseconds a look-up, and peak memory.
"""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from metaopt.cli import main
from metaopt.core.interrupt import Interrupt
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import decode, encode
from metaopt.runs.launch import start
from metaopt.runs.plan import plan
from metaopt.settings.run import BaselineSettings
from metaopt.studies.file import load_study

SIZES = (10_000, 100_000, 1_000_000)
CHILD = Path(__file__).with_name("growth.py")
#: Of the CPU time of a look-up in the longest run, to that in the shortest.
MOST_TIMES = 1.5
#: MB that the longest run may take more than the shortest.
MOST_MB = 48


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Runs with the look-ups of a real one again and again, numbered on, by how many."""
    place = tmp_path_factory.mktemp("growth")
    real = RunFolder(place / "real")
    assert main(["baseline", "--tuner", "random", "--budget", "300", "--folder", str(real.path), "--no-report"]) == 0
    header, *lines = [decode(line) for line in real.journal.read_bytes().splitlines()]
    asks = [line["trial"] for line in lines if line["kind"] == "ask"]
    tells = {line["result"]["trial_id"]: line["result"] for line in lines if line["kind"] == "tell"}
    found = {}
    for size in SIZES:
        folder = found[size] = place / str(size)
        folder.mkdir()
        with open(folder / "journal.jsonl", "wb") as file:
            file.write(encode(header))
            for n, trial in zip(range(size), itertools.cycle(asks), strict=False):
                file.write(encode({"kind": "ask", "at_s": n / 8, "trial": {**trial, "id": n, "key": n}}))
                file.write(encode({"kind": "tell", "at_s": n / 8, "result": {**tells[trial["id"]], "trial_id": n}}))
    return found


@pytest.mark.perf
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", [("status", "RUN"), ("export", "RUN", "--to", "csv")], ids=["status", "csv"])
def test_reading_a_run(runs: dict[int, Path], capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    each_us, peak_mb = {}, {}
    for size, run in runs.items():
        (runs[SIZES[0]] / "trials.csv").unlink(missing_ok=True)
        given = [sys.executable, str(CHILD), str(runs[SIZES[0]]), *command]
        child = subprocess.run(given, input=str(run), capture_output=True, text=True, check=True)
        found = json.loads(child.stdout)
        each_us[size], peak_mb[size] = found["cpu_s"] / size * 1e6, found["peak_mb"]
    with capsys.disabled():
        for size in SIZES:
            print(f"\n{command[0]:8}{size:11,} look-ups: {each_us[size]:6.1f} us each,", end=" ")
            print(f"{each_us[size] * size / 1e6:6.1f} s CPU, peak {peak_mb[size]:.0f} MB", end="")
    assert each_us[SIZES[-1]] < MOST_TIMES * each_us[SIZES[0]]
    assert peak_mb[SIZES[-1]] - peak_mb[SIZES[0]] < MOST_MB


def driven(folder: Path, evaluations: int) -> float:
    """Returns CPU seconds an evaluation of a run with a budget of epochs."""
    flags = {"tuner": "random", "budget_epochs": str(8 * evaluations), "min_epochs": "8", "max_epochs": "8"}
    run = plan(load_config(BaselineSettings, flags, {}))
    before_s = time.process_time()
    assert start(run, RunFolder(folder), [], Console(file=io.StringIO()), Interrupt())
    return (time.process_time() - before_s) / evaluations


@pytest.mark.perf
def test_a_budget_of_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driven(tmp_path / "first", 10)  # loads the libraries and the table
    few, many = driven(tmp_path / "few", 2_000), driven(tmp_path / "many", 20_000)
    with capsys.disabled():
        print(f"\nepochs  {few * 1e3:.2f} ms of CPU an evaluation of 2,000, {many * 1e3:.2f} of 20,000", end="")
    assert many < MOST_TIMES * few


def loaded(file: Path, seeds: int) -> float:
    """Returns CPU seconds for each run of a study."""
    file.write_text(f"title: Many\nbaselines:\n  - {{tuner: random, budget: 5, seed: 0..{seeds - 1}}}\n")
    before_s = time.process_time()
    assert len(load_study(file, {}).runs) == seeds
    return (time.process_time() - before_s) / seeds


@pytest.mark.perf
def test_a_study_of_many_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(tmp_path / "study.yaml", 10)
    few, many = loaded(tmp_path / "study.yaml", 2_000), loaded(tmp_path / "study.yaml", 20_000)
    with capsys.disabled():
        print(f"\nstudy   {few * 1e3:.2f} ms of CPU a run of 2,000, {many * 1e3:.2f} of 20,000", end="")
    assert many < MOST_TIMES * few
