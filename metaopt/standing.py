"""How a run stands: what is done, what it found, and how long it will take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from metaopt.budget import Budget
from metaopt.incumbent import final_errors
from metaopt.journal import Recorded
from metaopt.trial import Result, Trial, charged_epochs


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
class Standing:
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
        default: Of the default configuration, at the most epochs it had.
        incumbent: Of what the run recommends, see :func:`metaopt.incumbent.incumbent`.
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
    def of(cls, recorded: Recorded, budget: Budget, now_s: float | None = None) -> Standing:
        """Returns the standing of a run.

        Args:
            recorded: Its journal.
            budget: What it may use.
            now_s: The second of the run it is; None: that of its last event.
        """
        trials, results = recorded.trials, recorded.results
        elapsed_s = recorded.elapsed_s if now_s is None else now_s
        defaults = [t for t in trials if t.config == trials[0].config and _ok(results.get(t.id))]
        return cls(
            done=len(results),
            failed=sum(not _ok(result) for result in results.values()),
            restarts=sum(result.restarts for result in results.values()),
            predicted=sum(bool(result.info.get("predicted")) for result in results.values()),
            running=len(trials) - len(results),
            epochs=sum(charged_epochs(trial, results.get(trial.id)) for trial in trials),
            elapsed_s=elapsed_s,
            left_s=_left_s(recorded, budget, elapsed_s),
            default=_score(max(defaults, key=lambda trial: (trial.epochs, -trial.id), default=None), results),
            incumbent=_score(recorded.incumbent, results),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the standing as plain JSON values."""
        return asdict(self)


def _ok(result: Result | None) -> bool:
    return result is not None and result.status == "ok"


def _score(trial: Trial | None, results: dict[int, Result]) -> Score | None:
    if trial is None or (error := results[trial.id].valid_error) is None:
        return None
    final = final_errors(results[trial.id].info)
    return Score(trial.id, trial.epochs, error, results[trial.id].test_error if final is None else final[1])


def _left_s(recorded: Recorded, budget: Budget, elapsed_s: float) -> float | None:
    results = recorded.results
    spent_epochs = sum(charged_epochs(trial, results[trial.id]) for trial in recorded.trials if trial.id in results)
    left = [budget.seconds - elapsed_s] if budget.seconds is not None else []
    for limit, used in ((budget.evaluations, len(results)), (budget.epochs, spent_epochs)):
        if limit is not None and used:
            left.append((limit - used) * elapsed_s / used)
    return max(0.0, min(left)) if left else None
