"""The loop of a run: ask, journal, submit, wait, journal, tell.

A trial is in the journal before it is submitted and its result before the tuner is told, so whatever dies, the journal
knows what was in flight and can rebuild the tuner. The loop owns no state that the journal does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from metaopt.core.records import answered
from metaopt.core.trial import Budget, Result, Trial, Value, charged_epochs
from metaopt.core.wording import counted
from metaopt.executors.base import Executor
from metaopt.runs.failures import FirstFailures
from metaopt.runs.journal import Event, JournalRecord, JournalWriter
from metaopt.tuners.base import Tuner

_STOP_S = 10.0
_TICK_S = 2.0


class Monitor(Protocol):
    """Watches a run."""

    def replayed(self, events: Sequence[Event]) -> None:
        """Earlier drivers wrote these events."""

    def asked(self, at_s: float, trial: Trial) -> None:
        """A trial was asked for at this second of the run."""

    def told(self, at_s: float, result: Result) -> None:
        """A result came in at this second of the run."""

    def passed(self, at_s: float) -> None:
        """The run is at this second."""


class Run:
    """Runs one tuner against one objective until a budget is used up; goes on where the journal ends.

    Args:
        tuner: Fresh; it is replayed from the journal.
        executor: Evaluates the trials.
        journal: Where every event goes.
        recorded: What the journal holds already.
        budget: What the run may use.
        trial_folder: The folder of each trial by its id.
        monitor: Told of every event.
        interrupted: True once the run is to stop early.
        stop_after_failures: Failures of the same kind after which to give up if none has succeeded; 0: never.
        again: The command that goes on with the run, for the message then.
        dearest_epochs: Returns the most epochs that an evaluation may train, from its configuration and epochs.
    """

    def __init__(
        self,
        tuner: Tuner,
        executor: Executor,
        journal: JournalWriter,
        recorded: JournalRecord,
        budget: Budget,
        trial_folder: Callable[[int], Path],
        monitor: Monitor,
        interrupted: Callable[[], bool] = lambda: False,
        stop_after_failures: int = 0,
        again: str = "",
        dearest_epochs: Callable[[Mapping[str, Value], int], int] = lambda config, epochs: epochs,
    ) -> None:
        self._tuner, self._executor, self._journal, self._budget = tuner, executor, journal, budget
        self._trial_folder, self._monitor, self._interrupted = trial_folder, monitor, interrupted
        self._recorded, self._dearest_epochs = recorded, dearest_epochs
        trials, results = recorded.trials, recorded.results  # each makes a list of all events
        self._pending = [trial for trial in trials if trial.id not in results]
        self._asked = len(trials)
        self._in_flight = {trial.id: self._priced(trial) for trial in self._pending}
        told = [trial for trial in trials if trial.id in results]
        self._spent_epochs = sum(charged_epochs(trial, results[trial.id]) for trial in told)
        self._began = executor.clock() - recorded.elapsed_s
        self._ticked_s = recorded.elapsed_s
        self._end = recorded.end
        succeeded = any(result.status == "ok" for result in results.values())
        self._failures, self._again = FirstFailures(stop_after_failures, succeeded), again

    def run(self) -> str:
        """Runs to the end.

        Returns:
            Why the run ended; empty if it was interrupted and can go on later.

        Raises:
            JournalError: if the journal does not fit the tuner or cannot be written.
            EveryTrialFailsError: if the first evaluations have all failed in the same way.
            RunError: if nothing is left that could evaluate a trial.
        """
        self._replay()
        if self._recorded.end:
            return self._end
        while not self._interrupted():
            if self._past_deadline():
                return self._finish()
            if self._submit() and not self._executor.running:
                return self._finish()
            for result in self._executor.wait(self._patience_s()):
                self._tell(result)
            if self._failures.hopeless:
                self._drain(tell_stopped=False)
                raise self._failures.error(self._again)
            self._monitor.passed(self._now_s())
            self._tick(_TICK_S)
        self._tick(0.0)
        self._drain(tell_stopped=False)
        return ""

    def _replay(self) -> None:
        self._tuner.replay(event.record for event in self._recorded.events)
        self._monitor.replayed(self._recorded.events)

    def _submit(self) -> bool:
        """Keeps the workers busy, first with what was in flight when an earlier driver died.

        Returns:
            Whether there is nothing more to evaluate, before something is told.
        """
        while self._pending or not self._is_used_up():
            if not self._executor.free:
                return False
            if not self._pending and not self._ask():
                return True
            trial = self._pending.pop(0)
            self._executor.submit(trial, self._trial_folder(trial.id))
        return True

    def _is_used_up(self) -> bool:
        if not self._end and self._asked == self._budget.evaluations:
            self._end = f"the budget of {counted(self._asked, 'evaluation')} is used up"
        return bool(self._end)

    def _ask(self) -> bool:
        """Asks for one more trial, if the tuner has one and the budget allows it."""
        if self._is_short_of_epochs() or not (trials := self._tuner.ask(1)):
            return False
        trial = self._priced(trials[0])
        left = self._epochs_left()
        if left is not None and charged_epochs(trial, None) > left:
            most = f", which may train {counted(trial.most_epochs, 'epoch')}," if trial.most_epochs else ""
            self._end = (
                f"the next trial{most} does not fit into the budget of {counted(self._budget.epochs or 0, 'epoch')}"
            )
            return False
        self._asked += 1
        self._in_flight[trial.id] = trial
        at_s = self._now_s()
        self._journal.ask(at_s, trial)
        self._monitor.asked(at_s, trial)
        self._pending.append(trial)
        return True

    def _priced(self, trial: Trial) -> Trial:
        """Returns the trial with the most epochs that it may train, where these are more than it is asked to."""
        dearest = self._dearest_epochs(trial.config, trial.epochs)
        return replace(trial, most_epochs=dearest) if dearest > trial.epochs else trial

    def _is_short_of_epochs(self) -> bool:
        """Returns whether nothing more fits in for now: what runs may yet train less than it is charged for."""
        left = self._epochs_left()
        return bool(self._executor.running) and left is not None and left < min(self._tuner.possible_epochs)

    def _epochs_left(self) -> int | None:
        if self._budget.epochs is None:
            return None
        reserved = sum(charged_epochs(trial, None) for trial in self._in_flight.values())
        return self._budget.epochs - self._spent_epochs - reserved

    def _tell(self, result: Result) -> None:
        """Tells what becomes of a trial: whatever an executor brings passes the border here."""
        result, at_s = answered(result.trial_id, result), self._now_s()
        self._spent_epochs += charged_epochs(self._in_flight.pop(result.trial_id), result)
        self._journal.tell(at_s, result)
        self._tuner.tell(result)
        self._failures.told(result)
        self._monitor.told(at_s, result)

    def _tick(self, at_least_s: float) -> None:
        """Keeps the time in the journal, so that a run killed between events has not won any."""
        if self._budget.seconds is not None and self._now_s() - self._ticked_s >= at_least_s:
            self._ticked_s = self._now_s()
            self._journal.tick(self._ticked_s)

    def _past_deadline(self) -> bool:
        return self._budget.seconds is not None and self._now_s() >= self._budget.seconds

    def _finish(self) -> str:
        """Ends the run for good; what still runs was too late."""
        if self._past_deadline():
            self._end = f"the budget of {self._budget.seconds:g} s is used up"
            self._drain(tell_stopped=True)
        reason = self._end or "the tuner has nothing more to propose"
        self._journal.end(self._now_s(), reason)
        return reason

    def _drain(self, tell_stopped: bool) -> None:
        """Stops all trials; those that finish in this instant count, the others are told as stopped, or not at all."""
        stopped = [trial.id for trial in self._pending]
        self._executor.stop(self._executor.running)
        give_up = self._executor.clock() + _STOP_S
        while self._executor.running and self._executor.clock() < give_up:
            for result in self._executor.wait(self._executor.poll_s):
                if result.status == "stopped":
                    stopped.append(result.trial_id)
                else:
                    self._tell(result)
        if tell_stopped:
            for trial_id in (*stopped, *self._executor.running):
                self._tell(Result(trial_id, "stopped", reason=self._end))

    def _patience_s(self) -> float:
        """Returns how long to wait for results before looking at signals and clocks again."""
        if self._budget.seconds is None:
            return self._executor.poll_s
        return min(self._executor.poll_s, max(0.0, self._budget.seconds - self._now_s()))

    def _now_s(self) -> float:
        return self._executor.clock() - self._began
