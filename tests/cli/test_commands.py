from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from metaopt.cli import commands, main, names
from metaopt.cli.parser import leaves, parse

ALL = {parser.prog: parser for parser in leaves(commands.build())}


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_a_handler_and_two_examples_that_can_be_given(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "run_folder", Path)
    monkeypatch.setattr(names, "study_file", Path)
    monkeypatch.setattr(names, "space", str)
    parser = commands.build()
    examples = [line.strip() for line in str(ALL[command].epilog).splitlines()[1:]]
    assert len(examples) == 2
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])
        assert " ".join(words).startswith(command)
        module, _, name = parse(parser, words[1:]).handler.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("command", ALL)
def test_help_says_defaults_in_one_way(command: str) -> None:
    text = " ".join(ALL[command].format_help().partition("examples:")[0].split())
    assert "%" not in text
    assert not re.search(r"; (all|none|as many|the benchmark's)|\[(all|\d+|the [a-z ]+)\]", text)


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "\n    tune        tune the hyperparameters of a one-shot optimizer\n" in capsys.readouterr().out
    assert main(["benchmark"]) == 0
    assert "usage: metaopt benchmark" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("metaopt 0.")


def test_a_cell_space_by_its_former_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(commands.build(), ["benchmark", "build", "digits", "--space", "2"]).cell_space == 2
    assert "--space is called --cell-space now" in capsys.readouterr().err
