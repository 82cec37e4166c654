from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.cli import main
from metaopt.cli.benchmark import build
from metaopt.tables.card import load_card
from metaopt.tables.files import making
from metaopt.tables.protocol import NetworkScale
from metaopt.tables.table import Table


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A space of a dozen cells in place of space 1, and networks that train in no time."""
    card = load_card("digits")
    assert card.protocol is not None
    protocol = replace(card.protocol, epochs=(1,), batch_size=350)
    text = {**card.text, "training": {"seeds": {1: [0, 1]}}}
    small = replace(card, text=text, network=NetworkScale(channels=2, stacks=1), protocol=protocol)
    monkeypatch.setattr(build, "load_card", lambda name: small)
    monkeypatch.setitem(CELL_SPACES, 1, CellSpace("tiny", (1, 1, 2)))
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("_tiny")
@pytest.mark.slow
def test_a_table_is_built_on_dask_workers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["benchmark", "build", "digits", "--cell-space", "1", "--workers", "2"]
    assert main(command) == 0
    path = tmp_path / "home" / "tables" / "digits-1.parquet"
    out, err = capsys.readouterr()
    assert out == f"table: {path}\n"
    assert "a build that is started again goes on from there" in err
    table = Table(path)
    assert len(table) == len(CELL_SPACES[1].distinct_graphs())
    assert f"{2 * len(table)} of {2 * len(table)} networks, about 0 s left" in err
    assert table.provenance["workers"] == 2
    assert table.provenance["training_cpu_s"] > 0
    assert table.provenance["versions"]["torch"]
    assert main(command) == 2
    assert f"the table {path} exists" in capsys.readouterr().err


def test_of_two_builds_to_one_name_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.parquet"
    with making(out):
        assert main(["benchmark", "build", "digits", "--out", str(out), "--workers", "1"]) == 2
    assert f"is making {out} right now" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["--cell-space", "4"], "unknown --cell-space '4'"),
        (["--out", "/proc/metaopt/t.parquet"], "cannot write a table to /proc/metaopt/t.parquet"),
        (["--workers", "0"], "workers is 0; allowed: 1 or more"),
    ],
)
def test_mistakes(command: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "build", "digits", *command]) == 2
    assert message in capsys.readouterr().err
