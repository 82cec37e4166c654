from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from faults import hold_of
from harness import results_of, wait_until
from metaopt.executors.base import Recipe
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.executors.dask.gpus import claim_gpu, visible_gpus
from metaopt.testing.executor_contract import trial

CLAIM = (
    "import os, sys, time; from metaopt.executors.dask.gpus import claim_gpu, visible_gpus\n"
    "print(claim_gpu(visible_gpus()), os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); sys.stdin.read()"
)


def claimer(folder: Path, gpus: str, code: str = CLAIM) -> subprocess.Popen[str]:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": gpus, "TMPDIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    ("value", "gpus"), [("", []), ("-1", []), ("0", ["0"]), ("3, 5", ["3", "5"]), ("GPU-8f,MIG-2", ["GPU-8f", "MIG-2"])]
)
def test_the_environment_says_what_may_be_used(monkeypatch: pytest.MonkeyPatch, value: str, gpus: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert visible_gpus() == gpus


def test_processes_share_gpus_evenly_and_give_them_back_when_they_die(tmp_path: Path) -> None:
    processes = [claimer(tmp_path, "3,5") for _ in range(4)]
    claims = [said(process) for process in processes]
    assert sorted(claims) == ["3 3", "3 3", "5 5", "5 5"]
    gone = processes.pop(claims.index("5 5"))
    gone.kill()
    gone.communicate()
    processes.append(claimer(tmp_path, "3,5"))
    assert said(processes[-1]) == "5 5"
    for process in processes:
        process.communicate("")


def test_claimed_again_it_is_the_same_one(tmp_path: Path) -> None:
    process = claimer(
        tmp_path, "3,5", CLAIM.replace("print(", "claim_gpu(visible_gpus()); claim_gpu(['5', '3']); print(")
    )
    assert said(process) == "3 3"
    process.communicate("")
    assert len(list(tmp_path.glob("*/*"))) == 1


def test_claims_in_a_folder_that_others_may_write_to_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"metaopt-gpus-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="is not a folder of this user alone"):
        claim_gpu(["0"])
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="is not a folder of this user alone"):
        claim_gpu(["0"])


def test_without_gpus_nothing_changes(tmp_path: Path) -> None:
    process = claimer(tmp_path, "")
    assert said(process) == "None"
    process.communicate("")


@pytest.mark.slow
def test_every_worker_of_a_machine_has_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    log = tmp_path / "log.txt"
    hold_of(log).touch()
    with DaskExecutor(Recipe("faults:Faults", {"log": str(log)}), 2) as crew:
        for number in range(2):
            crew.submit(trial(number, "gpu"), tmp_path / str(number))
        wait_until(lambda: crew.wait(0.1) or (log.exists() and log.read_text().count("start") == 2))
        hold_of(log).unlink()
        results = results_of(crew).values()
    assert sorted(result.valid_error for result in results if result.valid_error) == [0.04, 0.07]
