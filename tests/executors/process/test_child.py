from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from faults import hold_of
from harness import HANG_S, wait_until
from metaopt.core.errors import RunError
from metaopt.core.trial import Result
from metaopt.executors.base import Recipe, Task
from metaopt.executors.process.child import STOP, Child, run_trial
from metaopt.executors.process.trial_files import RESULT
from metaopt.testing.executor_contract import trial

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Evaluates one trial with the given deed."""

    def run(
        deed: str, folder: Path = tmp_path / "trial", objective: str = "Faults", x: float = 0.5, **recipe: object
    ) -> Result:
        task = Task(Recipe(f"faults:{objective}", {}, **recipe), trial(4, deed, x), folder)
        return Result.from_json(run_trial(task))

    return run


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("raise", r"ArithmeticError: on purpose \(faults.py:\d+ in _raise\)"),
        ("nan", "valid_error is nan"),
        ("infinite", "valid_error is -inf"),
        ("percent", "valid_error is 7.5"),
        ("text", r"valid_error is .0\.5"),
        ("exit", "SystemExit: 3"),
        ("hard_exit", "ended with exit code 7 and without a result: last words"),
        ("segfault", r"killed by signal 11 \(SIGSEGV\): Fatal Python error: Segmentation fault .*string_at"),
        ("interrupts_itself", "KeyboardInterrupt: mine"),
        ("leaves", "GeneratorExit: mine"),
        ("recursion", r"RecursionError: maximum recursion depth exceeded .*\(faults.py:\d+ in _recursion\)"),
        ("says_nothing", r"_MuteError: \(cannot be told: RuntimeError\)"),
        ("odd_object", "valid_error is <_Mute instance"),
        (
            "arrow_memory",
            r"^out of memory: ArrowMemoryError: malloc of size 128 failed \(faults.py:\d+ in _arrow_memory\)$",
        ),
        ("killed", r"killed by signal 9 \(SIGKILL\), which is what the system does when memory runs out"),
    ],
)
def test_a_crash_has_its_reason_and_is_kept(run: Run, tmp_path: Path, deed: str, reason: str) -> None:
    result = run(deed)
    assert (result.trial_id, result.status, result.valid_error, result.loss) == (4, "crashed", None, 1.0)
    assert re.search(reason, result.reason), result.reason
    assert "\n" not in result.reason
    assert Result.from_json(json.loads((tmp_path / "trial" / RESULT).read_text())["result"]) == result


@pytest.mark.parametrize("code", [1, 2, 28, 127, 200, 201, 202, 203, 254, 255])
def test_no_exit_code_of_a_trial_means_anything_else(run: Run, tmp_path: Path, code: int) -> None:
    result = run("exit_with", x=code / 1000)
    assert (result.status, result.restarts) == ("crashed", 0)
    assert result.reason == f"its process ended with exit code {code} and without a result"


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM + 25, "real-time"), (signal.SIGABRT, "SIGABRT")])
def test_every_signal_has_a_name(run: Run, number: int, name: str) -> None:
    result = run("signal", x=number / 1000)
    assert result.status == "crashed"
    assert f"killed by signal {number:d} (" in result.reason
    assert name in result.reason


def test_a_full_disk_is_said_by_the_process_and_not_by_its_exit_code(run: Run) -> None:
    with pytest.raises(RunError, match=r"trial 4 cannot write to .*No space left on device"):
        run("disk_full")


@pytest.mark.parametrize("deed", ["closes_descriptors", "goes_elsewhere", "leaves_a_child"])
def test_whatever_a_trial_does_to_its_process_its_answer_counts(run: Run, deed: str) -> None:
    assert run(deed).valid_error == pytest.approx(0.14)


def test_nothing_is_left_of_what_a_trial_has_started(run: Run) -> None:
    run("leaves_a_child")
    left = [p for p in psutil.process_iter(["cmdline"]) if "time.sleep(600.5)" in " ".join(p.info["cmdline"] or [])]
    psutil.wait_procs(left, timeout=HANG_S)
    assert not [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_a_trial_may_delete_its_folder(run: Run, tmp_path: Path) -> None:
    assert run("answer", objective="DeletesItsFolder").valid_error == pytest.approx(0.14)
    assert (tmp_path / "trial" / RESULT).exists()


def test_a_server_that_a_trial_has_stopped_is_replaced(run: Run, tmp_path: Path) -> None:
    """Nobody hears of the end of the process then, until its time is over."""
    started = time.monotonic()
    assert run("stops_its_server", time_limit_s=2.0).status in ("ok", "timeout")
    assert time.monotonic() - started < 40
    assert run("answer", folder=tmp_path / "next").status == "ok"


def test_a_flood_of_output_fills_no_disk(run: Run, tmp_path: Path) -> None:
    result = run("floods")
    assert result.reason.startswith("its process ended with exit code 7 and without a result: ")
    assert result.reason.endswith("last words")
    assert len(result.reason) < 20_000
    assert (tmp_path / "trial" / "stderr.txt").stat().st_size < 250 * 2**20


def test_the_traceback_is_kept(run: Run, tmp_path: Path) -> None:
    run("raise")
    assert "Traceback (most recent call last)" in (tmp_path / "trial" / "stderr.txt").read_text()


def test_memory_has_a_limit(run: Run) -> None:
    result = run("memory", memory_limit_mb=2048)
    assert result.status == "crashed"
    assert result.reason.startswith("out of memory, at most 2048 MiB are allowed: MemoryError")


def test_a_hang_ends_at_the_time_limit(run: Run) -> None:
    started = time.monotonic()
    result = run("hang", time_limit_s=1.0)
    assert (result.status, result.reason) == ("timeout", "took longer than the time limit of 1 s")
    assert 1.0 <= result.cost_s <= time.monotonic() - started


def test_what_a_killed_trial_has_started_dies_too(run: Run) -> None:
    before = {p.pid for p in psutil.process_iter()}
    assert run("brood", time_limit_s=2.0).status == "timeout"
    sleepers = [
        p for p in psutil.process_iter(["cmdline"]) if "import time; time.sleep(600)" in (p.info["cmdline"] or [])
    ]
    assert not [p for p in sleepers if p.pid not in before and p.status() != psutil.STATUS_ZOMBIE]


def test_the_threads_of_the_recipe(run: Run) -> None:
    assert run("threads").valid_error == pytest.approx(0.01)


def test_a_trial_with_a_stop_file_is_stopped_and_not_kept(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    folder.mkdir()
    (folder / STOP).touch()
    assert run("hang").status == "stopped"
    assert not (folder / RESULT).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"trial": 3}', b"\xff"])
def test_a_damaged_result_is_not_taken(run: Run, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "trial"
    folder.mkdir()
    (folder / RESULT).write_bytes(content)
    assert run("answer").valid_error == pytest.approx(0.14)


def test_a_folder_that_cannot_be_made_costs_the_trial_only(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("answer", folder=tmp_path / "file" / "trial")
    assert result.status == "crashed"
    assert "cannot be supervised: " in result.reason


def test_an_objective_may_run_here(run: Run, tmp_path: Path) -> None:
    assert run("answer", objective="Inline", needs_process=False).valid_error == pytest.approx(0.14)
    assert not (tmp_path / "trial" / "stderr.txt").exists()
    assert run("exit", objective="Inline", needs_process=False).reason.startswith("SystemExit: 3")
    assert "Traceback (most recent call last)" in (tmp_path / "trial" / "stderr.txt").read_text()


def test_a_trial_whose_fork_server_is_killed_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    hold_of(log).touch()
    child = Child(Task(Recipe("faults:Faults", {"log": str(log)}), trial(0), tmp_path / "0"))
    wait_until(log.exists)
    for process in psutil.Process().children():
        if "forkserver" in " ".join(process.cmdline()):
            process.kill()
    pid = int(log.read_text().split()[-1])
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    hold_of(log).unlink()
    while (result := child.wait(1.0)) is None:
        pass
    assert result.status == "ok", result.reason
    assert log.read_text().count("start") == 2


def test_a_child_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    child = Child(Task(Recipe("faults:Faults", {}), trial(0, "hang"), tmp_path))
    assert child.wait(0.05) is None
    child.stop()
    assert child.wait(0.0).status == "stopped"  # type: ignore[union-attr]
    child.stop()
    assert child.wait(0.0).status == "stopped"  # type: ignore[union-attr]
