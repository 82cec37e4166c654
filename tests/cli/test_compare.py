from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.objectives import OBJECTIVES

STUDY = """
title: Two runs
common: {optimizer: darts, tuner: random, budget: 3, executor: serial, confirm: 2}
runs: [{seed: [0, 1]}]
"""


@pytest.fixture
def study(tmp_path: Path) -> str:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "study.yaml").write_text(STUDY)
    return "mine/study.yaml"


def test_runs_writes_and_checks(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", study]) == 0
    said = capsys.readouterr()
    assert "run 1 of 2: darts-s0" in said.err
    assert "run 2 of 2: darts-s1" in said.err
    assert said.out.endswith("study: mine/report.html\n")
    lines = Path("mine/README.md").read_text().splitlines()
    assert lines[0] == "`metaopt compare mine/study.yaml`"
    assert lines[2] == "# Two runs"
    assert not any("Not complete" in line for line in lines)

    assert main(["compare", study, "--check"]) == 0
    assert capsys.readouterr().out == "the study equals its journals\n"
    table = Path("mine/tuned.csv")
    table.write_text(table.read_text().replace("darts", "dart"))
    assert main(["compare", study, "--check"]) == 2
    again = "metaopt compare mine/study.yaml --no-run"
    assert capsys.readouterr().out == f"differs: tuned.csv\nwrite it anew with: {again}\n"
    assert main(shlex.split(again)[1:]) == 0
    assert main(["compare", study, "--check"]) == 0

    Path("mine").rename("moved")
    assert main(["compare", "moved/study.yaml", "--executor", "serial", "--workers", "1"]) == 0
    assert Path("moved/README.md").read_text().startswith("`metaopt compare moved/study.yaml`\n")


def test_a_folder_stands_for_the_study_in_it(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "mine", "--no-run"]) == 2
    assert "mine has no run of the study yet" in capsys.readouterr().err
    assert main(["compare", "."]) == 2
    assert "the folder . has no study.yaml" in capsys.readouterr().err


def test_another_folder_and_what_is_there_so_far(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", study, "--out", "there", "--no-run"]) == 2
    assert "there has no run of the study yet" in capsys.readouterr().err
    assert main(["tune", "--optimizer", "darts", "--tuner", "random", "--budget", "3", "--executor", "serial",
                 "--confirm", "2", "--folder", "there/darts-s0", "--no-report"]) == 0  # fmt: skip
    assert main(["compare", study, "--out", "there", "--no-run"]) == 0
    text = Path("there/README.md").read_text()
    assert text.startswith("`metaopt compare mine/study.yaml --out there`\n")
    assert "**Not complete**: 1 of 2 runs not finished: darts-s1." in text
    assert not Path("there/darts-s1").exists()


def test_an_interrupt_says_how_to_go_on(
    study: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaopt.cli.compare.run_missing", lambda *given: False)
    command = ["compare", study, "--out", "a folder", "--executor", "dask", "--workers", "2"]
    assert main(command) == 130
    assert capsys.readouterr().out == f"interrupted; go on with: {shlex.join(['metaopt', *command])}\n"


def test_a_mistake_in_the_file_is_found_before_anything_runs(
    study: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaopt.cli.compare.run_missing", lambda *given: pytest.fail("it ran"))
    Path(study).write_text(STUDY.replace("budget: 3", "budget: many"))
    assert main(["compare", study]) == 2
    assert "mine/study.yaml, common: budget must be a whole number or none, got 'many'" in capsys.readouterr().err
    assert [path.name for path in Path("mine").iterdir()] == ["study.yaml"]


def test_at_least_one_baseline_at_a_time(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", study, "--at-once", "0"]) == 2
    assert "--at-once must be at least 1, got 0" in capsys.readouterr().err
    assert not Path("mine/darts-s0").exists()


def test_a_packed_study_is_the_same_study(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", study]) == 0
    page = Path("mine/README.md").read_bytes()
    assert main(["compare", study, "--pack", "--no-run"]) == 0
    assert not list(Path("mine").rglob("journal.jsonl"))
    assert Path("mine/journals.tar.xz").is_file()
    assert Path("mine/README.md").read_bytes() == page
    capsys.readouterr()
    assert main(["compare", study]) == 0
    assert "run " not in capsys.readouterr().err
    assert main(["compare", study, "--check"]) == 0


def test_a_run_of_failures_only_costs_the_others_nothing(
    study: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Doomed")
    Path(study).write_text(
        STUDY.replace("budget: 3", "budget: 6").replace("darts", "[darts, gdas]").replace("[0, 1]", "0")
    )
    assert main(["compare", study]) == 2
    said = capsys.readouterr()
    assert "given up: 1 run of 2" in said.err
    assert "metaopt resume mine/darts-s0" in said.err
    assert "study: mine/report.html" in said.out
    assert "1 of 2 runs not finished: darts-s0." in Path("mine/README.md").read_text()
    assert main(["compare", study, "--stop-after-failures", "0"]) == 1
    assert "no evaluation has succeeded in darts-s0" in capsys.readouterr().err


@pytest.mark.parametrize("cluster", ["cluster.yaml", "tls://head.example.org:8786", "../../theirs.yaml", "/dev/zero"])
def test_a_study_of_others_connects_to_nothing(study: str, capsys: pytest.CaptureFixture[str], cluster: str) -> None:
    """The file that it names is not even opened."""
    Path(study).write_text(STUDY.replace("executor: serial", f"executor: dask, cluster: {cluster}"))
    assert main(["compare", study]) == 2
    said = capsys.readouterr().err
    pasted = said.partition("say so: ")[2].partition("; on this machine")[0]
    assert shlex.split(pasted) == ["metaopt", "compare", study, "--cluster", cluster]
    assert not Path("mine/darts-s0").exists()
    assert main(["compare", study, "--executor", "serial"]) == 0
    assert main(["compare", study]) == 0  # nothing is left to run
