"""Optuna's tree-structured Parzen estimator over a ConfigurationSpace, in memory.

Optuna decides where to look next and nothing else. A proposal is drawn by a sampler that was made for it, from its own
seed, and is a function of the trials that stand in the studies; so a model that trials were put into from a journal
proposes what the one would have that asked for them.
"""

from __future__ import annotations

from typing import Any

import optuna
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import Constant, Hyperparameter, OrdinalHyperparameter
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from metaopt.core.seeds import seed_integer, stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.spaces.optuna import distribution
from metaopt.spaces.space import is_config, plain, unmet
from metaopt.tuners.base import Proposal
from metaopt.tuners.shared.neighbors import mutated
from metaopt.tuners.shared.seen import Seen
from metaopt.tuners.shared.silence import silenced

#: Draws per proposal. The sampler knows no forbidden clauses, and in a space of categories it proposes again what it
#: likes, where another look-up of the same cell would teach nothing. Every draw fits the estimates anew, so that a few
#: must do; their last one is then left in random steps.
_ATTEMPTS = 3
#: Random steps away from a draw that was proposed before: after so many the space is as good as used up.
_STEPS = 100


class ParzenModel:
    """One study per budget; the largest that has ``startup`` results is what proposals are drawn from.

    The sampler is Optuna's own with its published defaults: multivariate, with the constant liar, and with one
    estimate per set of hyperparameters that are active together where there are conditions.

    Args:
        space: What to propose from; its priors and weights are not known to Optuna, its conditions are kept to.
        seed: Seed of the run.
        startup: Results on one budget that a model needs; at least 1.
    """

    def __init__(self, space: ConfigurationSpace, *, seed: int, startup: int) -> None:
        self._space, self._seed, self._startup = space, seed, startup
        self._conditional = bool(space.conditions)
        self._distributions = {name: _distribution(of) for name, of in space.items() if not isinstance(of, Constant)}
        self._studies: dict[int, optuna.Study] = {}
        self._results: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._seen = Seen(space)

    def start(self, ask: int, proposal: Proposal) -> None:
        """Puts a trial in as running."""
        self._seen.add(proposal.config)
        study = self._study(proposal.epochs)
        parameters = {
            name: _to_optuna(self._space[name], value)
            for name, value in proposal.config.items()
            if name in self._distributions
        }
        distributions = {name: self._distributions[name] for name in parameters}
        with silenced("optuna"):
            self._numbers[ask] = len(study.get_trials(deepcopy=False))
            study.add_trial(
                optuna.create_trial(state=TrialState.RUNNING, params=parameters, distributions=distributions)
            )

    def finish(self, trial: Trial, result: Result) -> None:
        """Puts the result of a started trial in; one that is not ok as the worst loss, so that it is avoided."""
        with silenced("optuna"):
            self._studies[trial.epochs].tell(self._numbers.pop(trial.id), result.loss)
        self._results[trial.epochs] += 1

    def propose(self, ask: int) -> dict[str, Value] | None:
        """Returns a configuration that was not proposed before, or None if there is no model yet or none was found.

        It is the sampler's, or, where that repeats itself, one that random mutations of the sampler's lead to.
        """
        ready = [epochs for epochs, results in self._results.items() if results >= self._startup]
        if not ready or not self._distributions:
            return None
        study = self._studies[max(ready)]
        for attempt in range(_ATTEMPTS):
            with silenced("optuna"):
                study.sampler = optuna.samplers.TPESampler(
                    seed=seed_integer(self._seed, ask, attempt, "tpe"),
                    n_startup_trials=self._startup,
                    multivariate=True,
                    group=self._conditional,
                    constant_liar=True,
                )
                config = self._draw(study)
            legal = is_config(self._space, config)
            if legal and config not in self._seen:
                return config
        return self._step_aside(ask, config) if legal else None

    def _step_aside(self, ask: int, config: dict[str, Value]) -> dict[str, Value] | None:
        rng = stream(self._seed, ask, "step aside")
        for _ in range(_STEPS):
            config = mutated(self._space, config, rng)
            if config not in self._seen:
                return config
        return None

    def _study(self, epochs: int) -> optuna.Study:
        if epochs not in self._studies:
            with silenced("optuna"):
                self._studies[epochs] = optuna.create_study(study_name=str(epochs), direction="minimize")
            self._results[epochs] = 0
        return self._studies[epochs]

    def _draw(self, study: optuna.Study) -> dict[str, Value]:
        """Asks the study's sampler, and closes the trial that this opens: it counts only once it is started."""
        trial = study.ask()
        config: dict[str, Value] = {}
        for name, hyperparameter in self._space.items():  # parents come before children
            if not unmet(self._space, name, config):
                config[name] = _suggest(trial, name, hyperparameter, self._distributions.get(name))
        study.tell(trial, state=TrialState.FAIL)
        return plain(config)


def _distribution(hyperparameter: Hyperparameter[Any, Any]) -> BaseDistribution:
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return IntDistribution(0, len(hyperparameter.sequence) - 1)  # its places, which keep the order
    return distribution(hyperparameter)


def _to_optuna(hyperparameter: Hyperparameter[Any, Any], value: Value) -> Value:
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return int(hyperparameter.sequence.index(value))
    return value


def _suggest(
    trial: optuna.Trial, name: str, hyperparameter: Hyperparameter[Any, Any], distribution: BaseDistribution | None
) -> Any:
    match distribution:
        case FloatDistribution():
            return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
        case IntDistribution():
            number = trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
            return hyperparameter.sequence[number] if isinstance(hyperparameter, OrdinalHyperparameter) else number
        case CategoricalDistribution():
            return trial.suggest_categorical(name, distribution.choices)
    return hyperparameter.default_value
