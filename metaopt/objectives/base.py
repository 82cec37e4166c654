"""The contract of an objective: a trial in, a result out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Result, Trial, Value


class Objective(Protocol):
    """What a run minimizes. Built from plain keyword settings, so that a child process can build it again.

    It may have a method ``dearest_epochs(config, epochs)``, see :func:`dearest_epochs`, and a class method ``preload``,
    see :mod:`metaopt.executors.process.preload`.

    Attributes:
        needs_process: True if an evaluation may crash, hang or take long, so that each one gets a process of its own.
        space: The space whose configurations it takes.
        epochs: Smallest and largest budget of an evaluation unless the user says otherwise.
        possible_epochs: All budgets that it can evaluate with; None: any.
        timed: Whether every result says how many seconds it cost, so that a budget of seconds is used up.
    """

    needs_process: ClassVar[bool]
    space: ConfigurationSpace
    epochs: tuple[int, int]
    possible_epochs: frozenset[int] | None
    timed: bool

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        """Evaluates ``trial``; deterministic in it except ``cost_s``.

        An answer that breaks a rule of :class:`~metaopt.core.trial.Result` is a crash of this trial, whose reason says
        what is wrong: errors are numbers in [0, 1], there with status ``ok`` and with no other; ``cost_s`` is a number
        of seconds of 0 or more; ``info`` is plain JSON; see :mod:`metaopt.core.records`.

        Args:
            trial: A configuration of :attr:`space`, epochs and a seed.
            folder: An existing folder for what the evaluation wants to keep. Files that it resumes from after a kill go
                to the scratch folder in it, see :mod:`metaopt.objectives.scratch`.

        Raises:
            Exception: any; the executor turns it into a crashed result with its reason.
        """

    def describe(self) -> dict[str, Any]:
        """Returns plain JSON values for the journal's header: what was measured, and its optimum where known.

        The keys ``optimum_valid_error`` and ``optimum_test_error`` (or None) are what regret is counted from. Where
        known, ``selected_test_error`` is the test error of the cell that has the lowest validation error.
        """


def dearest_epochs(objective: Objective, config: Mapping[str, Value], epochs: int) -> int:
    """Returns how many epochs an evaluation may train at the most: none of its results says that it trained more.

    Args:
        objective: One that may train other epochs than it is asked to says so by a method of this name; of any other
            they are those it is asked for.
        config: A configuration of its space.
        epochs: Of the trial.
    """
    if not hasattr(objective, "dearest_epochs"):
        return epochs
    return max(epochs, int(objective.dearest_epochs(config, epochs)))
