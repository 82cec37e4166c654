from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import RunError
from metaopt.core.trial import Result, Trial
from metaopt.report.data.load import evaluations_of, load_runs
from metaopt.report.export import rows
from metaopt.report.export.rows import TrialRows, write_csv, write_parquet
from metaopt.report.export.table import to_csv, trial_table
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader
from metaopt.runs.journal import Event

RUN, RECORD = RunFolder(Path("run")), RunHeader.of({})


@pytest.mark.parametrize("batch", [1, 7, 10_000])
def test_batches_are_the_table_of_all_trials(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(rows, "_BATCH", batch)
    folders = [make_run("a", n=15), make_run("b", n=4)]
    whole = trial_table(load_runs(folders))
    assert pa.concat_tables(TrialRows(folders)).equals(whole)
    write_csv(folders, tmp_path / "trials.csv")
    assert (tmp_path / "trials.csv").read_bytes() == to_csv(whole)
    write_parquet(folders, tmp_path / "trials.parquet")
    assert pq.read_table(tmp_path / "trials.parquet").equals(whole)


def test_runs_of_one_name_are_told_apart(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folders = [make_run("a", n=2), make_run("deep/a", n=2)]
    names = pa.concat_tables(TrialRows(folders))["run"].unique().to_pylist()
    assert names == [run.name for run in load_runs(folders)] == ["a", "a (2)"]


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run folder"):
        TrialRows([tmp_path / "none"])


def test_nothing_that_is_answered_is_kept_behind_the_first_that_is_not() -> None:
    def events() -> itertools.chain[Event]:
        asks = (Event(float(n), Trial(n, n, {}, 1, 0)) for n in range(3))
        return itertools.chain(asks, (Event(9.0 - n, Result(n, "ok", 0.1 * n)) for n in (2, 0)))

    found = list(evaluations_of(RUN, events(), RECORD))
    assert [(e.trial.id, e.asked_s, e.told_s) for e in found[:1]] == [(0, 0.0, 9.0)]
    assert [e.trial.id for e in found] == [0, 1, 2]
    assert [e.result is None for e in found] == [False, True, False]

    given = itertools.count()

    def endless() -> itertools.chain[Event]:
        pairs = ((Event(0.0, Trial(n, n, {}, 1, 0)), Event(0.0, Result(n, "ok", 0.5))) for n in given)
        return itertools.chain.from_iterable(pairs)

    assert [e.trial.id for e in itertools.islice(evaluations_of(RUN, endless(), RECORD), 5)] == [0, 1, 2, 3, 4]
    assert next(given) == 5
