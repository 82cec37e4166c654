"""Successive-halving brackets (Jamieson & Talwalkar 2016; Hyperband, Li et al. 2018) by ask and tell.

The brackets are hpbandster's own :class:`SuccessiveHalving`; this module opens them, hands out their runs and feeds
results back, the work of a network server there. A tuner on top of it adds only where configurations come from.

Notation: R rungs in all, numbered 0..R-1 by rising budget b_r = max_epochs / eta^(R-1-r), R as large as leaves
b_0 >= min_epochs. Bracket i starts s = R-1 - (i mod R) rungs below the largest, with floor(R / (s+1)) eta^s
configurations, and keeps the best 1 in eta at every rung: hpbandster 0.7.4's numbers, which NAS-Bench-1Shot1's results
rest on (Hyperband's paper rounds R / (s+1) eta^s up).
"""

from __future__ import annotations

import itertools
import logging
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.iterations.successivehalving import SuccessiveHalving

from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import field
from metaopt.tuners.base import Problem, Proposal, Tuner

#: For hpbandster, which writes every crash and whole tables of densities to its log; belongs to no logging hierarchy.
SILENT = logging.Logger("hpbandster", level=logging.CRITICAL + 1)

#: hpbandster's name of a configuration: bracket, stage of the bracket at which it was drawn, number within the stage.
ConfigId = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """A new configuration for a bracket.

    Attributes:
        config: Active hyperparameters as plain Python values.
        model_based: True if a model of the results proposed it, False if it was drawn from the priors.
    """

    config: Mapping[str, Value]
    model_based: bool


def rung_budgets(min_epochs: int, max_epochs: int, eta: int) -> list[float]:
    """Returns b_0 .. b_(R-1), rising to exactly ``max_epochs``; not always whole numbers."""
    # Without the tolerance log(243) / log(3) = 4.999... loses the lowest rung, as it does in hpbandster.
    n_rungs = math.floor(math.log(max_epochs / min_epochs) / math.log(eta) + 1e-9) + 1
    return [max_epochs / eta**below for below in reversed(range(n_rungs))]


def bracket_sizes(bracket: int, n_rungs: int, eta: int) -> list[int]:
    """Returns the number of configurations at each rung of a bracket, lowest rung first."""
    below = n_rungs - 1 - bracket % n_rungs
    first = n_rungs // (below + 1) * eta**below
    return [max(first // eta**stage, 1) for stage in range(below + 1)]


class BracketTuner(Tuner):
    """Runs brackets one after the other and opens a new one when none has a run to hand out, so that ask never waits.

    A memo says the bracket, the rung within all R, the exact budget, and whether the configuration came from a model.
    A result that is not ok counts as crashed: it is never promoted, and the next rung is filled up with new
    configurations.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        """Options of all tuners with brackets; 2 as in NAS-Bench-1Shot1's runs, while Hyperband's paper has 3."""

        eta: int = field(2, "one configuration in eta is promoted to eta times the budget", ge=2)

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self.budgets = rung_budgets(self.min_epochs, self.max_epochs, self.options.eta)
        self._brackets: list[SuccessiveHalving] = []
        self._done = 0  # brackets at the front with nothing more to ask for
        self._keys: dict[ConfigId, int] = {}
        self._config_ids: list[ConfigId] = []
        self._logged: Trial | None = None

    @property
    def possible_epochs(self) -> frozenset[int]:
        """The budgets of all rungs."""
        return frozenset(map(round, self.budgets))

    @abstractmethod
    def _sample(self, ask: int, budget: float) -> Sample:
        """Returns a new configuration for ask number ``ask``, to be evaluated first at ``budget``."""

    def _learn(self, tell: int, job: Job) -> None:
        """Takes tell number ``tell`` as hpbandster's record of it; a tuner without a model needs nothing of it."""

    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        self._logged = logged
        config_id, config, budget = self._next_run()
        key = self._keys.setdefault(config_id, len(self._config_ids))
        if key == len(self._config_ids):
            self._config_ids.append(config_id)
        memo = {
            "bracket": config_id[0],
            "rung": self.budgets.index(budget),
            "budget": budget,
            "model_based": self._brackets[config_id[0]].data[config_id].config_info["model_based"],
        }
        return Proposal(key=key, config=config, epochs=round(budget), memo=memo)

    def _next_run(self) -> tuple[ConfigId, Mapping[str, Value], float]:
        while self._done < len(self._brackets) and self._brackets[self._done].is_finished:
            self._done += 1
        for bracket in itertools.islice(self._brackets, self._done, None):
            if (run := bracket.get_next_run()) is not None:
                return run  # type: ignore[no-any-return]  # hpbandster has no types
        self._brackets.append(self._open_bracket(len(self._brackets)))
        return self._brackets[-1].get_next_run()  # type: ignore[no-any-return]

    def _open_bracket(self, number: int) -> SuccessiveHalving:
        sizes = bracket_sizes(number, len(self.budgets), self.options.eta)
        budgets = self.budgets[-len(sizes) :]
        return SuccessiveHalving(number, sizes, budgets, self._sample_for_bracket, logger=SILENT)

    def _sample_for_bracket(self, budget: float) -> tuple[Mapping[str, Value], dict[str, bool]]:
        """Draws a configuration in the form hpbandster wants; a replayed ask takes the logged one."""
        if self._asked == 0:
            sample = Sample(self.first, model_based=False)
        elif self._logged is not None:
            sample = Sample(self._logged.config, model_based=bool(self._logged.memo.get("model_based")))
        else:
            sample = self._sample(self._asked, budget)
        return sample.config, {"model_based": sample.model_based}

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        config_id = self._config_ids[trial.key]
        job = Job(config_id, config=trial.config, budget=trial.memo["budget"])
        job.result = {"loss": result.loss} if result.status == "ok" else None
        self._brackets[config_id[0]].register_result(job)
        self._learn(tell, job)
