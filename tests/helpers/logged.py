"""The real objective, which says every epoch that it begins to train. For tests of what a lost search trains again."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from faults import hold_of
from metaopt.core.trial import Trial
from metaopt.objectives.oneshot import OneShot
from metaopt.oneshot.train import Search

_PAUSE_S = 0.3  # in every epoch, so that it can be hit


class LoggedSearch(OneShot):
    """Searches as the real one; ``EPOCHS_LOG`` names a file that gets a line per epoch: trial, seed, epoch.

    Epochs count from 0, in the schedules. While there is the file that :func:`faults.hold_of` names, none goes on.
    """

    def search(self, trial: Trial) -> Search:
        search = super().search(trial)
        train = search._train_epoch

        def logged(epoch: int, *arguments: Any) -> Any:
            with open(os.environ["EPOCHS_LOG"], "a") as log:
                log.write(f"{trial.id} {trial.seed} {epoch}\n")
            time.sleep(_PAUSE_S)
            while hold_of(Path(os.environ["EPOCHS_LOG"])).exists():
                time.sleep(0.05)
            return train(epoch, *arguments)

        search._train_epoch = logged  # type: ignore[method-assign]
        return search


def epochs(log: Path) -> dict[str, list[int]]:
    """Returns the epochs that were begun, by trial and seed."""
    begun: dict[str, list[int]] = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        trial, _, epoch = line.rpartition(" ")
        begun.setdefault(trial, []).append(int(epoch))
    return begun
