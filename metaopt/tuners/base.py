"""The contract of a tuner: ask, tell, replay. A tuner knows no files, no clock, no threads, no torch, no objective.

All randomness of ask number i and of tell number i comes from streams named by i, never from a generator that lives
on: so a tuner that has been replayed from a journal goes on exactly as the one that wrote it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import ConfigError, JournalError
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Result, Trial, Value
from metaopt.settings.field import check
from metaopt.spaces.space import check_config, default_of, exact, plain


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a tuner wants evaluated next.

    Attributes:
        key: Number of the configuration.
        config: Its active hyperparameters as plain Python values.
        epochs: Budget of the evaluation.
        memo: What :meth:`Tuner.replay` needs besides; plain JSON values.
    """

    key: int
    config: Mapping[str, Value]
    epochs: int
    memo: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a tuner is given to solve, whichever tuner it is.

    Attributes:
        space: Space of the configurations; tuners copy it, so the caller's is never drawn from.
        seed: Seed of the run.
        min_epochs: Smallest budget of an evaluation; tuners without fidelities ignore it.
        max_epochs: Largest budget of an evaluation; the only one of tuners without fidelities.

    Raises:
        ConfigError: unless 1 <= ``min_epochs`` <= ``max_epochs``.
    """

    space: ConfigurationSpace
    seed: int
    min_epochs: int
    max_epochs: int

    def __post_init__(self) -> None:
        if not 1 <= self.min_epochs <= self.max_epochs:
            text = f"epochs must satisfy 1 <= smallest <= largest, got {self.min_epochs} and {self.max_epochs}"
            raise ConfigError(text, "change one of them")


class Tuner(ABC):
    """Proposes configurations of a space, :attr:`first` before all others.

    Args:
        problem: What to solve.
        **options: Fields of :attr:`Options`; a subclass with options declares a dataclass of this name.

    Attributes:
        options: All options, checked against the types and ranges of their fields.
        first: What ask number 0 proposes: the space's default, or a draw where the space has none.

    Raises:
        ConfigError: if an option has no such value.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """No options."""

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        self.options = self.Options(**options)
        for wrong in check(self.options):
            raise ConfigError(wrong.message, f"change this option of {type(self).__name__}")
        self.space = exact(problem.space)
        self.seed, self.min_epochs, self.max_epochs = problem.seed, problem.min_epochs, problem.max_epochs
        self.first = default_of(self.space) or self._draw(0)
        self._asked = 0
        self._told = 0
        self._running: dict[int, Trial] = {}

    @property
    def possible_epochs(self) -> frozenset[int]:
        """All budgets that an evaluation may be asked for with."""
        return frozenset([self.max_epochs])

    def ask(self, n: int = 1) -> list[Trial]:
        """Returns up to ``n`` trials to evaluate; fewer, or none, means: nothing more until you tell me something."""
        trials: list[Trial] = []
        while len(trials) < n and (proposal := self._propose(self._asked, None)) is not None:
            trials.append(self._issue(proposal))
        return trials

    def tell(self, result: Result) -> None:
        """Takes the answer to a trial that was asked and not yet told.

        Raises:
            KeyError: if there is no such trial.
        """
        trial = self._running.pop(result.trial_id)
        self._observe(self._told, trial, result)
        self._told += 1

    def replay(self, events: Iterable[Trial | Result]) -> None:
        """Rebuilds the state from the asks (trials) and tells (results) of a journal, in their order.

        Raises:
            JournalError: if the events were not written by this tuner with these settings; names the first misfit.
        """
        for event in events:
            try:
                self._replay(event)
            except ConfigError as error:
                raise _misfit(event, error.message) from error
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                # Of a memo of another form: its tuner reads it as it wrote it.
                raise _misfit(event, f"its memo is not of this tuner ({type(error).__name__}: {error})") from error

    def _replay(self, event: Trial | Result) -> None:
        if isinstance(event, Result):
            self.tell(event)
            return
        check_config(self.space, event.config)
        if self._asked == 0 and event.config == (values := plain(self.space.get_default_configuration())):
            self.first = values  # earlier versions began with the first choices of a space without a default, too
        proposal = self._propose(self._asked, event)
        if proposal is None or self._issue(proposal) != event:
            raise _misfit(event, "not what this tuner asks for with these settings")

    def _issue(self, proposal: Proposal) -> Trial:
        trial = Trial(
            id=self._asked,
            key=proposal.key,
            config=proposal.config,
            epochs=proposal.epochs,
            seed=seed_integer(self.seed, self._asked, "trial"),
            memo=proposal.memo,
        )
        self._running[trial.id] = trial
        self._asked += 1
        return trial

    def _draw(self, ask: int) -> dict[str, Value]:
        """Returns a configuration drawn from the priors of the space; the same for the same ``ask`` and run seed."""
        self.space.seed(seed_integer(self.seed, ask, "space"))
        return plain(self.space.sample_configuration())

    @abstractmethod
    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        """Returns what to evaluate as ask number ``ask``, or None to wait.

        Args:
            ask: Names the stream of this call's randomness.
            logged: The trial that the journal holds for this ask; its configuration is taken instead of drawing one.
        """

    @abstractmethod
    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        """Learns from tell number ``tell``; ``result.loss`` is always finite."""


def _misfit(event: Trial | Result, reason: str) -> JournalError:
    number = event.trial_id if isinstance(event, Result) else event.id
    hint = "resume a run with the settings and the version it was started with"
    return JournalError(f"trial {number} of the journal does not fit: {reason}", hint)
