"""TPE (Bergstra et al. 2011; multivariate: Falkner et al. 2018), as Optuna 5 has it, at the largest budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metaopt.core.trial import Result, Trial
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.optuna_adapter import ParzenModel


class TPE(Tuner):
    """Proposes where good configurations are dense and bad ones are not; no configuration twice, if it can.

    A memo says whether the configuration came from the model.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``tpe``."""

        startup: int = field(10, "results that the model needs; draws from the priors until then (Optuna: 10)", ge=1)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self._model = ParzenModel(self.space, seed=self.seed, startup=self.options.startup)

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
