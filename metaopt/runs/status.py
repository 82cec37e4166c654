"""How a run stands: what is done, what it found, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from metaopt.core.incumbent import Incumbent, final_errors
from metaopt.core.trial import Budget, Result, Trial, Value, charged_epochs


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
        incumbent: Of what the run recommends, see :class:`metaopt.core.incumbent.Incumbent`.
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

    def to_json(self) -> dict[str, Any]:
        """Returns the status as plain JSON values."""
        return asdict(self)


class Tally:
    """What the records of a run add up to, taken one by one: it takes no more time and memory the longer a run is.

    Args:
        default: The default configuration; None where there is none.

    Attributes:
        running: Trials without a result, by id.
        done: How many have one.
        failed: Of these, how many crashed, timed out or were stopped.
        restarts: How often they had been begun again, which is no failure.
        predicted: How many are of a cell that no table holds, so that a surrogate answered.
        default_found: The default's trial of the most epochs, of equals the first asked for, and its answer.
    """

    def __init__(self, default: Mapping[str, Value] | None = None) -> None:
        self.running: dict[int, Trial] = {}
        self.done = self.failed = self.restarts = self.predicted = 0
        self.default_found: tuple[Trial, Result] | None = None
        self._default, self._epochs, self._incumbent = default, 0, Incumbent()

    def take(self, record: Trial | Result) -> None:
        """Takes the next ask or tell; a result comes after its trial."""
        if isinstance(record, Trial):
            self.running[record.id] = record
        else:
            self._answer(self.running.pop(record.trial_id), record)

    def _answer(self, trial: Trial, result: Result) -> None:
        self.done += 1
        self.restarts += result.restarts
        self.predicted += bool(result.info.get("predicted"))
        self._epochs += charged_epochs(trial, result)
        if result.status != "ok":
            self.failed += 1
            return
        self._incumbent.take(trial, result)
        if self._default is not None and trial.config == self._default:
            best = self.default_found
            if best is None or (trial.epochs, -trial.id) > (best[0].epochs, -best[0].id):
                self.default_found = trial, result

    @property
    def found(self) -> tuple[Trial, Result] | None:
        """The incumbent and its answer; None without any, see :class:`metaopt.core.incumbent.Incumbent`."""
        return self._incumbent.found

    def status(self, budget: Budget, now_s: float) -> RunStatus:
        """Returns how the run stands.

        Args:
            budget: What it may use.
            now_s: The second of the run it is.
        """
        return RunStatus(
            done=self.done,
            failed=self.failed,
            restarts=self.restarts,
            predicted=self.predicted,
            running=len(self.running),
            epochs=self._epochs + sum(charged_epochs(trial, None) for trial in self.running.values()),
            elapsed_s=now_s,
            left_s=self._left_s(budget, now_s),
            default=_score(self.default_found),
            incumbent=_score(self.found),
        )

    def _left_s(self, budget: Budget, elapsed_s: float) -> float | None:
        left = [budget.seconds - elapsed_s] if budget.seconds is not None else []
        for limit, used in ((budget.evaluations, self.done), (budget.epochs, self._epochs)):
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
