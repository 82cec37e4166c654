"""Evaluates given configurations again and again with fresh seeds, e.g. to confirm an incumbent.

It is no name that a user can ask for: ``grid`` is, and says its configurations by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.spaces.space import check_config
from metaopt.tuners.base import Problem, Proposal, Tuner


class Rounds(Tuner):
    """Proposes each configuration ``repeats`` times at the largest budget, then nothing more.

    It goes round the configurations, so that a run cut short has evaluated all of them about equally often. A trial's
    key is the place of its configuration in ``configs``. Trial ``i`` has the same seed as trial ``i`` of any other
    tuner with this run seed.

    Attributes:
        configs: Active hyperparameters of each configuration; a subclass sets them.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of all that goes round."""

        repeats: int = field(1, "evaluations of each configuration", ge=1)

    options: Options
    configs: tuple[dict[str, Value], ...]

    @property
    def repeats(self) -> int:
        """Evaluations of each configuration."""
        return self.options.repeats

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        if ask >= len(self.configs) * self.repeats:
            return None
        key = ask % len(self.configs)
        return Proposal(key=key, config=self.configs[key], epochs=self.max_epochs)

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        pass


class Fixed(Rounds):
    """Goes round given configurations.

    Raises:
        ConfigError: if there is no configuration, or if one is not of the space.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Rounds.Options):
        """Options of a fixed list."""

        configs: Sequence[Mapping[str, Value]]

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        if not self.options.configs:
            raise ConfigError("there is no configuration to evaluate", "give at least 1 configuration")
        for config in self.options.configs:
            check_config(problem.space, config)
        self.configs = tuple(map(dict, self.options.configs))
