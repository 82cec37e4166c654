"""TPE in Hyperband's brackets: BOHB's plan (Falkner et al. 2018) with Optuna's estimator instead of hpbandster's."""

from __future__ import annotations

from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Proposal
from metaopt.tuners.shared.brackets import BracketTuner, Sample
from metaopt.tuners.shared.optuna_adapter import ParzenModel


class TPEHyperband(BracketTuner):
    """The brackets of ``hyperband``; new configurations come from a model of the largest budget that allows one.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        min_epochs: Smallest budget of an evaluation.
        max_epochs: Largest budget of an evaluation.
        eta: One configuration in ``eta`` is promoted to ``eta`` times the budget; at least 2.
        startup: Results on one budget that a model of it needs; until one has them, configurations are drawn from the
            priors. 10 as in Optuna.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        eta: int = 2,
        startup: int = 10,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs, eta=eta)
        self._model = ParzenModel(self.space, seed=seed, startup=startup)

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
