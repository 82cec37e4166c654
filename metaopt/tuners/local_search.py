"""Local search (White et al. 2021, "Exploring the loss landscape in neural architecture search"), without waiting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metaopt.core.seeds import seed_integer, stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.spaces.space import plain
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.shared.neighbors import Config, neighbors
from metaopt.tuners.shared.seen import Seen


@dataclass(frozen=True, slots=True)
class Point:
    """An evaluated configuration of a climb."""

    config: Config
    loss: float


class LocalSearch(Tuner):
    """Climbs: from the best of some draws to the first better neighbor, on and on, until no neighbor is better.

    Neighbors are evaluated in random order. At a local optimum the next climb begins, with draws of its own; the
    first climb's are the default, if there is one, and draws. No configuration is proposed twice; when the space has no
    other left, nothing more is. Where an ask would have to wait for the results of a climb, it draws for the next climb
    instead, so with one trial at a time this is the published search. A memo says the climb, from 0, and whether the
    configuration is a draw.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of ``local_search``."""

        n_starts: int = field(10, "draws before a climb (naszilla, the authors' code: 10)", ge=1)
        swap: bool = field(
            False, "whether a neighbor differs in one element of a set, as of a node's parents, not in the whole set"
        )

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self._seen = Seen(self.space)
        self._climb = 0
        self._center: Point | None = None
        self._untried: list[dict[str, Value]] = []
        self._points: dict[int, list[Point]] = defaultdict(list)
        self._in_flight: Counter[int] = Counter()

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        found = (logged.config, logged.memo) if logged else self._next(ask)
        if found is None:
            return None
        config, memo = found
        self._seen.add(config)
        self._in_flight[memo["climb"]] += 1
        return Proposal(key=ask, config=config, epochs=self.max_epochs, memo=memo)

    def _next(self, ask: int) -> tuple[Mapping[str, Value], dict[str, Any]] | None:
        if (neighbor := self._neighbor()) is not None:
            return neighbor, {"climb": self._climb, "draw": False}
        self.space.seed(seed_integer(self.seed, ask, "space"))
        first = self.first if ask == 0 else None
        config = first or self._seen.other(lambda: plain(self.space.sample_configuration()))
        climb = self._climb if self._center is None else self._climb + 1
        return None if config is None else (config, {"climb": climb, "draw": True})

    def _neighbor(self) -> dict[str, Value] | None:
        """Returns the next neighbor of the center that has not been proposed."""
        while self._untried and self._untried[-1] in self._seen:
            self._untried.pop()
        return self._untried[-1] if self._untried else None

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        climb = trial.memo["climb"]
        self._in_flight[climb] -= 1
        self._points[climb].append(Point(trial.config, result.loss))
        while self._center is not None or len(self._points[self._climb]) >= self.options.n_starts:
            best = min(self._points[self._climb], key=lambda point: point.loss)
            if self._center is None or best.loss < self._center.loss:
                self._move(best, tell)
            if self._neighbor() is not None or self._in_flight[self._climb]:
                break
            self._climb, self._center = self._climb + 1, None

    def _move(self, center: Point, tell: int) -> None:
        self._center = center
        self._untried = neighbors(self.space, center.config, swap=self.options.swap)
        # The spelling of the stream decides what is drawn, so it stays.
        stream(self.seed, tell, "neighbours", self._climb).shuffle(self._untried)
