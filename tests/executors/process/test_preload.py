from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metaopt.executors.base import Recipe
from metaopt.executors.process import fork_server
from metaopt.executors.process.preload import prepare
from metaopt.oneshot import ONESHOT

HELPERS = Path(__file__).parents[2] / "helpers"


@pytest.mark.slow
def test_a_child_imports_and_reads_nothing_of_weight() -> None:
    environment = {**os.environ, "PYTHONPATH": str(HELPERS)}
    run = subprocess.run(
        [sys.executable, "-c", "import watched; watched.tell()"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    results = json.loads(run.stdout)
    assert results.keys() == ONESHOT.keys()
    for name, result in results.items():
        assert result["status"] == "ok", (name, result["reason"])
        told = result["info"]
        # Single small modules, which libraries import on demand, take less than .01 s together.
        assert len(told["imported"]) <= 4, (name, told["imported"])
        assert not [module for module in told["imported"] if module.startswith("metaopt.")], name
        assert told["images"] == 0, name
        assert (told["threads"], told["cuda"]) == (0, False)


class Loud:
    """An objective that cannot be prepared for."""

    @classmethod
    def preload(cls, **settings: object) -> None:
        print("on purpose", file=sys.stderr)
        raise ZeroDivisionError


@pytest.mark.parametrize("objective", [f"{__name__}:Loud", "faults:Faults", "nowhere:Nothing", "faults:Nothing"])
def test_what_cannot_be_prepared_is_left_to_the_trial(objective: str, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(objective, {"settings": 1})
    assert capsys.readouterr().err == ""


def test_settings_that_no_variable_holds_are_not_handed_over() -> None:
    assert json.loads(fork_server._what_to_prepare(Recipe("faults:Faults", {"log": "x"})))[1] == {"log": "x"}
    assert fork_server._what_to_prepare(Recipe("faults:Faults", {"log": "x" * 200_000})) == ""
