"""Every kind of cluster, through the contract suite of executors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from batch_system import BatchSystem
from harness import HELPERS, wait_until
from metaopt.executors.base import Executor, Recipe
from metaopt.executors.dask.clusters import CLUSTERS
from metaopt.executors.dask.clusters.settings import ClusterSettings, load_cluster
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.testing.executor_contract import ExecutorContract
from outside import Outside


class ClusterContract(ExecutorContract):
    """A cluster behaves like any other executor as soon as its workers are there."""

    executor = DaskExecutor
    kinds: ClassVar[tuple[str, ...]]
    workers = 2

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSettings]:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def crew(cls, cluster: ClusterSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
        log = tmp_path_factory.mktemp("log") / "log.txt"
        with DaskExecutor(Recipe(cls.objective, {"log": str(log)}, time_limit_s=20.0), None, cluster) as crew:
            wait_until(lambda: crew.free == cls.workers)
            yield crew


class TestLocal(ClusterContract):
    kinds = ("local",)

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls) -> ClusterSettings:
        return ClusterSettings(workers=cls.workers)


@pytest.mark.slow
class TestScheduler(ClusterContract):
    kinds = ("scheduler",)

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSettings]:
        outside = Outside(tmp_path_factory.mktemp("outside"))
        outside.start_scheduler()
        outside.start_worker("--nworkers", str(cls.workers))
        yield load_cluster(str(outside.cluster_file()))
        outside.close()


@pytest.mark.slow
class TestBatch(ClusterContract):
    """Of all batch systems one; they differ in the script and the commands, which test_batch.py runs for each."""

    kinds = ("slurm", "pbs", "sge", "lsf")

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSettings]:
        folder = tmp_path_factory.mktemp("batch")
        (folder / "system").mkdir()
        system = BatchSystem(folder / "system", "slurm")
        batch = {"workers": cls.workers, "memory": "2GB", "walltime": "01:00:00", "shared": str(folder)}
        (folder / "cluster.yaml").write_text(yaml.safe_dump({"kind": "slurm", **batch}))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{system.bin}{os.pathsep}{os.environ['PATH']}")
            patch.setenv("PYTHONPATH", str(HELPERS))
            yield load_cluster(str(folder / "cluster.yaml"))
        system.close()


def test_every_kind_is_here() -> None:
    assert {kind for suite in ClusterContract.__subclasses__() for kind in suite.kinds} == set(CLUSTERS)
    assert Path(HELPERS.parent, "executors", "dask", "clusters", "test_batch.py").is_file()
