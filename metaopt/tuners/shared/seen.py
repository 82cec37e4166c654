"""What a tuner that never repeats itself remembers: the configurations it has proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Value
from metaopt.tuners.shared.neighbors import Config, identity, neighbors

_DRAWS = 20  # before a small space is searched for what is left of it


class Seen:
    """A set of configurations.

    Args:
        space: What they belong to.
        configs: The first ones.
    """

    def __init__(self, space: ConfigurationSpace, configs: Iterable[Config] = ()) -> None:
        self._space = space
        self._configs: dict[tuple[Any, ...], Config] = {identity(space, config): config for config in configs}

    def __contains__(self, config: Config) -> bool:
        return identity(self._space, config) in self._configs

    def add(self, config: Config) -> None:
        """Remembers ``config``."""
        self._configs.setdefault(identity(self._space, config), config)

    def other(self, draw: Callable[[], dict[str, Value]]) -> dict[str, Value] | None:
        """Returns a configuration that is not among them, or None where every neighbor of theirs is, too.

        In a finite space without forbidden clauses None means that all of it has been proposed.

        Args:
            draw: Returns a random configuration, another one with every call; a few are tried first.
        """
        drawn = (draw() for _ in range(_DRAWS))
        left = (near for config in self._configs.values() for near in neighbors(self._space, config))
        return next((config for some in (drawn, left) for config in some if config not in self), None)
