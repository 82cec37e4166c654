from __future__ import annotations

from dataclasses import fields

import pytest

from metaopt.cli import main
from metaopt.core.registry import load
from metaopt.oneshot import ONESHOT


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimizer", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(ONESHOT)


@pytest.mark.parametrize("name", ONESHOT)
def test_show_explains_every_hyperparameter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimizer", "show", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    for field in fields(load(ONESHOT[name]).Settings):
        (place,) = [place for place, line in enumerate(lines) if line.startswith(f"  {field.name} ")]
        assert "(default: " in lines[place]
        assert lines[place + 1].startswith(24 * " ")


def test_show_has_ranges_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    main(["optimizer", "show", "darts"])
    text = " ".join(capsys.readouterr().out.split())
    assert "learning_rate a number more than 0 (default: 0.025)" in text
    assert "tuned: 0.001 to 1.0, log scale, default 0.025; source: range as in NAS-Bench-1Shot1" in text
    assert "selection argmax, perturbation (default: argmax)" in text
