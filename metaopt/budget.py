"""What a run may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may use; None is without limit.

    Attributes:
        evaluations: Trials asked for, the unit of the literature.
        epochs: Sum of the epochs that all trials trained; none starts that may train more than is left of them.
        seconds: Wall seconds, summed over all drivers that worked on the run.
    """

    evaluations: int | None = None
    epochs: int | None = None
    seconds: float | None = None
