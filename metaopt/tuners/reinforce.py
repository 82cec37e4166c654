"""REINFORCE (Williams 1992) as NAS-Bench-1Shot1 uses it: one independent softmax per hyperparameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    IntegerHyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.types import NotSet
from numpy.typing import NDArray

from metaopt.core.seeds import stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.spaces.space import is_config, plain, unmet
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.adam import Adam

_MOMENTUM = 0.9  # of the baseline: 1Shot1's released code
_BETAS = (0.9, 0.999)  # Kingma & Ba 2015, section 2; the scale of the advantage below forgets as fast as the second
_TINY = 1e-8
_TRIES = 100  # draws that may be forbidden, one after the other, before the first configuration is taken


@dataclass
class Mean:
    """An exponential moving average, corrected for its start at zero (Kingma & Ba 2015, section 3).

    Attributes:
        momentum: Share that stays at an update.
    """

    momentum: float
    _sum: Any = 0.0
    _updates: int = 0

    def update(self, value: Any) -> Any:
        """Takes a value, a float or an array, and returns the average with it."""
        self._sum = self.momentum * self._sum + (1 - self.momentum) * value
        self._updates += 1
        return self._sum / (1 - self.momentum**self._updates)


class Reinforce(Tuner):
    """Draws every hyperparameter from its own softmax and raises the logits of what did better than before.

    logits += rate (reward - baseline) grad log p(configuration), with reward = 1 - loss and, as baseline, the moving
    average of the rewards, this one among them. Hyperparameters that are inactive are left alone. A number is cut
    into bins of equal width on its own scale; a value is drawn evenly from the bin. In a memo stands the choice, a bin
    or a value's place, of every active hyperparameter. The first configuration counts as a draw. With several
    trials in flight the gradient is taken at the logits of the time of the tell.

    As published it hardly learns within some hundred evaluations: rewards differ by hundredths, so the logits move by
    thousandths. ``reward_scaling`` divides the advantage by its own root mean square; ``adam`` scales every logit's
    step by itself.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``reinforce``; ``rate`` is that of NAS-Bench-1Shot1 (Siems et al. 2020, released code)."""

        rate: float = field(0.1, "step of the logits", gt=0)
        reward_scaling: bool = field(
            False, "whether the advantage is divided by its root mean square so far; not as published"
        )
        adam: bool = field(False, "whether Adam ascends, as in NATS-Bench's code, and not plain gradient ascent")
        bins: int = field(8, "choices of a number, fewer where it has fewer whole numbers", ge=2)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        sizes = [_n_choices(hyperparameter, self.options.bins) for hyperparameter in self.space.values()]
        ends = np.cumsum(sizes).tolist()
        self._slices = {name: slice(e - n, e) for name, n, e in zip(self.space, sizes, ends, strict=True)}
        self._logits = np.zeros(ends[-1] if ends else 0)
        self._baseline, self._square = Mean(_MOMENTUM), Mean(_BETAS[1])
        self._adam = Adam(len(self._logits), _BETAS)

    def probabilities(self, name: str) -> NDArray[np.float64]:
        """Returns the probability of each choice of the hyperparameter ``name``, in the order of its values."""
        raised = np.exp(self._logits[self._slices[name]] - self._logits[self._slices[name]].max())
        return np.asarray(raised / raised.sum())

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        if logged:
            return Proposal(key=ask, config=logged.config, epochs=self.max_epochs, memo=logged.memo)
        config, choices = self._sample(ask) if ask else self._first_choices()
        return Proposal(key=ask, config=config, epochs=self.max_epochs, memo={"choices": choices})

    def _first_choices(self) -> tuple[dict[str, Value], dict[str, int]]:
        return self.first, {name: self._choice(name, value) for name, value in self.first.items()}

    def _choice(self, name: str, value: Value) -> int:
        hyperparameter, n_choices = self.space[name], len(self.probabilities(name))
        if isinstance(hyperparameter, Constant):
            return 0
        place = float(hyperparameter.to_vector(value))
        if not isinstance(hyperparameter, NumericalHyperparameter):
            return int(place)  # of a categorical or ordinal one its number
        if hyperparameter.size == n_choices:
            return int(value) - int(hyperparameter.lower)
        return min(int(place * n_choices), n_choices - 1)

    def _sample(self, ask: int) -> tuple[dict[str, Value], dict[str, int]]:
        rng = stream(self.seed, ask, "reinforce")
        for _ in range(_TRIES):
            config, choices = self._sample_once(rng)
            if is_config(self.space, config):
                return config, choices
        return self._first_choices()

    def _sample_once(self, rng: np.random.Generator) -> tuple[dict[str, Value], dict[str, int]]:
        active: dict[str, Any] = dict.fromkeys(self.space, NotSet)
        choices = {}
        for name, hyperparameter in self.space.items():  # parents come before children
            if not unmet(self.space, name, active):
                probabilities = self.probabilities(name)
                choices[name] = int(rng.choice(len(probabilities), p=probabilities))
                active[name] = _value(hyperparameter, choices[name], len(probabilities), rng)
        return plain({name: value for name, value in active.items() if value is not NotSet}), choices

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        reward = 1 - result.loss
        advantage = reward - self._baseline.update(reward)
        if self.options.reward_scaling:
            advantage /= math.sqrt(self._square.update(advantage**2)) + _TINY
        gradient = advantage * self._gradient(trial.memo["choices"])
        rate = self.options.rate
        self._logits += self._adam.step(gradient, rate) if self.options.adam else rate * gradient

    def _gradient(self, choices: Mapping[str, int]) -> NDArray[np.float64]:
        """Returns the gradient of log p(choices) with respect to the logits: 1 - p where chosen, -p elsewhere."""
        gradient = np.zeros_like(self._logits)
        for name, choice in choices.items():
            gradient[self._slices[name]] = -self.probabilities(name)
            gradient[self._slices[name]][choice] += 1
        return gradient


def _n_choices(hyperparameter: Hyperparameter[Any, Any], bins: int) -> int:
    if isinstance(hyperparameter, IntegerHyperparameter):
        return int(min(bins, hyperparameter.size))
    return bins if isinstance(hyperparameter, NumericalHyperparameter) else int(hyperparameter.size)


def _value(hyperparameter: Hyperparameter[Any, Any], choice: int, n_choices: int, rng: np.random.Generator) -> Value:
    match hyperparameter:
        case CategoricalHyperparameter():
            value: Value = hyperparameter.choices[choice]
        case OrdinalHyperparameter():
            value = hyperparameter.sequence[choice]
        case IntegerHyperparameter() if hyperparameter.size == n_choices:
            value = int(hyperparameter.lower) + choice
        case NumericalHyperparameter():
            value = hyperparameter.to_value((choice + float(rng.random())) / n_choices)
        case _:
            value = hyperparameter.default_value
    return value
