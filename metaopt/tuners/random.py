"""Random search: the default, if there is one, then draws from the space's priors, all at the largest budget."""

from __future__ import annotations

from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Proposal, Tuner


class Random(Tuner):
    """Proposes independent draws; learns nothing (Bergstra & Bengio 2012)."""

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        if ask == 0:
            return Proposal(key=ask, config=self.first, epochs=self.max_epochs)
        config = logged.config if logged else self._draw(ask)
        return Proposal(key=ask, config=config, epochs=self.max_epochs)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        pass
