from __future__ import annotations

from metaopt.doctor.cluster import dask


def test_a_worker_does_a_task() -> None:
    assert dask().state == "ok"
