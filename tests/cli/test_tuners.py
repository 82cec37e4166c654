from __future__ import annotations

from dataclasses import fields

import pytest

from metaopt.cli import main
from metaopt.core.registry import load
from metaopt.tuners import TUNERS


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tuner", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(TUNERS)


@pytest.mark.parametrize("name", TUNERS)
def test_show_explains_every_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tuner", "show", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    options = [field.name for field in fields(load(TUNERS[name]).Options)]
    if not options:
        assert lines[-1] == f"{name} has no options"
    for option in options:
        (place,) = [place for place, line in enumerate(lines) if line.startswith(f"  {option} ")]
        assert "(default: " in lines[place] or "(required)" in lines[place]
        assert lines[place + 1].startswith(24 * " ")
