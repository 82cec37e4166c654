"""TPE (Bergstra et al. 2011; multivariate: Falkner et al. 2018), as Optuna 5 has it, at the largest budget."""

from __future__ import annotations

from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Proposal, Tuner
from metaopt.tuners.shared.optuna_adapter import ParzenModel


class TPE(Tuner):
    """Proposes where good configurations are dense and bad ones are not; no configuration twice, if it can.

    A memo says whether the configuration came from the model.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        min_epochs: Not used.
        max_epochs: Budget of every evaluation.
        startup: Results that the model needs; until then configurations are drawn from the priors. 10 as in Optuna.
    """

    def __init__(
        self, space: ConfigurationSpace, *, seed: int, min_epochs: int, max_epochs: int, startup: int = 10
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs)
        self._model = ParzenModel(self.space, seed=seed, startup=startup)

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        if ask == 0:
            config, model_based = self.first, False
        elif logged is not None:
            config, model_based = dict(logged.config), bool(logged.memo.get("model_based"))
        else:
            proposed = self._model.propose(ask)
            config, model_based = proposed or self._draw(ask), proposed is not None
        proposal = Proposal(key=ask, config=config, epochs=self.max_epochs, memo={"model_based": model_based})
        self._model.start(ask, proposal)
        return proposal

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self._model.finish(trial, result)
