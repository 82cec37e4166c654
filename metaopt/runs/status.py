"""How a run stands: what is done, what it found, and how long it will take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from metaopt.core.incumbent import Incumbent, final_errors
from metaopt.core.trial import Budget, Result, Trial, charged_epochs
from metaopt.runs.journal import Event, RunRecord


@dataclass(frozen=True, slots=True)
class Score:
    """What one configuration reached.

    Attributes:
        trial_id: The evaluation it comes from.
        epochs: Of that evaluation.
        valid_error: In [0, 1].
        test_error: In [0, 1], of a look-up's cell after all epochs; None where there is none.
    """

    trial_id: int
    epochs: int
    valid_error: float
    test_error: float | None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run stands.

    Attributes:
        done: Trials with a result, failed ones included.
        failed: Trials that crashed, timed out or were stopped.
        restarts: How often trials with a result had been begun again, which is no failure.
        predicted: Trials whose cell no table holds, so that a surrogate answered.
        running: Trials without a result.
        epochs: What all trials asked for cost of a budget of epochs.
        elapsed_s: Seconds of the run so far.
        left_s: Seconds that the budget will last at the rate so far; None if unknown.
        default: Of the default configuration, at the most epochs it had; None where the space has none.
        incumbent: Of what the run recommends, see :func:`metaopt.core.incumbent.incumbent`.
    """

    done: int
    failed: int
    restarts: int
    predicted: int
    running: int
    epochs: int
    elapsed_s: float
    left_s: float | None
    default: Score | None
    incumbent: Score | None

    @classmethod
    def of(cls, recorded: RunRecord, budget: Budget, now_s: float | None = None) -> RunStatus:
        """Returns the standing of a run.

        Args:
            recorded: Its journal.
            budget: What it may use.
            now_s: The second of the run it is; None: that of its last event.
        """
        tally = Tally()
        for event in recorded.events:
            tally.take(event)
        now_s = recorded.elapsed_s if now_s is None else now_s
        return tally.standing(budget, now_s, has_default=recorded.record.has_default)

    def to_json(self) -> dict[str, Any]:
        """Returns the standing as plain JSON values."""
        return asdict(self)


class Tally:
    """What the events of a run add up to, taken one by one: it takes no more time and memory the longer a run is.

    Attributes:
        running: Trials without a result, by id.
    """

    def __init__(self) -> None:
        self.running: dict[int, Trial] = {}
        self._first: Trial | None = None
        self._done = self._failed = self._restarts = self._predicted = self._epochs = 0
        self._incumbent = Incumbent()
        self._default: tuple[Trial, Result] | None = None

    def take(self, event: Event) -> None:
        """Takes the next ask or tell; a result comes after its trial."""
        record = event.record
        if isinstance(record, Trial):
            self.running[record.id] = record
            self._first = self._first or record
        else:
            self._answer(self.running.pop(record.trial_id), record)

    def _answer(self, trial: Trial, result: Result) -> None:
        self._done += 1
        self._restarts += result.restarts
        self._predicted += bool(result.info.get("predicted"))
        self._epochs += charged_epochs(trial, result)
        if result.status != "ok":
            self._failed += 1
            return
        self._incumbent.take(trial, result)
        if self._first is not None and trial.config == self._first.config:
            best = self._default
            if best is None or (trial.epochs, -trial.id) > (best[0].epochs, -best[0].id):
                self._default = trial, result

    @property
    def incumbent(self) -> Trial | None:
        """What the run recommends so far."""
        return self._incumbent.found[0] if self._incumbent.found else None

    def standing(self, budget: Budget, now_s: float, *, has_default: bool = True) -> RunStatus:
        """Returns how the run stands.

        Args:
            budget: What it may use.
            now_s: The second of the run it is.
            has_default: Whether its first trial is the default of its space.
        """
        return RunStatus(
            done=self._done,
            failed=self._failed,
            restarts=self._restarts,
            predicted=self._predicted,
            running=len(self.running),
            epochs=self._epochs + sum(charged_epochs(trial, None) for trial in self.running.values()),
            elapsed_s=now_s,
            left_s=self._left_s(budget, now_s),
            default=_score(self._default) if has_default else None,
            incumbent=_score(self._incumbent.found),
        )

    def _left_s(self, budget: Budget, elapsed_s: float) -> float | None:
        left = [budget.seconds - elapsed_s] if budget.seconds is not None else []
        for limit, used in ((budget.evaluations, self._done), (budget.epochs, self._epochs)):
            if limit is not None and used:
                left.append((limit - used) * elapsed_s / used)
        return max(0.0, min(left)) if left else None


def _score(found: tuple[Trial, Result] | None) -> Score | None:
    if found is None or (error := found[1].valid_error) is None:
        return None
    trial, result = found
    final = final_errors(result.info)
    test_error = result.test_error if final is None else final[1]
    return Score(trial.id, trial.epochs, error, None if test_error is None or isnan(test_error) else test_error)
