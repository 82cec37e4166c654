"""BANANAS (White et al. 2021): an ensemble of perceptrons picks among mutants of the best configurations.

Deviations from the published tuner, whose space is one of cells: configurations are encoded one-hot instead of by
paths, which only a space of cells has; the perceptrons have fewer layers, as many updates whatever the number of
results, and predict the rank of a loss instead of the loss. So a fit takes well under a second, and a crash, which is
told as the worst possible loss, does not drown the differences between the others. What makes BANANAS strong is above
all that it mutates the best (Schneider et al. 2021, "Mutation is all you need"), not the encoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer, stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.spaces.space import plain
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.encoding import one_hot
from metaopt.tuners.shared.mlp import ensemble_predictions
from metaopt.tuners.shared.neighbors import Config, mutated
from metaopt.tuners.shared.seen import Seen

_HIDDEN = (20, 20, 20)  # naszilla has ten layers of 20
_RATE = 0.01  # naszilla
_BATCH = 32  # naszilla
_UPDATES = 300  # naszilla has 150 epochs
_MOST_PARENTS = 50  # in a space that is nearly used up there may be no new mutants of any


class Bananas(Tuner):
    """Fits a model, proposes the ``batch`` configurations that it draws as the best, and fits again.

    The candidates are mutants of the best configuration, then of the second best, and so on, none of them proposed
    before. Independent Thompson sampling: one draw per candidate from a normal distribution with the mean and the
    standard deviation of the ensemble. A fit takes what has been told by then and waits for nothing. When the space
    has no other configuration left, nothing more is proposed. A memo says whether the model proposed it.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``bananas``; defaults of naszilla, the authors' code."""

        n_initial: int = field(10, "configurations before the first fit: the default, if there is one, and draws", ge=1)
        batch: int = field(10, "configurations per fit", ge=1)
        candidates: int = field(100, "mutants that the model chooses from; at least as many as batch", ge=1)
        members: int = field(5, "perceptrons of the ensemble", ge=2)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        batch, candidates = self.options.batch, self.options.candidates
        if candidates < batch:
            raise ConfigError(f"candidates must be at least batch, got {candidates} and {batch}", "raise candidates")
        self._asked_configs: list[Config] = []
        self._results: list[tuple[Config, float]] = []
        self._seen = Seen(self.space)
        self._fit: tuple[int, int] | None = None  # the ask that began the batch, and the results known by then
        self._chosen: tuple[tuple[int, int], list[dict[str, Value]]] | None = None

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        if self._fit_ends(ask):
            self._fit = (ask, len(self._results)) if ask >= self.options.n_initial and len(self._results) > 1 else None
        found = (logged.config, logged.memo) if logged else self._next(ask)
        if found is None:
            return None
        config, memo = found
        self._asked_configs.append(config)
        self._seen.add(config)
        return Proposal(key=ask, config=config, epochs=self.max_epochs, memo=memo)

    def _fit_ends(self, ask: int) -> bool:
        return self._fit is None or ask - self._fit[0] >= self.options.batch

    def _next(self, ask: int) -> tuple[Mapping[str, Value], Mapping[str, Any]] | None:
        if ask == 0:
            return self.first, {"model_based": False}
        if self._fit is not None:
            # A function of what was known at the fit: a tuner that was replayed fits only what it has to go on with.
            if self._chosen is None or self._chosen[0] != self._fit:
                self._chosen = self._fit, self._choose(*self._fit)
            place = ask - self._fit[0]
            if place < len(self._chosen[1]):
                return self._chosen[1][place], {"model_based": True}
        self.space.seed(seed_integer(self.seed, ask, "space"))
        config = self._seen.other(lambda: plain(self.space.sample_configuration()))
        return None if config is None else (config, {"model_based": False})

    def _choose(self, ask: int, n_results: int) -> list[dict[str, Value]]:
        rng = stream(self.seed, ask, "bananas")
        results = self._results[:n_results]
        candidates = self._mutants(ask, results, rng)
        if not candidates:
            return []
        losses = np.array([loss for _, loss in results])
        predicted = ensemble_predictions(
            one_hot(self.space, [config for config, _ in results]),
            2 * (rankdata(losses) - 0.5) / len(losses) - 1,
            one_hot(self.space, candidates),
            members=self.options.members,
            rng=rng,
            hidden=_HIDDEN,
            rate=_RATE,
            batch=_BATCH,
            updates=_UPDATES,
        )
        drawn = rng.normal(predicted.mean(axis=0), predicted.std(axis=0))
        return [candidates[i] for i in np.argsort(drawn, kind="stable")[: self.options.batch]]

    def _mutants(
        self, ask: int, results: list[tuple[Config, float]], rng: np.random.Generator
    ) -> list[dict[str, Value]]:
        seen = Seen(self.space, self._asked_configs[:ask])
        found: list[dict[str, Value]] = []
        for parent, _ in sorted(results, key=lambda result: result[1])[:_MOST_PARENTS]:
            for _ in range(self.options.candidates):
                mutant = mutated(self.space, parent, rng)
                if mutant not in seen:
                    seen.add(mutant)
                    found.append(mutant)
                if len(found) == self.options.candidates:
                    return found
        return found

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self._results.append((trial.config, result.loss))
