"""SMAC with fidelities: Hyperband's brackets, their configurations proposed by SMAC's random forest."""

from __future__ import annotations

from dataclasses import replace

from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Proposal
from metaopt.tuners.shared.brackets import BracketTuner, Sample
from metaopt.tuners.shared.smac_adapter import ForestModel
from metaopt.tuners.shared.varying import varying


class SMACMultiFidelity(BracketTuner):
    """The brackets of ``hyperband``; new configurations come from a forest of the largest budget that allows one.

    A memo also says what the forest proposed besides.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        min_epochs: Smallest budget of an evaluation.
        max_epochs: Largest budget of an evaluation.
        eta: One configuration in ``eta`` is promoted to ``eta`` times the budget; at least 2.
        min_trials: Results on one budget that a forest of it needs; None: one more than hyperparameters that can
            vary. SMAC itself
            has 1, and so trains on a single point as soon as one configuration has reached the largest budget.
        retrain_after: Configurations that are taken from one forest. 8 as in SMAC.
        challengers: Configurations that are drawn to start the search of the best from. 10,000 as in SMAC.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        eta: int = 2,
        min_trials: int | None = None,
        retrain_after: int = 8,
        challengers: int = 10_000,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs, eta=eta)
        self._model = ForestModel(
            self.space,
            seed=seed,
            retrain_after=retrain_after,
            challengers=challengers,
            min_trials=len(varying(self.space)) + 1 if min_trials is None else min_trials,
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
