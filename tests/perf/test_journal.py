"""Journals of a million lines: reading one beside ``json.loads`` of every line, writing beside a bare write and fsync.

Prints seconds and peak memory of reading, and microseconds per line of both. Seconds are of the processor where disk
and neighbours would decide otherwise.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metaopt.cli import main
from metaopt.core.trial import Result, Trial
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalWriter, decode, encode, read

LINES, WRITTEN = 1_000_000, 2_000
CHILD = Path(__file__).with_name("read_journal.py")
#: Reading checks every checksum and keeps a million objects, which ``json.loads`` of every line does not; and yet.
MOST_TIMES_PLAIN, MOST_BYTES_PER_LINE = 4.0, 1500


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lines of a real baseline again and again, numbered on."""
    folder = RunFolder(tmp_path_factory.mktemp("perf") / "run")
    flags = ["--tuner", "random", "--budget", "300", "--folder", str(folder.path), "--no-report"]
    assert main(["baseline", *flags]) == 0
    header, *lines = [decode(line) for line in folder.journal.read_bytes().splitlines()]
    asks = [line["trial"] for line in lines if line["kind"] == "ask"]
    tells = {line["result"]["trial_id"]: line["result"] for line in lines if line["kind"] == "tell"}
    path = folder.path / "long.jsonl"
    with open(path, "wb") as file:
        file.write(encode(header))
        for n, trial in zip(range(LINES // 2), itertools.cycle(asks), strict=False):
            result = {**tells[trial["id"]], "trial_id": n}
            file.write(encode({"kind": "ask", "at_s": n / 8, "trial": {**trial, "id": n, "key": n}}))
            file.write(encode({"kind": "tell", "at_s": n / 8, "result": result}))
    return path


def took(kind: str, path: Path) -> dict[str, Any]:
    child = subprocess.run([sys.executable, str(CHILD), kind, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(child.stdout)
    return found


@pytest.mark.perf
@pytest.mark.timeout(900)
def test_reading(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # In turns, so that both meet the same neighbours.
    rounds = [(took("plain", journal), took("journal", journal)) for _ in range(3)]
    plain, read_ = (min(of, key=lambda one: float(one["cpu_s"])) for of in zip(*rounds, strict=True))
    assert plain["lines"] == read_["lines"] == LINES + 1
    ratio = read_["cpu_s"] / plain["cpu_s"]
    with capsys.disabled():
        print(f"\n{LINES:,} lines, {journal.stat().st_size:,} bytes")
        for name, one in (("json.loads", plain), ("journal", read_)):
            print(f"{name:11}{one['cpu_s']:6.1f} s CPU, {one['wall_s']:6.1f} s wall, ", end="")
            print(
                f"{LINES / one['cpu_s']:9,.0f} lines/s, peak {one['peak_mb']:.0f} MB of {one['before_mb']:.0f} before"
            )
        print(f"ratio {ratio:.2f}", end="")
    assert ratio < MOST_TIMES_PLAIN
    assert (read_["peak_mb"] - read_["before_mb"]) * 2**20 / LINES < MOST_BYTES_PER_LINE


def append(path: Path, lines: list[bytes]) -> float:
    """Returns the processor's seconds of writing lines, each synced, with nothing in between."""
    with open(path, "xb", buffering=0) as file:
        before_s = time.process_time()
        for line in lines:
            file.write(line)
            os.fsync(file.fileno())
        return time.process_time() - before_s


@pytest.mark.perf
def test_writing(journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(journal, "rb") as file:
        lines = list(itertools.islice(file, WRITTEN + 1))
    short = tmp_path / "short.jsonl"
    short.write_bytes(b"".join(lines))
    events = read(short).events
    writer = JournalWriter(tmp_path / "journal.jsonl")
    writer.header({})
    before_s, began = time.process_time(), time.perf_counter()
    for event in events:
        if isinstance(event.record, Trial):
            writer.ask(event.at_s, event.record)
        else:
            assert isinstance(event.record, Result)
            writer.tell(event.at_s, event.record)
    cpu_s, wall_s = time.process_time() - before_s, time.perf_counter() - began
    writer.close()
    began = time.perf_counter()
    plain_s = append(tmp_path / "plain.jsonl", lines[1:])
    plain_wall_s = time.perf_counter() - began
    written = (tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True)[1:]
    assert written == lines[1:]
    with capsys.disabled():
        each = {"journal": (cpu_s, wall_s), "write, fsync": (plain_s, plain_wall_s)}
        for name, (cpu, wall) in each.items():
            print(f"\n{name:14}{1e6 * cpu / WRITTEN:7.1f} us CPU, {1e6 * wall / WRITTEN:7.1f} us wall per line", end="")
