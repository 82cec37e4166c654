"""BOHB (Falkner et al. 2018): Hyperband's brackets, their configurations proposed by kernel density estimates.

Brackets and densities are those of hpbandster 0.7.4, the authors' code. Deviations, all outside of the model: ask and
tell instead of its network server; a space's default, where it has one, comes first, as in NAS-Bench-1Shot1; budgets
as in :mod:`metaopt.tuners.shared.brackets`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace, OrdinalHyperparameter
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators import bohb as hpbandster_bohb

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer, seed_sequence
from metaopt.settings.field import field
from metaopt.spaces.space import is_config, plain
from metaopt.tuners.base import Problem
from metaopt.tuners.shared.brackets import SILENT, BracketTuner, Sample
from metaopt.tuners.shared.varying import completed, without_constants


class BOHB(BracketTuner):
    """Proposes where good configurations are dense and bad ones are not; models the largest budget that allows it.

    A budget is modeled once it has ``min_points_in_model`` good results and more bad ones than there are
    hyperparameters that can vary; until then, and where none can, configurations are drawn from the priors. All
    defaults are the published ones (Falkner et al. 2018, section 4; hpbandster 0.7.4), except eta, which is that of
    NAS-Bench-1Shot1's runs.
    Ordinal hyperparameters are not supported.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(BracketTuner.Options):
        """Options of ``bohb``."""

        top_n_percent: int = field(15, "percentage of the results that count as good", ge=1, le=99)
        num_samples: int = field(64, "draws from the good density per proposal, of which the best is taken", ge=1)
        random_fraction: float = field(1 / 3, "fraction of configurations drawn from the priors", ge=0, le=1)
        bandwidth_factor: float = field(3.0, "widening of the good density's bandwidth for draws from it", gt=0)
        min_bandwidth: float = field(1e-3, "smallest bandwidth, relative to a hyperparameter's range", gt=0)
        min_points_in_model: int | None = field(
            None, "good results that a model needs", ge=1, otherwise="one more than hyperparameters that can vary"
        )

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self._varying = without_constants(self.space)
        fewest, points = len(self._varying) + 1, self.options.min_points_in_model
        if points is not None and points < fewest:
            text = f"min_points_in_model must be at least {fewest} in this space, got {points}"
            raise ConfigError(text, "raise it, or leave it out")
        _refuse_ordinals(self._varying)
        with _seeded(np.random.SeedSequence(0)):
            model = {name: value for name, value in asdict(self.options).items() if name != "eta"}
            self._model = hpbandster_bohb.BOHB(configspace=self._varying, logger=SILENT, **model)

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
