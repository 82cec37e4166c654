from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest

from metaopt.core.errors import JournalError
from metaopt.core.trial import Result, Trial
from metaopt.runs.journal import (
    Event,
    JournalRecord,
    JournalWriter,
    Story,
    decode,
    encode,
    read,
    read_header,
    without_clock,
)


def trial(number: int, epochs: int = 3) -> Trial:
    return Trial(number, number, {"lr": 0.1, "J*": "ö\n"}, epochs, seed=number, memo={"rung": 0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of a header, three asks and two tells."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.header({"run": {"seed": 1}})
    writer.ask(0.0, trial(0))
    writer.ask(0.5, trial(1))
    writer.tell(1.25, Result(0, "ok", 0.25, 0.5))
    writer.ask(1.5, trial(2))
    writer.tell(2.0, Result(2, "crashed", reason="why"))
    writer.close()
    return path


def line_ends(raw: bytes) -> list[int]:
    return [n + 1 for n, byte in enumerate(raw) if byte == 0x0A]


def test_what_was_written_is_read(path: Path) -> None:
    recorded = read(path)
    assert recorded.header["run"] == {"seed": 1}
    assert recorded.trials == [trial(0), trial(1), trial(2)]
    assert recorded.results == {0: Result(0, "ok", 0.25, 0.5), 2: Result(2, "crashed", reason="why")}
    assert [event.at_s for event in recorded.events] == [0.0, 0.5, 1.25, 1.5, 2.0]
    assert (recorded.elapsed_s, recorded.torn, recorded.end) == (2.0, "", "")
    assert recorded.size == path.stat().st_size


def test_a_story_is_what_is_read_one_after_the_other(path: Path) -> None:
    story, recorded = Story(path), read(path)
    assert tuple(story) == recorded.events
    for name in ("header", "torn", "size", "end", "ticked_s", "elapsed_s"):
        assert getattr(story, name) == getattr(recorded, name), name


def test_the_header_is_read_whatever_follows(path: Path) -> None:
    header = read(path).header
    path.write_bytes(path.read_bytes().replace(b"tell", b"told"))
    assert read_header(path) == header
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(JournalError, match="no header"):
        read_header(path)
    path.write_bytes(encode({"kind": "header", "format": 99}))
    with pytest.raises(JournalError, match="not a journal of format 1"):
        read_header(path)


def test_a_journal_cut_anywhere_loses_its_last_line_at_most(path: Path) -> None:
    raw = path.read_bytes()
    whole, ends = read(path), line_ends(raw)
    for cut in range(len(raw)):
        path.write_bytes(raw[:cut])
        if cut < ends[0]:
            with pytest.raises(JournalError, match="no header"):
                read(path)
            continue
        recorded = read(path)
        kept = sum(end <= cut for end in ends)
        assert recorded.events == whole.events[: kept - 1]
        assert recorded.size == ends[kept - 1]
        assert bool(recorded.torn) == (cut not in ends)


def test_a_cut_journal_goes_on_at_its_last_whole_line(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:-7])
    writer = JournalWriter(path, read(path))
    writer.tell(2.0, Result(2, "crashed", reason="why"))
    writer.close()
    assert path.read_bytes() == raw


def test_any_flipped_bit_of_the_last_line_costs_that_line_at_most(path: Path) -> None:
    raw = path.read_bytes()
    whole, start = read(path), line_ends(raw)[-2]
    for byte in range(start, len(raw)):
        for bit in range(8):
            path.write_bytes(raw[:byte] + bytes([raw[byte] ^ 1 << bit]) + raw[byte + 1 :])
            recorded = read(path)
            assert recorded.events == whole.events[:-1]
            assert recorded.size == start
            assert recorded.torn


def test_any_flipped_bit_elsewhere_is_refused_with_its_line(path: Path) -> None:
    raw = path.read_bytes()
    ends = line_ends(raw)
    for byte in range(ends[-2]):
        line = 1 + sum(end <= byte for end in ends)
        for bit in range(8):
            path.write_bytes(raw[:byte] + bytes([raw[byte] ^ 1 << bit]) + raw[byte + 1 :])
            with pytest.raises(JournalError, match=rf"damaged at line {line}, byte \d+"):
                read(path)


def test_a_lost_line_in_the_middle_is_not_a_torn_one(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2][:20], *lines[3:]]))
    with pytest.raises(JournalError, match="damaged at line 3"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (encode({"kind": "ask", "at_s": 0.0}), "not a journal of format 1"),
        (encode({"kind": "header", "format": 2}), "format 2"),
        (encode({"kind": "header", "format": 1}) + encode({"kind": "tale"}), "line 2 .* neither an ask nor a tell"),
        (encode({"kind": "header", "format": 1}) + encode({"kind": "ask", "at_s": 0}), "neither an ask nor a tell"),
    ],
)
def test_what_is_not_a_journal_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=message):
        read(path)


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal to read"):
        read(tmp_path / "journal.jsonl")


def test_an_existing_journal_is_not_overwritten(path: Path) -> None:
    with pytest.raises(JournalError, match="File exists"):
        JournalWriter(path)


def test_the_end(path: Path) -> None:
    writer = JournalWriter(path, read(path))
    writer.end(3.0, "enough")
    writer.close()
    recorded = read(path)
    assert recorded.end == "enough"
    assert len(recorded.events) == 5


@pytest.mark.parametrize("short", [False, True])
def test_a_full_disk_is_said_and_costs_the_line_only(path: Path, monkeypatch: pytest.MonkeyPatch, short: bool) -> None:
    whole = read(path)
    writer = JournalWriter(path, whole)
    disk = writer._file

    class Full:
        name = disk.name

        def write(self, data: bytes) -> int:
            if short:
                return int(disk.write(data[:10]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "_file", Full())
    with pytest.raises(JournalError, match="No space left on device"):
        writer.ask(3.0, trial(3))
    disk.close()
    assert read(path).events == whole.events
    assert bool(read(path).torn) == short


def test_nothing_that_is_not_a_number_gets_in(path: Path) -> None:
    writer = JournalWriter(path, read(path))
    with pytest.raises(JournalError, match="not JSON compliant"):
        writer.tell(3.0, Result(1, "ok", float("nan")))
    with pytest.raises(JournalError, match="at_s is nan"):
        writer.tell(float("nan"), Result(1, "ok", 0.5))
    writer.close()
    assert len(read(path).events) == 5


def recorded_of(*scores: tuple[int, float | None]) -> JournalRecord:
    trials = [trial(n, epochs) for n, (epochs, _) in enumerate(scores)]
    results = [Result(n, "crashed" if error is None else "ok", error) for n, (_, error) in enumerate(scores)]
    from_pairs = [event for pair in zip(trials, results, strict=True) for event in pair]
    return JournalRecord({}, tuple(map(_event, from_pairs)), "", 0)


def _event(record: Trial | Result) -> Event:
    return Event(0.0, record)


def test_the_incumbent_has_the_most_epochs_and_then_the_lowest_error() -> None:
    assert recorded_of().incumbent is None
    assert recorded_of((9, None)).incumbent is None
    recorded = recorded_of((3, 0.1), (9, 0.3), (9, 0.2), (27, None), (9, 0.2))
    assert recorded.incumbent is not None
    assert recorded.incumbent.id == 2


def test_without_clock() -> None:
    line = {"at_s": 1, "result": {"cost_s": 2, "info": [{"cost_s": 3, "x": 4}]}, "crc": 5}
    assert without_clock(line) == {"result": {"info": [{"x": 4}]}}


def test_decode_refuses_another_encoding_of_the_same_line() -> None:
    raw = encode({"kind": "end"})[:-1]
    assert decode(raw) == {"kind": "end"}
    with pytest.raises(ValueError, match="checksum does not fit"):
        decode(raw.replace(b":", b": "))


def test_ticks_keep_the_time_and_are_no_events(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = JournalWriter(path)
    journal.header({})
    journal.tick(2.0)
    journal.tick(4.5)
    journal.close()
    recorded = read(path)
    assert recorded.elapsed_s == 4.5
    assert recorded.events == ()


def test_no_secret_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.header({"run": {"scheduler": "tls://ann:s3cret@host", "password": "s3cret"}, "command": ["x://s3cret@y"]})
    writer.ask(0.0, trial(0))
    writer.tell(1.0, Result(0, "crashed", reason="OSError: cannot open https://ann:s3cret@host/x"))
    writer.close()
    assert b"s3cret" not in path.read_bytes()
    assert read(path).results[0].reason == "OSError: cannot open https://***@host/x"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (trial(2), "asks for trial 2, and the next one is trial 3"),
        (trial(4), "asks for trial 4"),
        (Trial(3, 3, {"lr": float("nan")}, 3, 1), "not JSON compliant"),
        (Trial(3, 3, {"lr": "\x1b"}, 3, 1), "config.lr is"),
        (Trial(3, 2**63, {}, 3, 1), "key is 9223372036854775808"),
        (Result(0, "ok", 0.5), "tells of trial 0, which waits for no result"),
        (Result(9, "ok", 0.5), "tells of trial 9"),
        (Result(1, "weird"), "status is 'weird'"),  # type: ignore[arg-type]
        (Result(1, "ok", 0.5, cost_s=-1.0), "cost_s is -1.0"),
        (Result(1, "ok", 0.5, info={"cell": 3}), "info.cell is 3"),
    ],
)
def test_what_could_not_be_read_is_not_written(path: Path, record: Trial | Result, message: str) -> None:
    before = path.read_bytes()
    with contextlib.closing(JournalWriter(path, read(path))) as writer:
        with pytest.raises(JournalError, match=message):
            writer.ask(3.0, record) if isinstance(record, Trial) else writer.tell(3.0, record)
        assert path.read_bytes() == before
        writer.tell(3.0, Result(1, "ok", 0.5))
    assert read(path).results[1].valid_error == 0.5


def test_what_an_older_version_wrote_is_harmless_when_it_is_read(path: Path) -> None:
    line = {"kind": "tell", "at_s": 3, "result": {"trial_id": 1, "status": "crashed", "reason": "\x1b[31m\nred\udc80"}}
    path.write_bytes(path.read_bytes() + encode(line) + encode({"kind": "end", "at_s": 4, "reason": "\x9b" * 5000}))
    assert read(path).results[1].reason == "\\x1b[31m red\\udc80"
    assert read(path).end.isprintable()
    assert len(read(path).end) <= 2000


def test_an_extension_is_stated_by_the_header_and_takes_the_end_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with contextlib.closing(JournalWriter(path)) as journal:
        journal.header({"run": {"budget": 3, "tuner": "random"}})
        journal.end(1.0, "used up")
        journal.extend(1.0, {"budget": 9})
    recorded = read(path)
    assert (recorded.end, recorded.record.settings) == ("", {"budget": 9, "tuner": "random"})
    assert read_header(path)["run"] == {"budget": 3, "tuner": "random"}


@pytest.mark.parametrize("settings", [{"seed": 3}, {"budget": "many"}, {"budget": 0}, 3, None])
def test_what_cannot_be_extended_is_refused(tmp_path: Path, settings: object) -> None:
    path = tmp_path / "journal.jsonl"
    with contextlib.closing(JournalWriter(path)) as journal:
        journal.header({"run": {"budget": 3}})
    path.write_bytes(path.read_bytes() + encode({"kind": "extend", "at_s": 0.0, "settings": settings}))
    with pytest.raises(JournalError, match="line 2 of the journal"):
        read(path)
