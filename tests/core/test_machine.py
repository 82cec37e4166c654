from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from metaopt.core import machine
from metaopt.core.distribution import VERSION


def test_versions_are_found_without_importing_anything() -> None:
    code = (
        "import json, sys; from metaopt.core.machine import versions\n"
        "print(json.dumps([versions(), 'torch' in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    versions, imported = json.loads(run.stdout)
    assert versions["python"] == platform.python_version()
    assert versions["hpbandster"] == "0.7.4"
    assert versions["metaopt"] == VERSION, "by the name that headers have had from the first version on"
    assert not imported


def test_a_library_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LIBRARIES", ("no-such-library",))
    assert machine.versions()["no-such-library"] == "not installed"


def test_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook
    host = machine.host(3)
    assert host["cores"] == 3
    assert host["name"] == os.uname().nodename
    assert host["processor"], "whatever the machine"
    if (Path(machine.__file__).parents[2] / ".git").exists():
        assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", str(host["commit"]))


@pytest.mark.parametrize(
    ("told", "processor"),
    [
        (
            "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\n"
            "processor\t: 1\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\npower management:\n",
            "AMD EPYC, family 25, model 17",
        ),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "implementer 0x41, part 0xd0c"),
        ("model name\t: ARMv7 Processor rev 3 (v7l)\n", "ARMv7 Processor rev 3 (v7l)"),
        ("", platform.processor() or platform.machine()),
    ],
)
def test_generations_of_a_processor_are_told_apart(tmp_path: Path, told: str, processor: str) -> None:
    (tmp_path / "cpuinfo").write_text(told)
    assert machine._processor(tmp_path / "cpuinfo") == processor


def test_a_machine_that_tells_nothing_of_its_processor_has_one_all_the_same(tmp_path: Path) -> None:
    assert machine._processor(tmp_path / "none") == (platform.processor() or platform.machine())


def test_the_command_has_no_path_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/metaopt", "tune", "--budget", "5"])
    assert machine.command_line() == ["metaopt", "tune", "--budget", "5"]


def test_the_command_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["metaopt", "tune", "--scheduler", "tls://ann:s3cret@host:8786", "--token=s3cret"])
    assert machine.command_line() == ["metaopt", "tune", "--scheduler", "tls://***@host:8786", "--token=***"]


def test_the_environment_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ACCESS_KEY", "s3cret")
    assert "s3cret" not in json.dumps([machine.host(1), machine.versions(), machine.command_line()])


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
