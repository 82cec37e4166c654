from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import JournalError
from metaopt.core.records import RecordError
from metaopt.report.data.load import load_run
from metaopt.runs.header import Hyperparameter, RunHeader
from metaopt.runs.journal import read, read_header
from metaopt.runs.journal_lines import encode
from metaopt.settings.run import BaselineSettings, TuneSettings
from metaopt.studies.archive import ARCHIVE, journals

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
LOOSE = sorted(REFERENCE.rglob("journal.jsonl"))
PACKED = sorted(path.parent for path in REFERENCE.rglob(ARCHIVE))


@pytest.fixture(scope="module")
def header() -> dict[str, Any]:
    """Of a real run of an earlier version."""
    return dict(read_header(REFERENCE / "darts-digits1-bohb" / "journal.jsonl"))


def changed(header: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    header = copy.deepcopy(header)
    inner: Any = header
    *way, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return header


def test_a_header_says_what_run_it_is(header: dict[str, Any]) -> None:
    record = RunHeader.of(header)
    assert isinstance(record.config, TuneSettings)
    assert (record.config.optimizer, record.config.tuner) == ("darts", "bohb")
    assert [one.name for one in record.hyperparameters] == [one["name"] for one in header["space"]["hyperparameters"]]
    assert record.default == header["default"]
    assert record.objective == header["objective"]
    assert record.space is header["space"]


def test_what_is_lacking_stands_for_nothing() -> None:
    for header in ({}, {"run": None, "space": None, "default": None, "objective": None, "started": None}):
        record = RunHeader.of(header)
        assert (record.settings, record.hyperparameters, record.default, record.objective) == ({}, (), None, {})
        with pytest.raises(RecordError, match="no settings"):
            _ = record.config
        with pytest.raises(RecordError, match="no space"):
            _ = record.space
    assert isinstance(RunHeader.of({"run": {"tuner": "random"}}).config, BaselineSettings)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("run", 5, "run is 5; allowed: a mapping"),
        ("run.seed", "1", "run.seed is '1'; allowed: a whole number"),
        ("run.seed", -1, "run.seed is -1; allowed: 0 or more"),
        ("run.seed", 2**63, "run.seed is 9223372036854775808; allowed: a whole number from"),
        ("run.budget", True, "run.budget is True; allowed: a whole number or nothing"),
        ("run.tuner", None, "run.tuner is None; allowed: text"),
        ("run.tuner_options", "eta=3", "run.tuner_options is 'eta=3'; allowed: a mapping"),
        ("run.time_limit_s", [1], r"run.time_limit_s is \[1\]; allowed: a number or nothing"),
        ("run.hyperparameters", {"a": 1}, "run.hyperparameters is {'a': 1}; allowed: text or nothing"),
        ("space", 1.5, "space is 1.5; allowed: a mapping"),
        ("space", [], "space is"),
        ("space.hyperparameters", None, "space.hyperparameters is None; allowed: a list"),
        ("space.hyperparameters.0", 7, r"space.hyperparameters\[0\] is 7; allowed: a mapping"),
        ("space.hyperparameters.0.name", ..., r"space.hyperparameters\[0\].name is None; allowed: text"),
        ("space.hyperparameters.0.name", "\x1b[2J", r"space.hyperparameters\[0\].name is .*without control characters"),
        ("space.hyperparameters.0.lower", "x", r"space.hyperparameters\[0\].lower is 'x'; allowed: a number from"),
        (
            "space.hyperparameters.0.upper",
            1e308,
            r"space.hyperparameters\[0\].upper is 1e\+308; allowed: a number from",
        ),
        ("space.hyperparameters.0.lower", ..., r"space.hyperparameters\[0\].lower is None"),
        (
            "space.hyperparameters.0.lower",
            1e6,
            r"space.hyperparameters\[0\].upper is .*; allowed: a number above lower",
        ),
        (
            "space.hyperparameters.0.lower",
            0,
            r"space.hyperparameters\[0\].lower is 0.0; allowed: a number above 0, as it is",
        ),
        ("space.hyperparameters.0.log", "yes", r"space.hyperparameters\[0\].log is 'yes'; allowed: true or false"),
        ("space.hyperparameters.0.default_value", "a", r"space.hyperparameters\[0\].default_value is 'a'"),
        ("space.hyperparameters.0.choices", 5, r"space.hyperparameters\[0\].choices is 5; allowed: a list"),
        ("space.hyperparameters.0.choices", [None], r"space.hyperparameters\[0\].choices is \[None\]; allowed: a list"),
        ("default", [1], r"default is \[1\]; allowed: a mapping"),
        ("default.momentum", {"a": 1}, "default.momentum is {'a': 1}; allowed: a finite number"),
        ("default.momentum", "\ud800", "default.momentum is"),
        ("objective", "x", "objective is 'x'; allowed: a mapping"),
        ("objective.optimum_valid_error", "low", "objective.optimum_valid_error is 'low'; allowed: a number in"),
        ("objective.optimum_test_error", -1, "objective.optimum_test_error is -1"),
        ("objective.table", 3, "objective.table is 3; allowed: a mapping"),
        ("objective.table.cells", "many", "objective.table.cells is 'many'; allowed: a whole number"),
        ("objective.table.epochs", 4, "objective.table.epochs is 4; allowed: a list"),
        ("objective.table.epochs", [None], r"objective.table.epochs is \[None\]; allowed: a list of whole numbers"),
        ("versions", [], r"versions is \[\]; allowed: a mapping"),
        ("host", "here", "host is 'here'; allowed: a mapping"),
        ("started", 5, "started is 5; allowed: a time"),
        ("started", "yesterday", "started is 'yesterday'; allowed: a time as in ISO 8601"),
        ("started", "9999-12-31T00:00:00", "started is .*; allowed: .*of the years 1970 to 5000"),
        ("command", 5, "command is 5; allowed: text, or a list of texts"),
        ("command", ["metaopt", None], r"command\[1\] is None; allowed: text"),
        ("confirms", 5, "confirms is 5; allowed: text"),
        ("further", float("nan"), "the header.further is nan"),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(
    header: dict[str, Any], tmp_path: Path, place: str, value: Any, message: str
) -> None:
    other = changed(header, place, value)
    with pytest.raises(RecordError, match=message):
        RunHeader.of(other)
    if value == value:  # a journal cannot hold what is no number
        (tmp_path / "journal.jsonl").write_bytes(encode(other))
        for reader in (read, read_header, lambda path: load_run(path.parent)):
            with pytest.raises(JournalError, match=rf"journal.jsonl, its line 1: {message}"):
                reader(tmp_path / "journal.jsonl")


def test_what_nests_too_deep_is_refused(header: dict[str, Any]) -> None:
    value: Any = []
    for _ in range(100):
        value = [value]
    for place in ("objective.scale", "run.unknown_setting", "host.more", "space.conditions", "further"):
        with pytest.raises(RecordError, match="at most 20 deep"):
            RunHeader.of(changed(header, place, value))


def test_two_of_one_name_are_refused(header: dict[str, Any]) -> None:
    other = changed(header, "space.hyperparameters.0.name", header["space"]["hyperparameters"][1]["name"])
    with pytest.raises(RecordError, match="one name"):
        RunHeader.of(other)


def test_settings_of_a_later_version_are_plain_values(header: dict[str, Any]) -> None:
    assert RunHeader.of(changed(header, "run.colour", ["red", {"a": 1}])).settings["colour"] == ["red", {"a": 1}]


def test_where_a_value_has_its_place() -> None:
    rate, size = Hyperparameter("rate", 0.1, 10.0, log=True), Hyperparameter("size", 1, 9, whole=True)
    choice = Hyperparameter("choice", choices=("a", 0, 0.5))
    assert (rate.takes(0.1), rate.takes(10.000000000001), rate.takes(1)) == (True, True, True)
    assert not any(map(rate.takes, (0.05, 11, -1.0, "a", True)))
    assert (size.takes(9), size.takes(9.0), size.takes(True)) == (True, False, False)
    assert (choice.takes("a"), choice.takes(0.0), choice.takes("b")) == (True, True, False)
    assert (rate.position(1.0), choice.position("a")) == (pytest.approx(0.5), pytest.approx(1 / 6))


@pytest.mark.parametrize("path", LOOSE, ids=lambda path: str(path.parent.relative_to(REFERENCE)))
def test_every_journal_that_was_ever_kept_is_read(path: Path) -> None:
    header = read_header(path)
    record = RunHeader.of(header)
    assert record.content == header
    assert record.config.to_json() | dict(record.settings) == record.config.to_json()


@pytest.mark.slow
@pytest.mark.parametrize("folder", PACKED, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_every_packed_journal_is_read(folder: Path) -> None:
    with journals(folder) as place:
        paths = sorted(place.rglob("journal.jsonl"))
        assert paths
        for path in paths:
            assert RunHeader.of(read_header(path)).hyperparameters
        for path in paths[::40]:
            assert read(path).trials
        for path in [path for path in paths if path.parent.name != "confirm"][::80]:
            assert load_run(path.parent).evaluations
