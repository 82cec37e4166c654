from __future__ import annotations

from typing import ClassVar

from metaopt.objectives import OBJECTIVES
from metaopt.testing.objective_contract import ObjectiveContract


class TestOneShot(ObjectiveContract):
    name = "oneshot"
    settings: ClassVar = {"optimizer": "darts", "benchmark": "digits", "cell_space": 1, "channels": 4, "device": "cpu"}


class TestTableLookup(ObjectiveContract):
    name = "table"
    settings: ClassVar = {"benchmark": "digits", "cell_space": 1, "errors": "single"}


def test_every_objective_is_here() -> None:
    assert {suite.name for suite in ObjectiveContract.__subclasses__()} >= OBJECTIVES.keys()
