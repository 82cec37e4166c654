"""Regularised (ageing) evolution (Real et al. 2019, algorithm 1), asynchronous as there."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.tuners.base import Proposal, Tuner
from metaopt.tuners.shared.moves import Config, identity, is_set_choice, mutated, mutated_as_published

_MUTATIONS = {"any": mutated, "published": mutated_as_published}


@dataclass(frozen=True, slots=True)
class Member:
    """One of the population.

    Attributes:
        trial: Number of its evaluation.
        config: Its configuration.
        loss: What it reached.
    """

    trial: int
    config: Config
    loss: float


class RegularizedEvolution(Tuner):
    """Mutates the best of a random sample of the newest configurations; the oldest die, however good they are.

    First come the default, if there is one, and draws from the priors. An evaluated configuration joins the population,
    whose oldest member leaves when it is full; so nothing waits for a generation. Sampled is with replacement, as in
    the released code of both papers named here. A configuration may be proposed again. A memo names the parent's trial,
    or None. For ``n_initial`` evaluations this is random search: where 50 are all, a population of 10 to 30 is of use.

    Args:
        space: What to propose from.
        seed: Seed of the run.
        min_epochs: Not used.
        max_epochs: Budget of every evaluation.
        population: Members kept; at least 1. 100 as in NAS-Bench-1Shot1 (Siems et al. 2020, released code), where it
            spends 100 of 280 evaluations on draws; naszilla, the code of White et al. (2021), has 30.
        tournament: Members drawn, of which the best becomes the parent; at least 1. 10 as in NAS-Bench-1Shot1.
        n_initial: Evaluations before the first mutation, the first among them; None: as many as ``population``.
        mutation: ``any``: one hyperparameter changes, see :func:`metaopt.tuners.shared.moves.mutated`. ``published``:
            as in NAS-Bench-1Shot1, for cell spaces, see :func:`metaopt.tuners.shared.moves.mutated_as_published`.

    Raises:
        ConfigError: if an option has no such value, or if ``published`` does not fit the space.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        population: int = 100,
        tournament: int = 10,
        n_initial: int | None = None,
        mutation: str = "any",
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs)
        n_initial = population if n_initial is None else n_initial
        for option, value in {"population": population, "tournament": tournament, "n_initial": n_initial}.items():
            if value < 1:
                raise ConfigError(f"{option} of re cannot be {value}; allowed: 1 or more", f"raise {option}")
        _check_mutation(space, mutation)
        self.tournament, self.n_initial = tournament, n_initial
        self.population: deque[Member] = deque(maxlen=population)
        self._mutate = _MUTATIONS[mutation]
        self._keys: dict[tuple[Any, ...], int] = {}

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        config, memo = (logged.config, logged.memo) if logged else self._next(ask)
        key = self._keys.setdefault(identity(self.space, config), ask)
        return Proposal(key=key, config=config, epochs=self.max_epochs, memo=memo)

    def _next(self, ask: int) -> tuple[Mapping[str, Value], Mapping[str, Any]]:
        if ask < self.n_initial or not self.population:
            return (self._draw(ask) if ask else self.first), {"parent": None}
        rng = stream(self.seed, ask, "evolution")
        sample = [self.population[int(i)] for i in rng.integers(len(self.population), size=self.tournament)]
        parent = min(sample, key=lambda member: member.loss)
        return self._mutate(self.space, parent.config, rng), {"parent": parent.trial}

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self.population.append(Member(trial.id, trial.config, result.loss))


def _check_mutation(space: ConfigurationSpace, mutation: str) -> None:
    if mutation not in _MUTATIONS:
        raise ConfigError(f"mutation of re cannot be {mutation!r}; allowed: {', '.join(_MUTATIONS)}", "choose one")
    if mutation == "published" and not any(is_set_choice(hyperparameter) for hyperparameter in space.values()):
        text = f"mutation published swaps the parents of a cell's nodes, and the space {space.name} has none"
        raise ConfigError(text, "use mutation any")
