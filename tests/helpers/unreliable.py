"""The look-up of cells with failures in it, the same ones every time. For tests of what a run makes of them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from metaopt.core.trial import Result, Trial
from metaopt.objectives.table import TableLookup


class Unreliable(TableLookup):
    """A third of the cells fails: one in nine raises, one is not a number, one is timed out after half its epochs.

    One in nine trains :attr:`beyond` more epochs than it is asked to, which each of them may.
    """

    beyond: ClassVar[int] = 3

    def dearest_epochs(self, config: object, epochs: int) -> int:
        return epochs + self.beyond

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        result = super().evaluate(trial, folder)
        match int(result.info["cell_hash"], 16) % 9:
            case 0:
                raise ArithmeticError("on purpose")
            case 1:
                return replace(result, valid_error=math.nan)
            case 2:
                trained = max(1, trial.epochs // 2)
                return Result(trial.id, "timeout", cost_s=result.cost_s / 2, reason="on purpose", epochs=trained)
            case 3:
                return replace(result, epochs=trial.epochs + self.beyond)
        return result
