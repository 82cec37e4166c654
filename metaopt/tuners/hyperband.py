"""Hyperband (Li et al. 2018): successive-halving brackets over draws from the space's priors."""

from __future__ import annotations

from metaopt.tuners.shared.brackets import BracketTuner, Sample


class Hyperband(BracketTuner):
    """BOHB without its model: the same brackets, every configuration drawn from the priors."""

    def _sample(self, ask: int, budget: float) -> Sample:
        return Sample(self._draw(ask), model_based=False)
