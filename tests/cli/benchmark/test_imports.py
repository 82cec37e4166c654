from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import harness
import tfrecords
from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.cli import main
from metaopt.cli.benchmark import imports
from metaopt.core.file_lock import holding
from metaopt.tables.table import Table
from tfrecords import CHAIN, FORK

HEAD = "cell,epochs,seed,valid_error,test_error\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(path: Path, graphs: list[CellGraph]) -> Path:
    accuracies = [(0.75, 0.5), (0.5, 0.5), (0.25, 0.5)]
    return tfrecords.write(path, [p for graph in graphs for p in tfrecords.trainings(graph, 108, accuracies)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "a.tfrecord", [FORK, CHAIN])


def test_nasbench101_becomes_the_table_of_its_benchmark(
    file: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "import", "nasbench101", str(file)]) == 0
    path = home / "tables" / "nasbench101.parquet"
    out, err = capsys.readouterr()
    table = Table(path)
    assert table.query(FORK).valid_errors == (0.25, 0.5, 0.75)
    assert out.splitlines() == [
        "cells        2, 3 seeds each, after 108 epochs",
        "cell space 1 1 of 2,685 distinct cells (0.0%)",
        "cell space 2 0 of 7,773 distinct cells (0.0%)",
        "cell space 3 2 of 55,854 distinct cells (0.0%)",
        f"SHA-256      {table.provenance['sha256']}: unknown, of no published file",
        "hashes       2 of 2 computed again, all equal",
        f"table        {path}",
        "next         metaopt benchmark info nasbench101",
    ]
    begin, end, checked, written = err.splitlines()
    assert begin == f"reading {file}, {file.stat().st_size:,} bytes"
    assert end.startswith("read in ")
    assert checked.endswith("writing the table")
    assert written.startswith("imported in ")
    assert table.provenance["importer"] == "nasbench101"
    assert table.provenance["command"].startswith("metaopt")
    assert main(["benchmark", "info", "nasbench101"]) == 0
    assert "1 cell x 3 seeds, after 108 epochs" in capsys.readouterr().out


def test_what_is_there_is_not_overwritten_nor_read_for_nothing(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "tables" / "nasbench101.parquet"
    out.parent.mkdir(parents=True)
    out.write_text("mine")
    (tmp_path / "broken").write_text("no TFRecord, which nobody sees")
    assert main(["benchmark", "import", "nasbench101", str(tmp_path / "broken")]) == 2
    assert f"the table {out} exists" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_table_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv, out = tmp_path / "mine.csv", tmp_path / "new" / "mine.parquet"
    csv.write_text(f"{HEAD}{FORK.key},4,0,0.5,0.25\n")
    assert main(["benchmark", "import", "csv", str(csv), "--out", str(out)]) == 0
    assert Table(out).query(FORK).test_error == 0.25
    printed = capsys.readouterr().out
    assert "next" not in printed
    assert "SHA-256" not in printed
    assert main(["benchmark", "import", "csv", str(csv), "--as", "nasbench101"]) == 0
    assert "metaopt benchmark info nasbench101" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nasbench102", "f"], "unknown importer 'nasbench102'; did you mean 'nasbench101'"),
        (["nasbench101", "none"], "there is no file none"),
        (["nasbench101", "."], "there is no file ."),
        (["csv", "f"], "csv does not know of which benchmark the table is\n  name it with --as"),
        (["csv", "f", "--as", "nasbench10"], "unknown benchmark 'nasbench10'; did you mean 'nasbench101'"),
        (["csv", "f", "--as", "digits"], "digits has a table per cell space"),
        (["csv", "f", "--out", "/proc/metaopt/t.parquet"], "cannot write a table to /proc/metaopt/t.parquet"),
        (["csv", "f", "--out", "t.parquet"], "f has no rows"),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f").write_text(HEAD)
    assert main(["benchmark", "import", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.rglob("*.parquet")) == []


def test_of_two_imports_to_one_name_one_is_refused(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = home / "tables" / "nasbench101.parquet"
    lock = out.with_name(".nasbench101.parquet.lock")
    lock.parent.mkdir(parents=True)
    with holding(lock, lambda holder: AssertionError(holder)):  # type: ignore[arg-type, return-value]
        assert main(["benchmark", "import", "nasbench101", str(file)]) == 2
        assert f"process {os.getpid()} on " in (said := capsys.readouterr().err)
        assert f" is making {out} right now" in said
        assert not out.exists()
    lock.write_text("left behind by a process that was killed")
    assert main(["benchmark", "import", "nasbench101", str(file)]) == 0
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("live", [False, True])
def test_progress_is_said_of_bytes_and_of_cells(
    file: Path, live: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(imports, "_PAUSE_S", 0.0)
    monkeypatch.setattr(imports, "_LINES_PAUSE_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: live)
    progress = imports._Progress(file, sys.stderr)
    progress(1, 4)
    progress(4, 4)
    progress(3, 4, "cells")
    said = capsys.readouterr().err
    start, end = ("\r\x1b[K", "") if live else ("", "\n")
    lines = re.escape(start) + " 25% of the bytes, [0-9.]+ MB/s, about .* left" + end
    lines += re.escape(start) + "read in .*; checking cells\n"
    lines += re.escape(start) + " 75% of the cells, [0-9,]+ cells/s, about .* left" + end
    assert re.fullmatch(f"reading .* bytes\n{lines}", said)


def test_a_failed_import_leaves_nothing(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["benchmark", "import", "nasbench101", str(file)]) == 2
    assert "is cut off" in capsys.readouterr().err
    assert list((home / "tables").iterdir()) == []


def test_progress_is_live_on_a_terminal(file: Path, home: Path) -> None:
    reader, terminal = os.openpty()
    command = [sys.executable, "-m", "metaopt", "benchmark", "import", "nasbench101", str(file)]
    done = subprocess.run(command, env=harness.environment(home), stderr=terminal, stdout=subprocess.PIPE, timeout=200)
    os.close(terminal)
    said = os.read(reader, 100_000).decode()
    os.close(reader)
    assert done.returncode == 0
    assert "\r\x1b[Kread in " in said


@pytest.mark.slow
def test_a_kill_at_any_instant_leaves_no_table_or_a_whole_one(tmp_path: Path, home: Path) -> None:
    graphs = list(CELL_SPACES[1].distinct_graphs().values())[:1000]
    file, path = write(tmp_path / "a.tfrecord", graphs), home / "tables" / "nasbench101.parquet"
    command = [sys.executable, "-m", "metaopt", "benchmark", "import", "nasbench101", str(file)]
    for instant in ("reading", "checking", "writing"):
        process = subprocess.Popen(command, env=harness.environment(home), stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            if instant in line:
                break
        if instant == "writing":
            while process.poll() is None and not list(path.parent.glob(".*.part")):
                time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert not path.exists() or len(Table(path)) == len(graphs)
    path.unlink(missing_ok=True)
    subprocess.run(command, env=harness.environment(home), check=True, capture_output=True, timeout=250)
    assert len(Table(path)) == len(graphs)
