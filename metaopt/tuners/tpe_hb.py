"""TPE in Hyperband's brackets: BOHB's plan (Falkner et al. 2018) with Optuna's estimator instead of hpbandster's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metaopt.core.trial import Result, Trial
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal
from metaopt.tuners.shared.brackets import BracketTuner, Sample
from metaopt.tuners.shared.optuna_adapter import ParzenModel


class TPEHyperband(BracketTuner):
    """The brackets of ``hyperband``; new configurations come from a model of the largest budget that allows one."""

    @dataclass(frozen=True, kw_only=True)
    class Options(BracketTuner.Options):
        """Options of ``tpe_hb``."""

        startup: int = field(
            10, "results on one budget that a model of it needs; draws from the priors until then (Optuna: 10)", ge=1
        )

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self._model = ParzenModel(self.space, seed=self.seed, startup=self.options.startup)

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        proposal = super()._propose(ask, logged)
        self._model.start(ask, proposal)
        return proposal

    def _sample(self, ask: int, budget: float) -> Sample:
        proposed = self._model.propose(ask)
        return Sample(proposed or self._draw(ask), model_based=proposed is not None)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        super()._observe(tell, trial, result)
        self._model.finish(trial, result)
