"""Bad input of every kind: what, got, allowed, next step; exit code 2; no traceback; nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.objectives import OBJECTIVES

TUNE = ("tune", "--optimizer", "darts", "--budget", "4", "--tuner", "random", "--executor", "serial", "--no-report")
Fails = Callable[..., str]


@pytest.fixture
def fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Runs a command that must fail as a user's mistake, and returns what it said."""

    def fails(*arguments: object) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        before_error, error, _ = said.err.partition("metaopt: error: ")
        assert error
        assert before_error.count("\n") <= 1, "the line that says what begins"
        assert "Traceback" not in said.err
        assert "\n  " in said.err, "it says no next step"
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return said.err

    return fails


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tun",), "unknown command 'tun'; did you mean 'tune'?"),
        (("tune", "--budgte", "5"), "metaopt tune does not take '--budgte'; did you mean --budget?"),
        (("tune", "--bud", "5"), "metaopt tune does not take '--bud'; did you mean --budget?"),
        (
            ("doctor", "--budget", "5"),
            "metaopt doctor does not take '--budget'; metaopt tune, metaopt baseline and metaopt resume take it",
        ),
        (
            ("benchmark", "info", "digits", "--found=x"),
            "metaopt benchmark info does not take '--found=x'; metaopt bench",
        ),
        (("space", "list", "--bulk"), "metaopt space list does not take '--bulk'\n"),
        (("space", "list", "--deb"), "metaopt space list does not take '--deb'; did you mean --debug?"),
        (
            ("cluster", "check", "x", "--wiat", "1"),
            "metaopt cluster check does not take '--wiat'; did you mean --wait?",
        ),
        (("doctor", "b"), "metaopt doctor does not take 'b'\n"),
        (("tune", "--budget", "5"), "no one-shot optimizer is given"),
        (("tune", "--optimizer", "darts"), "no budget is given"),
        (
            ("tune", "--optimizer", "drats", "--budget", "5"),
            "unknown one-shot optimizer 'drats'; did you mean 'darts'?",
        ),
        ((*TUNE, "--tuner", "bohbb"), "unknown tuner 'bohbb'; did you mean 'bohb'?"),
        ((*TUNE, "--budget", "0"), "budget must be at least 1, got 0"),
        ((*TUNE, "--executor", "dask", "--workers", "5000"), "workers is 5000; allowed: 1 to"),
        ((*TUNE, "--tuner", "bohb", "--tuner-options", "eat=3"), "unknown option 'eat'; did you mean 'eta'?"),
        ((*TUNE, "--tuner", "bohb", "--tuner-options", "eta=x"), "option 'eta' must be"),
        ((*TUNE, "--config", "none.yaml"), "no such file: none.yaml"),
        (("resume", "none"), "there is no run folder none"),
        (("status", "none"), "there is no run folder none"),
        (("space", "show", "dart"), "unknown space 'dart'; did you mean 'darts'?"),
        (("space", "check", "none.yaml"), "no such file"),
        (("space", "check", "darts"), "'darts' is not the name of a .yaml file"),
    ],
)
def test_a_mistake_is_explained(fails: Fails, arguments: tuple[str, ...], message: str) -> None:
    assert message in fails(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--benchmark", "digit"), "unknown benchmark 'digit'; did you mean 'digits'?"),
        (("--space", "dartz"), "unknown space 'dartz'; did you mean 'darts'?"),
        (("--space", "none.yaml"), "no such file"),
    ],
)
def test_a_mistake_that_only_the_real_objective_can_see(
    fails: Fails, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "metaopt.objectives.oneshot:OneShot")
    assert message in fails(*TUNE, *arguments)


def test_a_run_file_with_a_number_that_is_text(fails: Fails) -> None:
    Path("run.yaml").write_text("budget_seconds: 1e-3\n")
    text = fails(*TUNE, "--config", "run.yaml")
    assert "YAML reads 1e-3 as text, not as a number" in text
    assert "write 1.0e-3" in text


def test_a_space_file_with_a_mistake(fails: Fails) -> None:
    Path("space.yaml").write_text("hyperparameters: [\n")
    assert "space.yaml, line 2" in fails("space", "check", "space.yaml")


def test_an_existing_run_folder(fails: Fails) -> None:
    assert main([*TUNE, "--folder", "mine"]) == 0
    assert "holds a run" in fails(*TUNE, "--folder", "mine")
    Path("other").mkdir()
    Path("other", "file").touch()
    assert "is not empty: it holds file" in fails(*TUNE, "--folder", "other")


def test_a_run_folder_that_cannot_be_made(fails: Fails) -> None:
    Path("file").touch()
    assert "cannot make the run folder file/mine: Not a directory" in fails(*TUNE, "--folder", "file/mine")


LONG = "n" * 300
DEEP = "n/" * 2500


@pytest.mark.parametrize("path", [LONG, f"{LONG}.yaml", DEEP], ids=["name", "name of a file", "path"])
@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("resume",),
        ("report",),
        ("export", "--to", "csv"),
        ("compare",),
        ("cluster", "script"),
        ("benchmark", "import", "csv", "--as", "nasbench101"),
        ("benchmark", "build", "digits", "--out"),
        ("correlate", "--optimizer", "darts", "--out"),
        ("search", "--optimizer", "darts", "--out"),
        (*TUNE, "--folder"),
        (*TUNE, "--config"),
    ],
    ids=" ".join,
)
def test_a_name_that_no_system_takes(fails: Fails, command: tuple[str, ...], path: str) -> None:
    assert "File name too long" in fails(*command, path)


def test_what_cannot_be_printed_is_said() -> None:
    command = [sys.executable, "-m", "metaopt", "space", "list"]
    with open("/dev/full", "w") as full:
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert said.returncode == 2
    assert said.stderr.startswith(
        "metaopt: error: the operating system refused to go on: No space left on device\n  make"
    )
    assert "Exception ignored" not in said.stderr


def test_a_journal_damaged_in_the_middle(fails: Fails) -> None:
    assert main([*TUNE, "--folder", "mine"]) == 0
    path = Path("mine/journal.jsonl")
    raw = path.read_bytes()
    place = raw.index(b"\n") + 20  # in the second of more lines
    path.write_bytes(raw[:place] + b"?" + raw[place + 1 :])
    for command in ("resume", "status"):
        assert "is damaged at line" in fails(command, "mine")


def test_debug_shows_the_traceback() -> None:
    run = subprocess.run([sys.executable, "-m", "metaopt", "status", "none", "--debug"], capture_output=True, text=True)
    assert "Traceback" in run.stderr
    assert "RunError" in run.stderr


def test_the_exit_code_of_the_process() -> None:
    run = subprocess.run([sys.executable, "-m", "metaopt", "status", "none"], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith("metaopt: error: there is no run folder none")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("metaopt 0.")


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, metaopt.cli; metaopt.cli.commands.build()\n"
        "heavy = ('torch', 'dask', 'distributed', 'pandas', 'matplotlib', 'scipy', 'ConfigSpace')\n"
        "print([module for module in heavy if module in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m metaopt space list | true; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=os.environ)
    assert (run.returncode, run.stderr) == (0, "")
