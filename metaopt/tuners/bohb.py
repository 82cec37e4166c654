"""BOHB (Falkner et al. 2018): Hyperband's brackets, their configurations proposed by kernel density estimates.

Brackets and densities are those of hpbandster 0.7.4, the authors' code. Deviations, all outside of the model: ask and
tell instead of its network server; a space's default, where it has one, comes first, as in NAS-Bench-1Shot1; budgets
as in :mod:`metaopt.tuners.shared.brackets`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ConfigSpace import ConfigurationSpace, OrdinalHyperparameter
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators import bohb as hpbandster_bohb

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer, seed_sequence
from metaopt.spaces.space import is_config, plain
from metaopt.tuners.shared.brackets import SILENT, BracketTuner, Sample
from metaopt.tuners.shared.varying import completed, without_constants


class BOHB(BracketTuner):
    """Proposes where good configurations are dense and bad ones are not; models the largest budget that allows it.

    A budget is modelled once it has ``min_points_in_model`` good results and more bad ones than there are
    hyperparameters that can vary; until then, and where none can, configurations are drawn from the priors. All
    defaults are the published ones (Falkner et al. 2018, section 4; hpbandster 0.7.4), but for eta, which is that of
    NAS-Bench-1Shot1's runs.

    Args:
        space: What to propose from; ordinal hyperparameters are not supported.
        seed: Seed of the run.
        min_epochs: Smallest budget of an evaluation.
        max_epochs: Largest budget of an evaluation.
        eta: One configuration in ``eta`` is promoted to ``eta`` times the budget; at least 2.
        top_n_percent: Percentage of the results that count as good, 1 to 99.
        num_samples: Candidates drawn from the good density per proposal; the one with the best ratio is taken.
        random_fraction: Fraction of configurations drawn from the priors instead, 0 to 1.
        bandwidth_factor: Widens the good density's bandwidth for drawing candidates; above 0.
        min_bandwidth: Smallest bandwidth, relative to a hyperparameter's range; above 0.
        min_points_in_model: Good results that a model needs; at least one more than hyperparameters that can
            vary, which None means.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        eta: int = 2,
        top_n_percent: int = 15,
        num_samples: int = 64,
        random_fraction: float = 1 / 3,
        bandwidth_factor: float = 3.0,
        min_bandwidth: float = 1e-3,
        min_points_in_model: int | None = None,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs, eta=eta)
        self._varying = without_constants(self.space)
        fewest = len(self._varying) + 1
        _require("top_n_percent", top_n_percent, 1 <= top_n_percent <= 99, "1 to 99")
        _require("num_samples", num_samples, num_samples >= 1, "1 or more")
        _require("random_fraction", random_fraction, 0 <= random_fraction <= 1, "0 to 1")
        _require("bandwidth_factor", bandwidth_factor, bandwidth_factor > 0, "above 0")
        _require("min_bandwidth", min_bandwidth, min_bandwidth > 0, "above 0")
        enough = min_points_in_model is None or min_points_in_model >= fewest
        _require("min_points_in_model", min_points_in_model, enough, f"{fewest} or more in this space")
        _refuse_ordinals(self._varying)
        with _seeded(np.random.SeedSequence(0)):
            self._model = hpbandster_bohb.BOHB(
                configspace=self._varying,
                min_points_in_model=min_points_in_model,
                top_n_percent=top_n_percent,
                num_samples=num_samples,
                random_fraction=random_fraction,
                bandwidth_factor=bandwidth_factor,
                min_bandwidth=min_bandwidth,
                logger=SILENT,
            )

    def _sample(self, ask: int, budget: float) -> Sample:
        if not len(self._varying):
            return Sample(self._draw(ask), model_based=False)
        self._varying.seed(seed_integer(self.seed, ask, "space"))
        with _seeded(seed_sequence(self.seed, ask, "bohb")):
            varied, info = self._model.get_config(budget)
        config = plain(completed(self.space, plain(varied)))
        if not is_config(self.space, config):  # hpbandster was not told all of the space
            return Sample(self._draw(ask), model_based=False)
        return Sample(config, model_based=info["model_based_pick"])

    def _learn(self, tell: int, job: Job) -> None:
        if not len(self._varying):
            return
        job.kwargs["config"] = {name: value for name, value in job.kwargs["config"].items() if name in self._varying}
        # Values of hyperparameters that are inactive are filled in at random.
        with _seeded(seed_sequence(self.seed, tell, "bohb tell")):
            self._model.new_result(job)


def _require(option: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ConfigError(
            f"{option} of bohb cannot be {value}; allowed: {allowed}", f"change the tuner option {option}"
        )


def _refuse_ordinals(space: ConfigurationSpace) -> None:
    ordinals = [name for name, hyperparameter in space.items() if isinstance(hyperparameter, OrdinalHyperparameter)]
    if ordinals:
        raise ConfigError(
            f"bohb takes no ordinal hyperparameters, got {', '.join(ordinals)}", "write them as integers, or use random"
        )


@contextmanager
def _seeded(sequence: np.random.SeedSequence) -> Iterator[None]:
    """Lends hpbandster, which draws from NumPy's global generator, a state of its own, and mutes its old calls."""
    state = np.random.RandomState(np.random.MT19937(sequence)).get_state()
    callers = np.random.get_state()  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(callers)  # noqa: NPY002
