from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.objectives import OBJECTIVES
from metaopt.studies.file import StudyPlan, load_study

COMMON = "common: {tuner: random, budget: 4, executor: serial}\n"


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")


def study(folder: Path, text: str, **changes: Any) -> StudyPlan:
    file = folder / "study.yaml"
    file.write_text(text)
    return load_study(file, changes)


@pytest.mark.usefixtures("inline")
def test_lists_are_crossed_and_names_say_what_varies(tmp_path: Path) -> None:
    text = "title: A\ntext: why\n" + COMMON
    text += "runs:\n  - {optimizer: darts, channels: [4, 8], seed: [0, 1]}\n  - {optimizer: darts, tuner: bohb}\n"
    plan = study(tmp_path, text)
    assert (plan.title, plan.text) == ("A", "why")
    assert [run.name for run in plan.runs] == [
        "darts-random-channels-4-s0",
        "darts-random-channels-4-s1",
        "darts-random-channels-8-s0",
        "darts-random-channels-8-s1",
        "darts-bohb-s0",
    ]
    assert [(run.settings.channels, run.settings.seed) for run in plan.runs[:4]] == [(4, 0), (4, 1), (8, 0), (8, 1)]
    last = plan.runs[-1].settings
    assert (last.tuner, last.budget, last.min_epochs, last.workers) == ("bohb", 4, 3, 1)
    assert last.tuner_options["eta"] == 2


@pytest.mark.usefixtures("inline")
def test_a_row_of_numbers(tmp_path: Path) -> None:
    plan = study(tmp_path, f"title: A\n{COMMON}runs:\n  - {{optimizer: darts, seed: 8..11}}\n")
    assert [run.name for run in plan.runs] == ["darts-s8", "darts-s9", "darts-s10", "darts-s11"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{optimizer: darts, seed: 0..99999999999}", "names more than 20000 runs up to entry 1 of runs"),
        ("{optimizer: darts, seed: 0..9999, channels: 1..20}", "names more than 20000 runs"),
        ("{optimizer: darts, seed: 5..2}", "the list of seed is empty"),
        ("{optimizer: darts, seed: " + "9" * 5000 + "..3}", "seed must be a whole number"),
        ("{optimizer: darts, channels: 1" + "0" * 23 + "}", r"channels must be in \[1, 4096\], got 1000000000"),
        (
            "{optimizer: darts, tuner: re, tuner_options: {population: 1" + "0" * 30 + "}}",
            "option 'population' is 1000000000000000000000000000000; allowed: at most 100000",
        ),
        ("{optimizer: darts, seed: 1" + "0" * 30 + "}", r"seed must be in \[0, 9223372036854775807\], got 1"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("inline")
def test_numbers_and_ranges_have_limits(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        study(tmp_path, f"title: A\n{COMMON}runs:\n  - {entry}\n")
    assert len(str(caught.value)) < 1500


@pytest.mark.usefixtures("inline")
def test_options_of_a_tuner_make_names_and_their_lists_are_not_crossed(tmp_path: Path) -> None:
    entry = "{optimizer: darts, tuner: grid, tuner_options: [{over: [x], repeats: 2}, {over: [deed, x]}]}"
    plan = study(tmp_path, f"title: A\n{COMMON}runs:\n  - {entry}\n")
    assert [run.name for run in plan.runs] == ["darts-over-x-repeats-2-s0", "darts-over-deed-x-s0"]
    assert plan.runs[1].settings.tuner_options == {"points": 3, "over": ["deed", "x"], "repeats": 1}


@pytest.mark.usefixtures("inline")
def test_the_command_line_says_where_runs_run_and_the_environment_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAOPT_BUDGET", "99")
    plan = study(tmp_path, f"title: A\n{COMMON}runs: [{{optimizer: darts}}]", executor="dask", workers=2)
    config = plan.runs[0].settings
    assert (config.executor, config.workers, config.budget) == ("dask", 2, 4)


def test_space_files_are_found_from_the_study_and_travel_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    entry = {"name": "weight_decay", "type": "ordinal", "sequence": [0.1, 0.2], "default_value": 0.2}
    (folder / "decay.yaml").write_text(f"name: decay\nhyperparameters: [{entry}]\n")
    monkeypatch.chdir(tmp_path)
    plan = study(folder, f"title: A\n{COMMON}runs: [{{optimizer: darts, space: [decay.yaml, darts]}}]")
    assert [run.name for run in plan.runs] == ["darts-decay-s0", "darts-darts-s0"]
    assert [run.settings.space for run in plan.runs] == ["decay.yaml", "darts"]
    assert [len(run.space["hyperparameters"]) for run in plan.runs] == [1, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the study .*study.yaml is not a mapping"),
        ("runs: [{optimizer: darts}]", "title must be text, got None"),
        ("title: A", "there are no runs and no baselines"),
        ("title: A\nruns: []", "there are no runs and no baselines"),
        ("title: A\nruns: 3", "runs must be a list of settings, got 3"),
        ("title: A\nruns: [darts]", "entry 1 of runs must be a mapping of settings, got 'darts'"),
        ("title: A\ncommon: 3\nruns: [{}]", "common must be a mapping"),
        ("title: A\nrun: []\nruns: [{}]", "unknown key in .*: 'run'; did you mean 'runs'"),
        ("title: A\nruns: [{optimiser: darts}]", "entry 1 of runs: 'optimiser'; did you mean 'optimizer'"),
        ("title: A\nruns: [{folder: x}]", "unknown setting in .*'folder'"),
        ("title: A\nruns: [{seed: []}]", "the list of seed is empty"),
        ("title: A\nruns: [{seed: 9..8}]", "the list of seed is empty"),
        (f"title: A\n{COMMON}runs: [{{optimizer: dart}}]", "entry 1 of runs: unknown one-shot optimizer 'dart'"),
        (f"title: A\n{COMMON}runs: [{{}}]", "entry 1 of runs: no one-shot optimizer is given"),
        (f"title: A\n{COMMON}runs: [{{optimizer: darts, budget: many}}]", "entry 1 of runs: budget must be a whole"),
        (
            "title: A\ncommon: {budget: 4, seed: -1}\nruns: [{optimizer: darts}]",
            r"study.yaml, common: seed must be in \[0, 9223372036854775807\], got -1\n  in .*study.yaml: change seed$",
        ),
        (f"title: A\n{COMMON}runs: [{{optimizer: darts, seed: -1}}]", "entry 1 of runs: seed must be .*, got -1"),
        (
            f"title: A\n{COMMON}runs: [{{optimizer: darts, space: nope.yaml}}]",
            r"space is nope.yaml, and there is no such file in .*\n  .*from the folder of the study's file",
        ),
        (f"title: A\n{COMMON}runs: [{{optimizer: darts}}, {{optimizer: darts}}]", "names the run darts-s0 2 times"),
        (f"title: A\n{COMMON}runs: [{{optimizer: darts, min_epochs: 99}}]", "entry 1 of runs: min_epochs is 99"),
    ],
)
@pytest.mark.usefixtures("inline")
def test_refuses(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, text)


@pytest.mark.usefixtures("inline")
def test_all_mistakes_are_named_at_once_and_each_once(tmp_path: Path) -> None:
    text = f"title: A\n{COMMON}runs:\n  - {{optimizer: dart, seed: [0, 1, 2]}}\n  - {{optimizer: darts, budget: 0}}\n"
    with pytest.raises(ConfigError) as error:
        study(tmp_path, text)
    said = str(error.value)
    assert said.startswith("2 settings cannot be used:")
    assert said.count("unknown one-shot optimizer 'dart'") == 1
    assert "entry 2 of runs: budget must be at least 1, got 0" in said


@pytest.mark.usefixtures("inline")
def test_baselines_stand_beside_runs_and_take_what_they_have_of_the_common_settings(tmp_path: Path) -> None:
    common = "common: {budget: 4, confirm: 5, cell_space: 1}\n"
    baselines = "baselines: [{tuner: [random, hyperband], seed: [0, 1], max_epochs: 8}]"
    plan = study(tmp_path, f"title: A\n{common}runs: [{{optimizer: darts}}]\n{baselines}")
    assert [run.name for run in plan.runs] == [
        "darts-s0",
        "cells-random-s0",
        "cells-random-s1",
        "cells-hyperband-s0",
        "cells-hyperband-s1",
    ]
    assert [run.settings.confirm for run in plan.runs] == [5, 0, 0, 0, 0]
    assert plan.runs[1].settings.executor == "simulated"


def test_a_mistake_in_a_baseline_is_named_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown setting in .*entry 1 of baselines: 'optimizer'"):
        study(tmp_path, "title: A\nbaselines: [{optimizer: darts}]")
    with pytest.raises(ConfigError, match="entry 1 of baselines: unknown tuner 'randon'"):
        study(tmp_path, "title: A\nbaselines: [{tuner: randon, budget: 3}]")
    with pytest.raises(ConfigError, match="entry 1 of baselines: the tuner evaluates after 3 epochs"):
        study(tmp_path, "title: A\nbaselines: [{tuner: random, max_epochs: 3, budget: 3}]")


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("evil", ["..", "../../x", "/etc/x", "a/../../b", "~", "a\\u0000b", "-rf"])
def test_no_name_of_a_run_leads_out_of_the_study(tmp_path: Path, evil: str) -> None:
    entry = f'{{optimizer: darts, tuner: grid, tuner_options: [{{over: [x]}}, {{over: ["{evil}"]}}]}}'
    for line in (entry, f'{{optimizer: "{evil}"}}', f'{{optimizer: darts, seed: "{evil}"}}'):
        try:
            names = [run.name for run in study(tmp_path, f"title: A\n{COMMON}runs:\n  - {line}\n").runs]
        except ConfigError:
            continue
        assert all(Path(name).name == name and not name.startswith((".", "-")) for name in names)
    with pytest.raises(ConfigError, match="folder"):
        study(tmp_path, f'title: A\n{COMMON}runs:\n  - {{optimizer: darts, folder: "{evil}"}}\n')


def test_a_former_key_is_accepted_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = study(tmp_path, f"title: A\n{COMMON}runs: [{{optimizer: darts, hyperparameters: [darts, darts_cs1]}}]")
    assert [run.settings.space for run in plan.runs] == ["darts", "darts_cs1"]  # type: ignore[attr-defined]
    assert "hyperparameters in" in capsys.readouterr().err
