"""SMAC (Hutter et al. 2011; SMAC3, Lindauer et al. 2022): a random forest proposes, at the largest budget."""

from __future__ import annotations

from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Proposal, Tuner
from metaopt.tuners.shared.brackets import Sample
from metaopt.tuners.shared.smac_adapter import ForestModel
from metaopt.tuners.shared.varying import varying


class SMAC(Tuner):
    """Proposes the default, if there is one, then a Sobol sequence, then what a random forest expects to improve most.

    A memo says whether the configuration came from the forest, and what the forest proposed besides. No configuration
    is proposed twice while there are others.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        min_epochs: Not used.
        max_epochs: Budget of every evaluation.
        n_initial: Configurations before the forest, the first among them; None: two per hyperparameter that can
            vary. SMAC itself takes ten but at most a quarter of the run's trials, which a tuner does not know.
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
        n_initial: int | None = None,
        retrain_after: int = 8,
        challengers: int = 10_000,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs)
        if n_initial is not None and n_initial < 1:
            raise ConfigError(f"n_initial must be at least 1, got {n_initial}", "change the tuner option n_initial")
        self._model = ForestModel(
            self.space, seed=seed, retrain_after=retrain_after, challengers=challengers, min_trials=1
        )
        self.n_initial = max(2 * len(varying(self.space)), 1) if n_initial is None else n_initial
        self._even = self._model.initial(self.n_initial)

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        if logged is not None:
            self._model.take_ahead(logged.memo)
        sample = self._sample(ask, logged)
        memo = {"model_based": sample.model_based, "ahead": self._model.ahead}
        proposal = Proposal(key=ask, config=sample.config, epochs=self.max_epochs, memo=memo)
        self._model.start(proposal)
        return proposal

    def _sample(self, ask: int, logged: Trial | None) -> Sample:
        if ask == 0:
            return Sample(self.first, model_based=False)
        if logged is not None:
            return Sample(logged.config, model_based=bool(logged.memo.get("model_based")))
        even = [config for config in self._even if config != self.first]
        if ask <= len(even) and ask < self.n_initial:
            return Sample(even[ask - 1], model_based=False)
        return self._model.propose(ask) or Sample(self._draw(ask), model_based=False)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self._model.finish(trial, result)
