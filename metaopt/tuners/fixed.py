"""Evaluates given configurations again and again with fresh seeds, e.g. to confirm an incumbent.

It is no name that a user can ask for: ``grid`` is, and says its configurations by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial, Value
from metaopt.spaces.space import check_config
from metaopt.tuners.base import Proposal, Tuner


class Fixed(Tuner):
    """Proposes each configuration ``repeats`` times at the largest budget, then nothing more.

    It goes round the configurations, so that a run cut short has evaluated all of them about equally often. A trial's
    key is the place of its configuration in ``configs``.

    Args:
        space: What the configurations must belong to.
        seed: Seed of the run; trial ``i`` has the same seed as trial ``i`` of any other tuner with this run seed.
        min_epochs: Not used.
        max_epochs: Budget of every evaluation.
        configs: Active hyperparameters of each configuration.
        repeats: Evaluations of each configuration.

    Raises:
        ConfigError: if there is no configuration or no repeat, or if a configuration is not one of the space.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        configs: Sequence[Mapping[str, Value]],
        repeats: int = 1,
    ) -> None:
        super().__init__(space, seed=seed, min_epochs=min_epochs, max_epochs=max_epochs)
        if not configs or repeats < 1:
            name = type(self).__name__.lower()
            text = f"{name} needs at least 1 configuration and 1 repeat, got {len(configs)} and {repeats}"
            raise ConfigError(text, "give more")
        for config in configs:
            check_config(space, config)
        self.configs, self.repeats = tuple(map(dict, configs)), repeats

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        if ask >= len(self.configs) * self.repeats:
            return None
        key = ask % len(self.configs)
        return Proposal(key=key, config=self.configs[key], epochs=self.max_epochs)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        pass
