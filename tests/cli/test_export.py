from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.cli import main


def test_trials_for_other_programs(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    capsys.readouterr()
    assert main(["export", "mine", "--to", "csv"]) == 0
    assert capsys.readouterr().out == "csv: mine/trials.csv\n"
    assert len(Path("mine/trials.csv").read_text().splitlines()) > 5
    assert main(["export", "mine", "--to", "csv"]) == 2
    assert "mine/trials.csv exists\n  name another file with --out" in capsys.readouterr().err
    assert main(["export", "mine", "--to", "exel"]) == 2
    assert "unknown format 'exel'" in capsys.readouterr().err
