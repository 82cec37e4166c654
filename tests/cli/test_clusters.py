from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from harness import HELPERS, wait_until
from metaopt.cli import OK, USER_ERROR, main
from metaopt.cli.clusters import how_to_use
from metaopt.objectives import OBJECTIVES
from metaopt.runs.folder import RunFolder
from outside import answers_in_the_clear

BATCH = {"kind": "slurm", "workers": 2, "memory": "2GB", "walltime": "01:00:00", "shared": "jobs"}


def written(content: object) -> str:
    Path("cluster.yaml").write_text(yaml.safe_dump(content))
    return "cluster.yaml"


def test_the_script_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "script", written(BATCH)]) == OK
    assert capsys.readouterr().out.startswith("#!/usr/bin/env bash\n\n#SBATCH -J metaopt")
    assert main(["cluster", "script", written({"kind": "local", "workers": 1})]) == USER_ERROR
    assert "kind local, which submits no jobs" in capsys.readouterr().err


def test_a_run_says_what_is_wrong_with_its_cluster(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    on_cluster = [*tune, "--executor", "dask"]
    for extra, said in (
        ([*tune, "--cluster", written(BATCH)], "the executor is serial, which uses none"),
        ([*on_cluster, "--cluster", "none.yaml"], "no such file"),
        ([*on_cluster, "--scheduler", "tcp://head:8786"], "is not encrypted"),
        ([*on_cluster, "--scheduler", "tls://127.0.0.1:9"], "wants certificates, and none are given"),
        (
            [*on_cluster, "--scheduler", "tcp://127.0.0.1:9"],
            "cannot connect to the Dask scheduler at tcp://127.0.0.1:9",
        ),
    ):
        assert main(extra) == USER_ERROR
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_printed_with_the_certificates_works_as_it_stands(
    tmp_path: Path, tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From no cluster at all to a finished run, by the printed commands."""
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Faults")
    assert main(["cluster", "certificates", "keys"]) == OK
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    scheduler, worker = (next(line for line in lines if line.startswith(f"dask {w}")) for w in ("scheduler", "worker"))
    scheduler = scheduler.replace("8786", "0") + " --host 127.0.0.1 --scheduler-file scheduler.json"
    paths = os.pathsep.join([str(HELPERS), str(HELPERS.parents[1])])
    assert "export DASK_DISTRIBUTED__WORKER__DAEMON=False PYTHONSAFEPATH=1" in lines
    environment = os.environ | {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": paths}
    processes = [started(scheduler, environment)]
    try:
        wait_until(lambda: Path("scheduler.json").exists() and Path("scheduler.json").read_text().endswith("}"))
        address = yaml.safe_load(Path("scheduler.json").read_text())["address"]
        processes.append(started(worker.replace("tls://SCHEDULER:8786", address) + " --host 127.0.0.1", environment))
        text = "\n".join(lines[lines.index("kind: scheduler") :]).replace("tls://SCHEDULER:8786", address)
        Path("cluster.yaml").write_text(text)
        assert main(["cluster", "check", "cluster.yaml", "--wait", "60"]) == OK
        assert "127.0.0.1: 1 worker" in capsys.readouterr().out
        assert {address.ip for process in processes for address in pages_of(process.pid)} <= {"127.0.0.1"}
        run = [*tune, "--executor", "dask", "--cluster", "cluster.yaml", "--folder", "run", "--confirm", "0"]
        assert main(run) == OK
    finally:
        for process in processes:
            process.kill()
            process.wait()
    recorded = RunFolder(Path("run")).read()
    assert len(recorded.results) == 4
    assert recorded.header["run"]["cluster"] == str(tmp_path / "cluster.yaml")
    assert recorded.header["run"]["workers"] is None


def pages_of(pid: int) -> list[Any]:
    """Returns where a process and its children answer without TLS, as pages do that anybody may read."""
    root = psutil.Process(pid)
    return [
        connection.laddr
        for process in (root, *root.children(recursive=True))
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and answers_in_the_clear(connection.laddr)
    ]


def started(command: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).with_name("dask")
    with open("log.txt", "ab") as log:
        return subprocess.Popen([program, *shlex.split(command)[1:]], env=environment, stdout=log, stderr=log)


@pytest.mark.parametrize("name", ["plain", "with blank", "a: b", "a #b", 'quo"te', "new\nline", "$(touch x)"])
def test_what_is_printed_with_the_certificates_holds_any_path(name: str) -> None:
    certificate, key = Path("/keys") / name / "certificate.pem", Path("/keys") / name / "key.pem"
    text = how_to_use(certificate, key)
    assert yaml.safe_load(text[text.index("  kind: scheduler") :]) == {
        "kind": "scheduler", "address": "tls://SCHEDULER:8786",
        "ca": str(certificate), "certificate": str(certificate), "key": str(key),
    }  # fmt: skip
    assert str(key) in shlex.split(text[text.index("  dask worker") : text.index("in the cluster file:")])
