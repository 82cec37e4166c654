"""A design of experiments: points spread evenly over the space, some of them searched several times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from scipy.stats.qmc import Sobol

from metaopt.core.errors import ConfigError
from metaopt.core.seeds import stream
from metaopt.core.trial import Result, Trial, Value
from metaopt.spaces.exact import MOST_DRAWS, Space, without_room
from metaopt.spaces.space import plain
from metaopt.tuners.base import Proposal, Tuner
from metaopt.tuners.shared.varying import varying

_ROWS = 64  # of the sequence at a time: a power of 2, in which it is balanced


class Design(Tuner):
    """Proposes the default or a draw, then a scrambled Sobol' sequence (Owen 1998), at the largest budget.

    It learns nothing.
    Points are quantiles of the space's priors, so they spread as draws do, only more evenly; what the space forbids is
    passed over. After every ``every`` new points the earliest one with a single search is searched again until it has
    ``repeats`` of them. So the points with repeats are the beginning of the sequence, and as even as all points are.
    (Every eighth point would not be: those agree in the upper digits of the first dimension.) A longer run goes on
    with the same sequence.

    By default 1,000 searches are of 727 configurations, 91 of them with 4 searches each: these tell the standard
    deviation between seeds to about 4 % (272 degrees of freedom), for a quarter of the spread.

    Args:
        space: What to spread over.
        seed: Seed of the run; scrambles the sequence.
        min_epochs: Not used.
        max_epochs: Budget of every evaluation.
        every: New points to one that is repeated.
        repeats: Evaluations of a repeated point in all; 1: there are none.

    Raises:
        ConfigError: if an option has no such value.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        every: int = 8,
        repeats: int = 4,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs)
        if every < 1 or repeats < 1:
            text = f"design needs every and repeats of at least 1, got {every} and {repeats}"
            raise ConfigError(text, "raise the option that is below 1")
        self.every, self.repeats = every, repeats
        self._points: list[Proposal] = []
        self._keys: dict[tuple[tuple[str, Value], ...], int] = {}
        self._sequence = _sequence(self.space, seed)

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        block, place = divmod(ask, self.every + self.repeats - 1)
        if place >= self.every:
            return self._points[block]
        config = self.first if ask == 0 else next(self._sequence)
        if logged is not None:  # on another machine a logarithm may differ in a bit
            config = dict(logged.config)
        # In a small space a configuration comes again.
        key = self._keys.setdefault(tuple(sorted(config.items())), len(self._points))
        self._points.append(Proposal(key=key, config=config, epochs=self.max_epochs))
        return self._points[-1]

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        pass


def _sequence(space: Space, seed: int) -> Iterator[dict[str, Value]]:
    """Yields the legal configurations of a scrambled Sobol' sequence.

    Raises:
        ConfigError: if :data:`metaopt.spaces.exact.MOST_DRAWS` points in a row are illegal.
    """
    names = set(varying(space))
    varies = [name in names for name in space]
    sobol = Sobol(max(sum(varies), 1), seed=stream(seed, "sobol"))
    shares = np.zeros((len(space), _ROWS))
    illegal = 0
    while illegal < MOST_DRAWS:
        shares[varies] = sobol.random(_ROWS).T[: sum(varies)]
        places, legal = space.quantiles(shares)
        for column in places.T[legal]:
            yield plain(Configuration(space, vector=column.copy()))
        illegal = 0 if legal.any() else illegal + _ROWS
    raise without_room(space.name, 0, illegal)
