from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from metaopt.core.errors import ConfigError
from metaopt.core.yaml_file import read_yaml


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
    [
        ("1e-3", "1.0e-3"),
        ("5E3", "5.0e+3"),
        ("-1e5", "-1.0e+5"),
        ("1.5e3", "1.5e+3"),
        (".5e1", "0.5e+1"),
        ("-.5", "-0.5"),
        ("1.e3", "1.0e+3"),
    ],
)
def test_number_that_yaml_takes_for_text(tmp_path: Path, written: str, advised: str) -> None:
    with pytest.raises(ConfigError, match="line 2, column 8: YAML reads") as caught:
        read(tmp_path, f"a: 1\nlower: {written}\n")
    assert f"write {advised}," in caught.value.hint
    assert read(tmp_path, f"x: {advised}\n") == {"x": float(written)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' stands twice"),
        ("a: [1, 2\n", "line 2, column 1: expected ',' or ']'"),
        ("a:\n\t- b\n", r"line 2, column 1: found character '\\t'"),
        ("a: *b\n", "line 1, column 4: found undefined alias"),
        ("? [1]\n: 2\n", "line 1, column 3: a key must be one word or number"),
        (
            "a: !!python/name:os.system\n",
            "line 1, column 4: the tag 'tag:yaml.org,2002:python/name:os.system' is not taken",
        ),
        ("a: \x00\n", "is not YAML"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


PLAIN = {
    "0": 0, "-3": -3, "+5": 5, "1.5": 1.5, ".5": 0.5, "5.": 5.0, "1.0e-13": 1e-13, "-2.5E+2": -250.0,
    "true": True, "FALSE": False, "null": None, "": None, "y": "y", "x": "x", "1.2.3": "1.2.3", "04:00:00": "04:00:00",
    "'010'": "010", '"no"': "no", "~/data": "~/data", "1,5": "1,5", "e3": "e3", "0.0": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("written", PLAIN)
def test_what_looks_like_its_value_is_taken(tmp_path: Path, written: str) -> None:
    value = read(tmp_path, f"x: {written}\n")["x"]  # type: ignore[index]
    assert (value, type(value)) == (PLAIN[written], type(PLAIN[written]))


@pytest.mark.parametrize(
    ("written", "problem", "advice"),
    [
        ("010", "YAML reads 010 as 8", "write the number that is meant"),
        ("-017", "YAML reads -017 as -15", "the number"),
        ("00", "YAML reads 00 as 0", "the number"),
        ("1:30", "YAML reads 1:30 as 90", "in quotes"),
        ("14:00:00", "YAML reads 14:00:00 as 50400", "in quotes"),
        ("1:30.5", "YAML reads 1:30.5 as 90.5", "in quotes"),
        ("1_0", "YAML reads 1_0 as 10", "the number"),
        ("1_0.5", "YAML reads 1_0.5 as 10.5", "the number"),
        ("01.5", "YAML reads 01.5 as 1.5", "the number"),
        ("0x1F", "YAML reads 0x1F as 31", "the number"),
        ("0b1", "YAML reads 0b1 as 1", "the number"),
        ("0o10", "YAML reads 0o10 as text", "the number"),
        ("08", "YAML reads 08 as text", "the number"),
        ("0x_", "0x_ is no number", "another one"),
        (".inf", "is no number", "another one"),
        (".nan", "is no number", "another one"),
        ("yes", "YAML reads yes as true", "write true, or put it in quotes"),
        ("Off", "YAML reads Off as false", "write false, or put it in quotes"),
        ("~", "YAML reads ~ as nothing", "write null"),
        ("2020-01-01", "YAML reads 2020-01-01 as a date", "in quotes"),
        ("2020-13-45", "YAML reads 2020-13-45 as a date", "in quotes"),
        ("=", "YAML has a meaning of its own for =", "write out"),
        ("!!int abc", "the tag 'tag:yaml.org,2002:int' is not taken", "the value itself"),
        ("! 010", "the tag '!' is not taken", "the value itself"),
        ("!x 1", "the tag '!x' is not taken", "the value itself"),
        ("1.0e+999", "too large for a number", "another"),
        ("1.0e-999", "too small for a number", "another"),
        ("9" * 5000, "a number of 5000 digits", "at most 100"),
        ("0x" + "f" * 5000, "is no number that can be used", "another"),
        ("1:" * 3000 + "1", "is no number that can be used", "another"),
        ("&a [*a]", "'a' would hold itself", "the value itself"),
        ("&a {b: *a}", "'a' would hold itself", "the value itself"),
        ("[&a 1, &a 2]", "the anchor 'a' stands twice", "rename"),
    ],
)
def test_what_yaml_takes_for_something_else_is_refused(tmp_path: Path, written: str, problem: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"# a comment\nx: {written}\n")
    assert "file.yaml, line 2, column " in caught.value.message
    assert problem in caught.value.message
    assert advice in caught.value.hint
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("key", ["010", "yes", "<<", "~", "null", "2020-01-01"])
def test_keys_are_what_they_look_like_too(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="line 1, column 1: "):
        read(tmp_path, f"{key}: 1\n")


def test_keys_that_are_equal_stand_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 2, column 1: the key 1\.0 stands twice"):
        read(tmp_path, "1: a\n1.0: b\n")


def test_aliases_repeat_a_value(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x [1, {b: 2}]\nc: *x\nd: &y 3\ne: *y\n") == {
        "a": [1, {"b": 2}],
        "c": [1, {"b": 2}],
        "d": 3,
        "e": 3,
    }


def test_aliases_of_aliases_do_not_grow_for_ever(tmp_path: Path) -> None:
    lines = ["- &a0 [l, l, l, l, l, l, l, l, l]"]
    lines += [f"- &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(ConfigError, match=r"line 6, .*more than 100000 values up to here, aliases counted"):
        read(tmp_path, "\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000 + "x"])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"line 1, .*: it is nested deeper than 50 levels"):
        read(tmp_path, text)


def test_a_file_holds_one_document_of_a_megabyte(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2, column 1: a second document begins here"):
        read(tmp_path, "a: 1\n---\nb: 2\n")
    with pytest.raises(ConfigError, match="is larger than 1048576 bytes"):
        read(tmp_path, "#" * 2**20 + "\n")


def test_a_long_text_in_an_error_is_cut(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found undefined alias") as caught:
        read(tmp_path, f"a: *{'b' * 100_000}\n")
    assert len(str(caught.value)) < 1000


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"cannot read .*: Is a directory"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text: byte 3"):
        read_yaml(tmp_path / "latin.yaml")


def test_a_pipe_that_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_yaml(tmp_path / "pipe") is None


def test_what_a_shell_pipes_in_is_read() -> None:
    code = "import sys, pathlib, metaopt.core.yaml_file as y; print(y.read_yaml(pathlib.Path(sys.argv[1])))"
    script = 'exec "$0" -c "$1" <(sleep 0.1; echo "a: 1")'
    said = subprocess.run(["bash", "-c", script, sys.executable, code], capture_output=True, text=True, check=True)
    assert said.stdout == "{'a': 1}\n"
