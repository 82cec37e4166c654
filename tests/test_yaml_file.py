from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.errors import ConfigError
from metaopt.yaml_file import read_yaml


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


def test_plain_values(tmp_path: Path) -> None:
    text = "a: 1\nb: [1.0e-3, true, x]\nc: {d: null}\ne: '1e-3'\n"
    assert read(tmp_path, text) == {"a": 1, "b": [1e-3, True, "x"], "c": {"d": None}, "e": "1e-3"}


def test_empty_file_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing\n") is None


@pytest.mark.parametrize(
    ("written", "advised"),
    [("1e-3", "1.0e-3"), ("5E3", "5.0e+3"), ("-1e5", "-1.0e+5"), ("1.5e3", "1.5e+3"), (".5e1", ".5e+1")],
)
def test_number_that_yaml_takes_for_text(tmp_path: Path, written: str, advised: str) -> None:
    with pytest.raises(ConfigError, match="line 2, column 8: YAML reads") as caught:
        read(tmp_path, f"a: 1\nlower: {written}\n")
    assert f"write {advised}," in caught.value.hint
    assert read(tmp_path, f"x: {advised.replace('-.', '-0.')}\n") == {"x": float(written)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' stands twice"),
        ("a: [1, 2\n", "line 2, column 1: expected ',' or ']'"),
        ("a:\n\t- b\n", r"line 2, column 1: found character '\\t'"),
        ("a: *b\n", "line 1, column 4: found undefined alias"),
        ("? [1]\n: 2\n", "line 1, column 3: a key must be one word or number"),
        ("a: !!python/name:os.system\n", "line 1, column 4: could not determine a constructor"),
        ("a: \x00\n", "is not YAML"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"cannot read .*: Is a directory"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text: byte 3"):
        read_yaml(tmp_path / "latin.yaml")
