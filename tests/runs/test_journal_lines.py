from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaopt.core.errors import JournalError
from metaopt.runs import journal_lines
from metaopt.runs.journal import read, read_header
from metaopt.runs.journal_lines import LineReader, decode, encode, has_line

HEADER = encode({"kind": "header", "format": 1})
# Some library that other tests load makes the processor take the smallest numbers for zero.
FLOATS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LINES = st.dictionaries(st.text(max_size=8).filter(lambda name: name != "crc"), JSON, min_size=1, max_size=5)


def signed(text: bytes) -> bytes:
    """Any bytes that end with a brace, as a line with the right checksum."""
    return text[:-1] + b',"crc":%d}' % zlib.crc32(text)


def all_of(path: Path) -> tuple[list[dict[str, Any]], str, int]:
    reader = LineReader(path)
    return [line for block in reader for line in block], reader.torn, reader.size


@given(LINES)
def test_a_line_is_decoded_to_what_was_encoded(line: dict[str, Any]) -> None:
    raw = encode(line)
    assert raw.isascii()
    assert raw.count(b"\n") == 1
    assert decode(raw[:-1]) == line


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        (b"", "not a JSON line"),
        (b"{", "not a JSON line"),
        (b"[1]", "a line without a checksum"),
        (b'{"kind":"end"}', "a line without a checksum"),
        (b'{"kind":"end","crc":1}', "its checksum does not fit"),
        (signed(b'{"kind":"end"}').replace(b'"crc":', b'"crc":0'), "not a JSON line"),
        (signed(b'{"kind":"end"}') + b" ", "its checksum does not fit"),
        (signed(b'{"kind":"end"}') + b"\r", "its checksum does not fit"),
        (signed(b'{"kind":"end"}').replace(b"end", b"\xff"), "not a JSON line"),
        (signed('{"kind":"ö"}'.encode()), "not a JSON line"),
        (signed(b'{"at_s":NaN}'), "NaN is no number"),
        (signed(b'{"at_s":-Infinity}'), "-Infinity is no number"),
        (signed(b'{"at_s":}'), "not a JSON line"),
        (signed(b'{"a":1},{"b":2}'), "not one JSON object"),
        (signed(b'{"a":%s}' % (b"9" * 5000)), "not a JSON line"),
        (signed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "not a JSON line"),
    ],
)
def test_what_is_no_line(raw: bytes, flaw: str) -> None:
    with pytest.raises(ValueError, match=flaw):
        decode(raw)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=12), cut=st.integers(0, 40), block=st.integers(1, 200))
def test_the_size_of_a_block_changes_nothing(tmp_path: Path, lines: list[dict[str, Any]], cut: int, block: int) -> None:
    raws = [HEADER, *map(encode, lines)]
    raw = b"".join(raws)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(raw[: max(len(HEADER), len(raw) - cut)])
    expected = all_of(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_lines, "_BLOCK", block)
        assert all_of(path) == expected
    assert expected[0] == [decode(line[:-1]) for line in raws][: len(expected[0])]
    assert len(expected[0]) == path.read_bytes().count(b"\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError):
        read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(lines=st.lists(st.one_of(LINES, JSON.map(lambda v: {"kind": "tell", "at_s": 1, "result": v}),
       JSON.map(lambda v: {"kind": "ask", "at_s": v, "trial": v}), JSON.map(lambda v: {"kind": "tick", "at_s": v}),
       JSON.map(lambda v: {"kind": "end", "at_s": 1, "reason": v})), min_size=1, max_size=3))  # fmt: skip
def test_right_lines_of_wrong_content_are_refused_or_plain(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(HEADER + b"".join(map(encode, lines)))
    try:
        recorded = read(path)
    except JournalError:
        return
    assert recorded.events == ()
    assert isinstance(recorded.end, str)
    assert isinstance(recorded.elapsed_s, (int, float))
    assert {line["kind"] for line in lines} <= {"tick", "end"}


FOREIGN: dict[str, tuple[bytes, str]] = {
    "csv": (
        b"trial,epochs,valid_error\n0,8,0.1\n",
        "has no header: line 1, byte 0, .* of another kind, which begins with b'trial,epochs,valid_e'",
    ),
    "html": (
        b"\n<!doctype html>\n<html></html>\n"[1:],
        "of a file of another kind, which begins with b'<!doctype html>",
    ),
    "indented html": (b"  <html>", "begins with b'  <html>'"),
    "utf-16": (HEADER.decode().encode("utf-16"), r"begins with b'\\xff\\xfe"),
    "bom": (b"\xef\xbb\xbf" + HEADER, r"begins with b'\\xef\\xbb\\xbf"),
    "crlf": (HEADER.replace(b"\n", b"\r\n") * 2, "has no header: line 1, byte 0, .* its checksum does not fit"),
    "gzip": (gzip.compress(HEADER), r"begins with b'\\x1f\\x8b"),
    "zip": (b"PK\x03\x04", "begins with b'PK"),
    "binary": (b"PAR1\0\0\0\n\0", "begins with b'PAR1"),
    "prose": (b"Dear reader,\n", "begins with b'Dear reader,"),
    "empty": (b"", "has no header: it is empty"),
    "blank": (b"\n", "has no header: line 1, byte 0, .* begins with b"),
    "json": (json.dumps({"kind": "header"}).encode(), "has no header: line 1, byte 0, .* it has no end of line"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_kinds(tmp_path: Path, name: str) -> None:
    content, message = FOREIGN[name]
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=message):
        read(path)


def test_a_byte_order_mark_or_another_line_end_in_between(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    line = encode({"kind": "tick", "at_s": 1.0})
    path.write_bytes(HEADER + line[:-1] + b"\r\n" + line)
    with pytest.raises(JournalError, match="damaged at line 2"):
        read(path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["directory", "pipe"])
@pytest.mark.timeout(120)
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "journal.jsonl"
    make(path)
    with pytest.raises(JournalError, match=r"no journal to read at .*: (it is not a file|Is a directory)"):
        read(path)
    assert not has_line(path)


@pytest.mark.parametrize("before", [b"", HEADER])
def test_a_line_without_an_end_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(journal_lines, "LONGEST", 10_000)
    monkeypatch.setattr(journal_lines, "_BLOCK", 1_000)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(before + b"{" * 100_000)
    with pytest.raises(JournalError, match=r"damaged at line \d, byte \d+: it is longer than 10000 bytes"):
        read(path)


def test_whether_there_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert not has_line(path)
    path.write_bytes(HEADER[:-1])
    assert not has_line(path)
    path.write_bytes(b" " * journal_lines._BLOCK + b"\n")
    assert has_line(path)


def test_a_damaged_header_with_lines_behind_it_is_no_half_written_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(HEADER[:15] + b"?" + HEADER[16:] + encode({"kind": "tick", "at_s": 1.0}))
    for reader in (read, read_header):
        with pytest.raises(JournalError, match="is damaged at line 1, byte 0"):
            reader(path)
