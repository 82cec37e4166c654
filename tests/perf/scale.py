"""The real study loop with 1 to 10,000 workers on the clock of the table: what the driver costs, what they are worth.

``python tests/perf/scale.py FOLDER`` writes ``scale.csv`` and a figure; it takes about ten minutes. Workers are
simulated, each busy for as long as the table says that its training took; everything else is what a run does:
proposals, journal lines that are on the disk before the run goes on, results told in the order in which they come in.
"""

from __future__ import annotations

import contextlib
import csv
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from rich.console import Console

from metaopt.core.interrupt import Interrupt
from metaopt.core.paths import write_atomically
from metaopt.core.trial import Result, Trial
from metaopt.objectives.table import TableLookup
from metaopt.report.figures.axes import log_axis
from metaopt.report.figures.style import GROUPS, RC, Picture, Plot, legend, render, stack
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.launch import start
from metaopt.runs.plan import plan
from metaopt.settings.run import BaselineSettings

WORKERS = (1, 10, 100, 1000, 10_000)
#: Evaluations of a run: enough for every worker to have several, as far as proposals are cheap enough for that.
MOST = {"random": 20_000, "hyperband": 20_000, "re": 20_000, "bohb": 1000, "tpe": 400, "smac": 300}
LEAST = 300


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        tuner: Its tuner.
        workers: Simulated.
        evaluations: In all.
        driver_ms: Milliseconds of CPU that the driver took for an evaluation, the look-up left out.
        makespan_s: Simulated seconds of the run.
        utilisation: Share of their seconds that the workers were busy.
        speed_up: Seconds of all evaluations over those of the run: how many workers it is worth.
        regret: Of the incumbent, validation.
    """

    tuner: str
    workers: int
    evaluations: int
    driver_ms: float
    makespan_s: float
    utilisation: float
    speed_up: float
    regret: float


def measure(tuner: str, workers: int, evaluations: int) -> Measured:
    """Runs a baseline on cell space 1 of digits."""
    config = load_config(
        BaselineSettings, {"tuner": tuner, "workers": str(workers), "budget": str(evaluations), "min_epochs": "1"}, {}
    )
    run = plan(config)
    with tempfile.TemporaryDirectory() as folder:
        place = RunFolder(Path(folder) / "run")
        with _look_ups() as looked_up, Interrupt() as interrupted:
            began = time.process_time()
            start(run, place, ["scale"], Console(quiet=True), interrupted)
            driver_s = time.process_time() - began - looked_up[0]
        recorded = place.read()
    busy_s = sum(result.cost_s for result in recorded.results.values())
    incumbent = recorded.incumbent
    error = None if incumbent is None else recorded.results[incumbent.id].valid_error
    return Measured(
        tuner,
        workers,
        evaluations,
        round(1e3 * driver_s / evaluations, 3),
        round(recorded.elapsed_s, 1),
        round(busy_s / recorded.elapsed_s / workers, 4),
        round(busy_s / recorded.elapsed_s, 2),
        round((error or 0.0) - recorded.header["objective"]["optimum_valid_error"], 5),
    )


@contextlib.contextmanager
def _look_ups() -> Iterator[list[float]]:
    """Sums up the seconds that look-ups take, in a list of one."""
    real, spent = TableLookup.evaluate, [0.0]

    def timed(objective: TableLookup, trial: Trial, folder: Path) -> Result:
        began = time.process_time()
        try:
            return real(objective, trial, folder)
        finally:
            spent[0] += time.process_time() - began

    TableLookup.evaluate = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        TableLookup.evaluate = real  # type: ignore[method-assign]


def runs() -> Iterable[tuple[str, int, int]]:
    """Yields tuner, workers and evaluations of every run: at least two evaluations a worker, or it is left out."""
    for tuner, most in MOST.items():
        for workers in WORKERS:
            if 2 * workers <= most:
                yield tuner, workers, min(most, max(LEAST, 10 * workers))


def main(folder: Path) -> None:
    """Measures everything and writes the files."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for tuner, workers, evaluations in runs():
        rows.append(measure(tuner, workers, evaluations))
        print(rows[-1], flush=True)
    text = StringIO()
    writer = csv.DictWriter(text, [of.name for of in fields(Measured)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_atomically(folder / "scale.csv", text.getvalue())
    picture = drawn(rows)
    write_atomically(folder / "scale.svg", picture.svg)
    write_atomically(folder / "scale.png", picture.png)


def drawn(rows: Sequence[Measured]) -> Picture:
    """Draws what workers are worth and what the driver costs, over the number of workers."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        figure, (busy, driver) = stack(2)
        for colour, tuner in zip(GROUPS, MOST, strict=False):
            of = [row for row in rows if row.tuner == tuner]
            for axes, name in ((busy, "utilisation"), (driver, "driver_ms")):
                workers, values = [row.workers for row in of], [getattr(row, name) for row in of]
                axes.plot(workers, values, "o-", color=colour, label=tuner)
        busy.set_ylabel("share of time\nworkers are busy")
        busy.set_ylim(0, 1.05)
        driver.set_ylabel("ms of the driver\nper evaluation")
        costs = [row.driver_ms for row in rows]
        log_axis(driver, "y", min(costs), max(costs))
        log_axis(driver, "x", WORKERS[0], WORKERS[-1])
        driver.set_xlabel("workers")
        legend(figure, (busy, driver))
        return render(Plot("scale", "What workers are worth, and what the driver costs", "", figure))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
