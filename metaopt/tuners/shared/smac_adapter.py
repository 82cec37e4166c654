"""SMAC's random forest and acquisition search (Lindauer et al. 2022; Hutter et al. 2011), in memory.

The parts are those of SMAC's facades with their published settings. What SMAC puts around them is left out: with one
seed and no instances its racing has nothing to race, its Hyperband seldom promotes while several trials run and ranks
crashed ones (brackets are those of :mod:`metaopt.tuners.shared.brackets` instead), and its own files lose running
trials.

SMAC trains once per ``retrain_after`` configurations. Those that are left stand in every trial's memo as ``ahead``; so
whoever reads a journal goes on with them, without a forest. All else is a function of the results and of a seed that
is named by the ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    NumericalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from numpy.typing import NDArray
from smac import HyperparameterOptimizationFacade as Facade
from smac import Scenario
from smac.acquisition.maximizer.local_search import LocalSearch
from smac.main.config_selector import ConfigSelector
from smac.main.exceptions import ConfigurationSpaceExhaustedException
from smac.runhistory import RunHistory, StatusType, TrialInfo, TrialValue

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Result, Trial, Value
from metaopt.spaces.exact import Space
from metaopt.spaces.space import check_config, is_config, plain
from metaopt.tuners.base import Proposal
from metaopt.tuners.shared.brackets import Sample
from metaopt.tuners.shared.silence import silenced
from metaopt.tuners.shared.varying import varying

#: What SMAC calls configurations that its forest had no part in.
_AT_RANDOM = "Random Search"


class ForestModel:
    """A random forest of the largest budget that has ``min_trials`` results; proposes what it expects to improve most.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        retrain_after: Configurations that are taken from one forest; at least 1.
        challengers: Configurations that are drawn to start the search of the best from; at least 1.
        min_trials: Results on one budget that a forest needs; at least 1.

    Attributes:
        ahead: What the last forest proposed and nobody took yet; plain JSON values.

    Raises:
        ConfigError: if the space has a conditional hyperparameter with a normal or beta prior.
    """

    def __init__(self, space: Space, *, seed: int, retrain_after: int, challengers: int, min_trials: int) -> None:
        _refuse_conditional_priors(space)
        self._space, self._seed, self._varies = space, seed, bool(varying(space))
        self._retrain_after, self._challengers, self._min_trials = retrain_after, challengers, min_trials
        self._history = RunHistory(overwrite_existing_trials=True)  # a running trial becomes a finished one
        self.ahead: list[dict[str, Any]] = []

    def take_ahead(self, memo: Mapping[str, Any]) -> None:
        """Takes what the last forest of a journal proposed.

        Args:
            memo: Of a logged trial.

        Raises:
            ConfigError: if a configuration in it is none of the space; likewise KeyError, TypeError, AttributeError.
        """
        self.ahead = list(memo.get("ahead", ()))
        for sample in self.ahead:
            check_config(self._space, sample["config"])
            if type(sample["model_based"]) is not bool:
                raise TypeError("model_based is neither true nor false")

    def initial(self, n: int) -> list[dict[str, Value]]:
        """Returns up to ``n`` configurations that cover the space evenly, by a scrambled Sobol sequence."""
        if not self._varies:
            return []
        with silenced("smac"):
            design = Facade.get_initial_design(self._scenario(0), n_configs=n)
            found = [plain(config) for config in design.select_configurations()]
        return [config for config in found if is_config(self._space, config)]

    def start(self, proposal: Proposal) -> None:
        """Puts a trial in as running, so that it is not proposed again; one that repeats another hides no result."""
        info = self._info(proposal.config, proposal.epochs)
        with silenced("smac"):
            if info not in self._history.get_trials(info.config, highest_observed_budget_only=False):
                self._history.add_running_trial(info)

    def finish(self, trial: Trial, result: Result) -> None:
        """Puts the result of a started trial in; one that is not ok as the worst loss."""
        status = StatusType.SUCCESS if result.status == "ok" else StatusType.CRASHED
        with silenced("smac"):
            self._history.add_trial(self._info(trial.config, trial.epochs), TrialValue(cost=result.loss, status=status))

    def propose(self, ask: int) -> Sample | None:
        """Returns the next configuration, or None if there is no forest yet or the whole space was proposed."""
        if not self.ahead and self._varies and self._has_enough():
            with silenced("smac"):
                self.ahead = self._plan(ask)
        if not self.ahead:
            return None
        first, *self.ahead = self.ahead
        return Sample(first["config"], model_based=first["model_based"])

    def _has_enough(self) -> bool:
        """Returns whether SMAC would train: it counts configurations, however often one was evaluated."""
        finished = (key.budget for key, value in self._history.items() if value.status != StatusType.RUNNING)
        return max(Counter(finished).values(), default=0) >= self._min_trials

    def _plan(self, ask: int) -> list[dict[str, Any]]:
        selector = iter(self._selector(ask))
        found: list[Configuration] = []
        with suppress(ConfigurationSpaceExhaustedException):  # what it found until then is kept
            found.extend(islice(selector, self._retrain_after))
        return [
            {"config": values, "model_based": not str(config.origin).startswith(_AT_RANDOM)}
            for config in found
            if is_config(self._space, values := plain(config))
        ]

    def _selector(self, ask: int) -> ConfigSelector:
        """Returns SMAC's loop over forest and acquisition, as it stands before the first forest of this ask."""
        scenario = self._scenario(ask)
        self._space.seed(scenario.seed)
        forest = Facade.get_model(scenario)
        forest._rf_opts["n_jobs"] = 1  # ten small trees are slower in threads, and cores belong to the trials
        # No tree has more leaves than results. SMAC's own limit changes nothing but that each tree first takes memory
        # for two million nodes, which is most of what its training costs.
        forest._rf_opts["max_leaf_nodes"] = max(2, len(self._history))
        acquisition = Facade.get_acquisition_function(scenario)
        maximizer = Facade.get_acquisition_maximizer(scenario, challengers=self._challengers)
        maximizer._local_search = _LocalSearch(self._space, seed=scenario.seed)
        maximizer.acquisition_function = acquisition
        encoder = Facade.get_runhistory_encoder(scenario)
        encoder.runhistory = self._history
        selector = _Selector(scenario, retrain_after=self._retrain_after, min_trials=self._min_trials)
        selector._set_components(
            initial_design=Facade.get_initial_design(scenario, n_configs=0),
            runhistory=self._history,
            runhistory_encoder=encoder,
            model=forest,
            acquisition_maximizer=maximizer,
            acquisition_function=acquisition,
            random_design=Facade.get_random_design(scenario),
        )
        return selector

    def _scenario(self, ask: int) -> Scenario:
        # Trials are counted by the study: SMAC's own limit only cuts its initial design.
        seed = seed_integer(self._seed, ask, "smac") // 2
        return Scenario(self._space, name="metaopt", deterministic=True, n_trials=10**9, seed=seed)

    def _info(self, config: Mapping[str, Value], epochs: int) -> TrialInfo:
        return TrialInfo(Configuration(self._space, values=dict(config)), seed=0, budget=float(epochs))


def _refuse_conditional_priors(space: ConfigurationSpace) -> None:
    """Refuses what SMAC's forest has no place for where it is inactive."""
    uniform = (UniformFloatHyperparameter, UniformIntegerHyperparameter)
    names = [
        name
        for name in space.conditional_hyperparameters
        if isinstance(space[name], NumericalHyperparameter) and not isinstance(space[name], uniform)
    ]
    if names:
        text = f"smac takes no conditional hyperparameters with a normal or beta prior, got {', '.join(names)}"
        raise ConfigError(text, "write them as uniform, or use random")


class _Selector(ConfigSelector):
    """SMAC's, but that it asks the forest once for all results, not once for each of them."""

    def _get_x_best(self, X: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:  # noqa: N803, SMAC's name
        assert self._model is not None
        expected = self._model.predict_marginalized(X)[0][:, 0]
        best = int(np.argmin(expected))
        return X[best], float(expected[best])


class _LocalSearch(LocalSearch):
    """SMAC's, but that it begins from its points in an order that does not depend on Python's hash seed."""

    def _get_init_points_from_previous_configs(self, *args: Any) -> list[Configuration]:
        points = super()._get_init_points_from_previous_configs(*args)
        return sorted(points, key=lambda config: config.get_array().tobytes())
