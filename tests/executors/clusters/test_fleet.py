from __future__ import annotations

from metaopt.executors.clusters.fleet import Fleet


class Planned:
    """What a fleet needs of one of Dask's clusters, which ends and starts workers when the test says so."""

    def __init__(self) -> None:
        self.worker_spec: dict[str, str] = {}
        self.workers: dict[str, str] = {}

    def scale(self, n: int) -> None:
        while len(self.worker_spec) < n:
            name = next(name for name in "abcdef" if name not in self.worker_spec)
            self.worker_spec[name] = "a job"

    def settle(self) -> None:
        self.workers = dict(self.worker_spec)


def fleet_of(workers: int | None, *, queued: bool = True) -> tuple[Fleet, Planned, dict[object, str]]:
    cluster, refused = Planned(), dict[object, str]()
    cluster.scale(2)
    cluster.settle()
    return Fleet(cluster, workers, queued=queued, refused=refused), cluster, refused


def test_jobs_in_the_queue_are_not_lost() -> None:
    fleet, _, _ = fleet_of(2)
    assert (fleet.pending, fleet.is_short) == (2, False)
    fleet.look({"a"})
    assert (fleet.pending, fleet.is_short) == (1, False)
    fleet.look(set())
    assert (fleet.pending, fleet.is_short) == (1, True)


def test_workers_of_this_machine_that_have_not_come_count_as_lost() -> None:
    fleet, _, _ = fleet_of(2, queued=False)
    assert (fleet.pending, fleet.is_short) == (0, True)
    fleet.look({"a", "b"})
    assert not fleet.is_short


def test_a_lost_worker_has_ended_before_another_has_its_name() -> None:
    fleet, cluster, _ = fleet_of(2)
    fleet.look({"a", "b"})
    fleet.look({"a"})
    fleet.forget()
    assert list(cluster.worker_spec) == ["a"]
    fleet.fill()
    assert list(cluster.worker_spec) == ["a"]
    cluster.settle()
    fleet.fill()
    assert list(cluster.worker_spec) == ["a", "b"]
    assert (fleet.pending, fleet.is_short) == (1, False)


def test_a_refused_job_is_submitted_again() -> None:
    fleet, cluster, refused = fleet_of(2)
    refused["b"] = "invalid partition"
    assert (fleet.refusal, fleet.pending, fleet.is_short) == ("invalid partition", 1, True)
    fleet.forget()
    cluster.settle()
    fleet.fill()
    assert (fleet.refusal, fleet.pending) == ("", 2)


def test_a_cluster_that_adapts_is_filled_by_dask() -> None:
    fleet, cluster, _ = fleet_of(None)
    fleet.look({"a", "b"})
    fleet.look(set())
    fleet.forget()
    cluster.settle()
    fleet.fill()
    assert not cluster.worker_spec
