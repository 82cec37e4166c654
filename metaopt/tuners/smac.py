"""SMAC (Hutter et al. 2011; SMAC3, Lindauer et al. 2022): a random forest proposes, at the largest budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metaopt.core.trial import Result, Trial
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.brackets import Sample
from metaopt.tuners.shared.smac_adapter import ForestModel
from metaopt.tuners.shared.varying import varying


class SMAC(Tuner):
    """Proposes the default, if there is one, then a Sobol sequence, then what a random forest expects to improve most.

    A memo says whether the configuration came from the forest, and what the forest proposed besides. No configuration
    is proposed twice while there are others.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``smac``.

        SMAC itself begins with ten configurations per hyperparameter, but at most a quarter of the run's trials, which
        a tuner does not know.
        """

        n_initial: int | None = field(
            None,
            "configurations before the forest, the first one included",
            ge=1,
            otherwise="two per hyperparameter that can vary",
        )
        retrain_after: int = field(8, "configurations taken from one forest (SMAC: 8)", ge=1)
        challengers: int = field(10_000, "draws that the search for the best starts from (SMAC: 10,000)", ge=1)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        retrain_after, challengers = self.options.retrain_after, self.options.challengers
        self._model = ForestModel(
            self.space, seed=self.seed, retrain_after=retrain_after, challengers=challengers, min_trials=1
        )
        self.n_initial = self.options.n_initial or max(2 * len(varying(self.space)), 1)
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
