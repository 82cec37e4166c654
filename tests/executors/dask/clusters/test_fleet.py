from __future__ import annotations

import itertools
from collections.abc import Callable

from metaopt.executors.dask.clusters.fleet import Fleet, Submissions, of_others


class Planned:
    """What a fleet needs of one of Dask's clusters."""

    _new_worker_name: Callable[[int], str]

    def __init__(self, workers: int) -> None:
        self.worker_spec: dict[str, str] = dict.fromkeys("ab"[:workers], "a job")

    def scale(self, n: int) -> None:
        numbers = itertools.count()
        while len(self.worker_spec) < n:
            self.worker_spec[self._new_worker_name(next(numbers))] = "a job"


def fleet_of(
    workers: int | None, *, queued: bool = True, queue: set[str] | None = None
) -> tuple[Fleet, Planned, Submissions]:
    cluster, submissions = Planned(2), Submissions(accepted={"a": "1", "b": "2"}, ask=lambda: queue)
    return Fleet(cluster, workers, submissions if queued else None), cluster, submissions


def test_jobs_in_the_queue_are_not_lost() -> None:
    fleet, _, _ = fleet_of(2)
    assert (fleet.pending, fleet.is_short, fleet.any_came) == (2, False, False)
    fleet.look({"a"}, 0.0)
    assert (fleet.pending, fleet.is_short, fleet.any_came) == (1, False, True)
    fleet.look(set(), 0.0)
    assert (fleet.pending, fleet.is_short) == (1, True)
    assert not fleet.replace(1.0, delay_s=2.0)


def test_workers_of_this_machine_that_have_not_come_count_as_lost() -> None:
    fleet, _, _ = fleet_of(2, queued=False)
    fleet.look(set(), 0.0)
    assert (fleet.pending, fleet.is_short) == (0, True)
    fleet.look({"a", "b"}, 0.0)
    assert not fleet.is_short


def test_each_worker_is_waited_for_and_no_name_is_given_twice() -> None:
    fleet, cluster, submissions = fleet_of(2)
    fleet.look({"a", "b"}, 0.0)
    fleet.look({"a"}, 1.0)
    fleet.look(set(), 3.0)
    assert fleet.replace(3.5, delay_s=2.0)
    assert list(cluster.worker_spec) == ["a", "metaopt-2"], "a may come back by itself"
    submissions.accepted["metaopt-2"] = "3"
    fleet.look({"a"}, 4.0)
    assert (fleet.pending, fleet.is_short) == (1, False)
    assert not fleet.replace(9.0, delay_s=2.0)
    fleet.look(set(), 10.0)
    assert fleet.replace(13.0, delay_s=2.0)
    assert list(cluster.worker_spec) == ["metaopt-2", "metaopt-3"]


def test_one_that_came_and_went_unseen_is_lost() -> None:
    fleet, _, _ = fleet_of(2)
    fleet.came("a")
    fleet.look(set(), 0.0)
    assert (fleet.pending, fleet.is_short) == (1, True)


def test_a_refused_job_is_submitted_again_under_another_name() -> None:
    fleet, cluster, submissions = fleet_of(2)
    del submissions.accepted["b"]
    submissions.refused["b"] = "invalid partition"
    fleet.look(set(), 0.0)
    assert (fleet.refusal, fleet.pending, fleet.is_short) == ("invalid partition", 1, True)
    assert fleet.replace(3.0, delay_s=2.0)
    assert list(cluster.worker_spec) == ["a", "metaopt-2"]


def test_a_job_that_has_left_the_queue_without_a_worker_is_replaced() -> None:
    """Canceled while it waited, or failed at once."""
    queue = {"1"}
    fleet, cluster, submissions = fleet_of(2, queue=queue)
    fleet.look(set(), 100.0)
    assert (fleet.pending, fleet.failed_starts, fleet.is_short) == (1, 1, True)
    assert fleet.replace(103.0, delay_s=2.0)
    assert list(cluster.worker_spec) == ["a", "metaopt-2"]
    submissions.accepted["metaopt-2"] = "3"
    fleet.look(set(), 110.0)
    assert fleet.pending == 2, "asked too often"
    fleet.look(set(), 121.0)
    assert (fleet.pending, fleet.failed_starts, fleet.is_hopeless) == (1, 2, False)
    queue.clear()
    for number in range(4):
        submissions.accepted[f"more-{number}"] = str(10 + number)
        cluster.worker_spec[f"more-{number}"] = "a job"
    fleet.look(set(), 150.0)
    assert (fleet.failed_starts, fleet.is_hopeless) == (7, True)
    fleet.look({"a"}, 151.0)
    assert not fleet.is_hopeless


def test_a_system_that_says_nothing_of_its_queue_is_trusted() -> None:
    fleet, _, _ = fleet_of(2, queue=None)
    fleet.look(set(), 100.0)
    assert (fleet.pending, fleet.is_short) == (2, False)


def test_where_others_start_the_workers_there_is_nothing_to_do() -> None:
    fleet = of_others()
    fleet.look({"a"}, 0.0)
    fleet.look(set(), 1.0)
    assert (fleet.pending, fleet.is_short, fleet.refusal) == (0, False, "")
    assert not fleet.replace(100.0, delay_s=1.0)


def test_a_cluster_that_adapts_is_filled_by_dask() -> None:
    fleet, cluster, _ = fleet_of(None)
    fleet.look({"a", "b"}, 0.0)
    fleet.look(set(), 0.0)
    assert fleet.replace(3.0, delay_s=2.0)
    assert not cluster.worker_spec
