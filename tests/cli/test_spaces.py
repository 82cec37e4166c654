from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.core.paths import data_folder
from metaopt.spaces.file import space_names
from metaopt.spaces.space import load_space


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == space_names()
    assert lines[space_names().index("darts_cs1")].split(maxsplit=1)[1] == "cutout_prob, weight_decay"


@pytest.mark.parametrize("name", space_names())
def test_show(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["space", "show", name]) == 0
    said = capsys.readouterr().out
    assert all(hyperparameter in said for hyperparameter in load_space(name))
    assert "source: " in said
    assert "default " in said


def test_conditions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", "show", "darts"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines.count("only where cutout == True") == 2
    (first, *_) = (number for number, line in enumerate(lines) if line.startswith("cutout_prob "))
    assert "only where cutout == True" in lines[first : first + 3]


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_bytes((data_folder("spaces") / "darts_cs1.yaml").read_bytes())
    assert main(["space", "check", "mine.yaml"]) == 0
    assert capsys.readouterr().out.endswith("mine.yaml is a space\n")
