"""Regularized (aging) evolution (Real et al. 2019, algorithm 1), asynchronous as there."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.neighbors import Config, identity, is_set_choice, mutated, mutated_as_published

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
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``re``; defaults of NAS-Bench-1Shot1 (Siems et al. 2020, released code).

        There it spends 100 of 280 evaluations on draws; naszilla, the code of White et al. (2021), keeps 30 members.
        The mutations are :func:`metaopt.tuners.shared.neighbors.mutated` and
        :func:`metaopt.tuners.shared.neighbors.mutated_as_published`.
        """

        population: int = field(100, "members of the population", ge=1)
        tournament: int = field(10, "members drawn, of which the best becomes the parent", ge=1)
        n_initial: int | None = field(
            None, "evaluations before the first mutation, the first one included", ge=1, otherwise="as population"
        )
        mutation: str = field(
            "any", "any: one hyperparameter changes; published: as in NAS-Bench-1Shot1", choices=_MUTATIONS
        )

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        population, n_initial, mutation = self.options.population, self.options.n_initial, self.options.mutation
        if mutation == "published" and not any(map(is_set_choice, self.space.values())):
            text = f"mutation published swaps the parents of a cell's nodes, and the space {self.space.name} has none"
            raise ConfigError(text, "use mutation any")
        self.n_initial = population if n_initial is None else n_initial
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
        sample = [self.population[int(i)] for i in rng.integers(len(self.population), size=self.options.tournament)]
        parent = min(sample, key=lambda member: member.loss)
        return self._mutate(self.space, parent.config, rng), {"parent": parent.trial}

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self.population.append(Member(trial.id, trial.config, result.loss))
