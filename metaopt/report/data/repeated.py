"""Searches that several runs of a study made with the same seed, and whether all of them gave the same answer.

A search follows from its configuration, epochs and seed, but only where numbers are rounded alike: on another
processor, GPU or version of a library it takes another way. The journals show it by its answers, whatever the cause.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from metaopt.core.wording import counted
from metaopt.report.data.groups import settings_of
from metaopt.report.data.load import RunData

# Settings that decide which searches a run makes and where, and not what one of them finds.
_OF_RUN = frozenset({"tuner", "tuner_options", "confirm", "min_epochs", "max_epochs", "cluster"})
_BUDGET = "budget"  # begins the name of each limit
_Key = str
_Errors = tuple[float, float]


class Repeated(NamedTuple):
    """Searches that more than one run made.

    Attributes:
        searches: How many there are.
        differing: Of how many the runs found different errors.
    """

    searches: int
    differing: int

    @property
    def text(self) -> str:
        """What was seen, in words."""
        made = f"{counted(self.searches, 'search', 'searches')} that several runs made with one seed"
        return f"different answers in {self.differing} of {made}"


def repeated(runs: Sequence[RunData]) -> Repeated:
    """Returns how many searches were made by several runs, and how many of those with different answers."""
    answers: dict[_Key, list[_Errors]] = {}
    for run in runs:
        for key, errors in dict(_searches(run)).items():
            answers.setdefault(key, []).append(errors)
    several = [found for found in answers.values() if len(found) > 1]
    return Repeated(len(several), sum(len(set(found)) > 1 for found in several))


def _searches(run: RunData) -> Iterator[tuple[_Key, _Errors]]:
    """Yields the searches of a run that ended well; a look-up is none."""
    if "optimizer" not in run.settings:
        return
    on = {
        name: value for name, value in settings_of(run).items() if name not in _OF_RUN and not name.startswith(_BUDGET)
    }
    for one in (*run.ok, *(other for other in run.confirmed if other.ok)):
        of = [on, dict(one.trial.config), one.trial.epochs, one.trial.seed]
        yield json.dumps(of, sort_keys=True), (one.valid_error, one.test_error)
