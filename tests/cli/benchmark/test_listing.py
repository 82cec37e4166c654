from __future__ import annotations

import pytest

from metaopt.cli import main


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "list"]) == 0
    assert capsys.readouterr().out.startswith("digits  ")
