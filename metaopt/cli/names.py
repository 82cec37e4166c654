"""Names on the command line, checked before anything heavy is imported: a misspelt one is answered at once."""

from __future__ import annotations

from pathlib import Path

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.system_errors import explaining
from metaopt.core.yaml_file import read_yaml
from metaopt.oneshot import ONESHOT
from metaopt.runs.folder import RunFolder
from metaopt.spaces.file import space_file
from metaopt.tables.card import card_names
from metaopt.tuners import TUNERS

_STUDY = "study.yaml"


def run_folder(text: str) -> Path:
    """Returns the folder of a run.

    Raises:
        RunError: if there is none.
    """
    folder = RunFolder(Path(text))
    folder.check()
    return folder.path


def study_file(text: str) -> Path:
    """Returns the file of a study that is named by its folder, or by itself.

    Raises:
        ConfigError: if there is none.
    """
    given = Path(text)
    with explaining(f"cannot read {given}", kind=ConfigError):
        file = given / _STUDY if given.is_dir() else given
        if file.is_file():
            return file
    if file == given:
        raise ConfigError(f"no such file: {given}", "name the file of a study, or its folder")
    raise ConfigError(f"the folder {given} has no {_STUDY}", "name the file of the study")


def benchmark(text: str) -> str:
    """Returns the name of a benchmark.

    Raises:
        ConfigError: if the name is unknown; names the nearest one.
    """
    if text not in card_names():
        raise unknown_name("benchmark", text, card_names(), "see `metaopt benchmark list`")
    return text


def space(text: str) -> str:
    """Returns the name or file of a space.

    Raises:
        ConfigError: if there is none.
    """
    if not text.isdigit():  # a cell space, by the former meaning of the flag
        read_yaml(space_file(text))
    return text


def optimizer(text: str) -> str:
    """Returns the name of a one-shot optimizer.

    Raises:
        ConfigError: if the name is unknown; names the nearest one.
    """
    if text not in ONESHOT:
        raise unknown_name("one-shot optimizer", text, ONESHOT, "see `metaopt optimizer list`")
    return text


def tuner(text: str) -> str:
    """Returns the name of a tuner.

    Raises:
        ConfigError: if the name is unknown; names the nearest one.
    """
    if text not in TUNERS:
        raise unknown_name("tuner", text, TUNERS, "see `metaopt tuner list`")
    return text
