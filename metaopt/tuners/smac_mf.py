"""SMAC with fidelities: Hyperband's brackets, their configurations proposed by SMAC's random forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from metaopt.core.trial import Result, Trial
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal
from metaopt.tuners.shared.brackets import BracketTuner, Sample
from metaopt.tuners.shared.smac_adapter import ForestModel
from metaopt.tuners.shared.varying import varying


class SMACMultiFidelity(BracketTuner):
    """The brackets of ``hyperband``; new configurations come from a forest of the largest budget that allows one.

    A memo also says what the forest proposed besides.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(BracketTuner.Options):
        """Options of ``smac_mf``.

        SMAC itself needs one result, and so trains on a single point as soon as one configuration has reached the
        largest budget.
        """

        min_trials: int | None = field(
            None,
            "results on one budget that a forest of it needs",
            ge=1,
            otherwise="one more than hyperparameters that can vary",
        )
        retrain_after: int = field(8, "configurations taken from one forest (SMAC: 8)", ge=1)
        challengers: int = field(10_000, "draws that the search for the best starts from (SMAC: 10,000)", ge=1)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self._model = ForestModel(
            self.space,
            seed=self.seed,
            retrain_after=self.options.retrain_after,
            challengers=self.options.challengers,
            min_trials=self.options.min_trials or len(varying(self.space)) + 1,
        )

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        if logged is not None:
            self._model.take_ahead(logged.memo)
        proposal = super()._propose(ask, logged)
        self._model.start(proposal)
        return replace(proposal, memo={**proposal.memo, "ahead": self._model.ahead})

    def _sample(self, ask: int, budget: float) -> Sample:
        return self._model.propose(ask) or Sample(self._draw(ask), model_based=False)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        super()._observe(tell, trial, result)
        self._model.finish(trial, result)
