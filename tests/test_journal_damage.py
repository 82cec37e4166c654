"""A journal that a real run wrote, damaged in every way that one cut or one bit can damage it, and then some."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaopt.cli import main
from metaopt.core.errors import JournalError
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalRecord, decode, read, without_clock


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run on the table's clock, by seconds, so that its journal has every kind of line."""
    folder = RunFolder(tmp_path_factory.mktemp("real") / "run")
    flags = ["--tuner", "random", "--budget-seconds", "2.2", "--folder", str(folder.path), "--no-report"]
    assert main(["baseline", *flags]) == 0
    kinds = [decode(line)["kind"] for line in folder.journal.read_bytes().splitlines()]
    assert set(kinds) == {"header", "ask", "tell", "tick", "end"}
    return folder


@pytest.fixture(scope="module")
def raw(run: RunFolder) -> bytes:
    return run.journal.read_bytes()


@pytest.fixture(scope="module")
def whole(run: RunFolder) -> JournalRecord:
    return run.read()


def ends_of(raw: bytes) -> list[int]:
    return [found.end() for found in re.finditer(b"\n", raw)]


def up_to(whole: JournalRecord, raw: bytes, lines: int) -> tuple[object, ...]:
    """What the first so many lines say: events, end, size."""
    kinds = [decode(line)["kind"] for line in raw.splitlines()[:lines]]
    events = sum(kind in ("ask", "tell") for kind in kinds)
    return whole.events[:events], whole.end if "end" in kinds else "", ends_of(raw)[lines - 1]


@pytest.mark.slow
def test_a_cut_at_every_byte(tmp_path: Path, raw: bytes, whole: JournalRecord) -> None:
    path, ends = tmp_path / "journal.jsonl", ends_of(raw)
    for cut in range(len(raw) + 1):
        path.write_bytes(raw[:cut])
        kept = sum(end <= cut for end in ends)
        if not kept:
            with pytest.raises(JournalError, match=r"has no header: (it is empty|line 1, byte 0, was half-written)"):
                read(path)
            continue
        got = read(path)
        assert (got.events, got.end, got.size) == up_to(whole, raw, kept)
        assert got.header == whole.header
        expected = "" if cut == ends[kept - 1] else f"line {kept + 1}, byte {ends[kept - 1]}, was half-written"
        assert got.torn.startswith(expected)
        assert bool(got.torn) == bool(expected)


@pytest.mark.slow
def test_every_flipped_bit(tmp_path: Path, raw: bytes, whole: JournalRecord) -> None:
    path, ends = tmp_path / "journal.jsonl", ends_of(raw)
    path.write_bytes(raw)
    without_last = up_to(whole, raw, len(ends) - 1)
    with open(path, "r+b", buffering=0) as file:
        for byte, value in enumerate(raw):
            line = 1 + sum(end <= byte for end in ends)
            for bit in range(8):
                file.seek(byte)
                file.write(bytes([value ^ 1 << bit]))
                if line < len(ends):
                    with pytest.raises(JournalError, match=rf"damaged at line {line}, byte {([0, *ends])[line - 1]}:"):
                        read(path)
                else:
                    got = read(path)
                    assert (got.events, got.end, got.size) == without_last
                    assert got.torn.startswith(f"line {line}, byte {ends[-2]}, was half-written and is left out")
            file.seek(byte)
            file.write(bytes([value]))
    assert read(path) == whole


def test_a_driver_goes_on_wherever_it_was_cut(tmp_path: Path, run: RunFolder, raw: bytes, whole: JournalRecord) -> None:
    ends = ends_of(raw)
    cuts = sorted({end + step for end in (ends[0], ends[3], ends[-3], ends[-1]) for step in (-1, 0, 30)})
    for cut in [cut for cut in cuts if cut <= len(raw)]:
        again = RunFolder(tmp_path / f"cut-{cut}")
        again.path.mkdir()
        again.journal.write_bytes(raw[:cut])
        code = main(["resume", str(again.path), "--no-report"])
        assert code == (2 if cut < ends[0] else 0)
        if code == 0:
            done = again.read()
            assert (done.torn, done.end) == ("", whole.end)
            expected, got = ([without_clock(e.record.to_json()) for e in of.events] for of in (whole, done))
            assert got == expected
            shutil.rmtree(again.path)


def test_a_line_that_is_lost_or_stands_twice_is_refused(tmp_path: Path, raw: bytes) -> None:
    path, lines = tmp_path / "journal.jsonl", raw.splitlines(keepends=True)
    for n, line in enumerate(lines[:-1]):
        kind = decode(line[:-1])["kind"]
        if kind != "tick":  # says nothing that later lines do not
            if n == 0:
                path.write_bytes(b"".join(lines[1:]))
                with pytest.raises(JournalError, match="not a journal of format 1"):
                    read(path)
            elif n < len(lines) - 2:  # one that nobody answers was in flight
                path.write_bytes(b"".join(lines[:n] + lines[n + 1 :]))
                if kind == "ask":
                    with pytest.raises(JournalError, match=r"line \d+ .* neither an ask nor a tell that fits here"):
                        read(path)
            path.write_bytes(b"".join([*lines[: n + 1], line, *lines[n + 1 :]]))
            with pytest.raises(JournalError, match=rf"line {n + 2} .* neither an ask nor a tell that fits here"):
                read(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edit_is_refused_or_costs_the_end(
    tmp_path: Path, raw: bytes, whole: JournalRecord, data: st.DataObject
) -> None:
    """Bytes replaced by others: what is read is a beginning of what was written, up to ticks, or nothing is."""
    at = data.draw(st.integers(0, len(raw)))
    gone = data.draw(st.integers(0, 400))
    new = data.draw(
        st.one_of(st.binary(max_size=60), st.sampled_from([b"\n", b"\r\n", b"}", b"\xef\xbb\xbf", b"\0" * 50]))
    )
    path = tmp_path / "journal.jsonl"
    path.write_bytes(raw[:at] + new + raw[at + gone :])
    try:
        got = read(path)
    except JournalError:
        return
    assert got.header == whole.header
    told = {id(event): event for event in got.events}
    assert all(event in whole.events for event in told.values())
    assert [trial.id for trial in got.trials] == list(range(len(got.trials)))
