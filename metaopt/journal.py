"""The journal of a run: append-only JSON lines, one header, then asks and tells. It is the only state of a run.

Every line carries the CRC-32 of its other content. Only the last line can be half-written, by a kill or a full disk:
it is cut off and named. Damage anywhere else is refused with its position, because what follows cannot be trusted.
A last line of kind ``end`` says that the run came to its end, and why. Lines of kind ``tick`` say the time between
events, where a budget of seconds must survive a kill.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.errors import JournalError
from metaopt.trial import Result, Trial

FORMAT = 1

#: Fields that differ between two equal runs: clocks, and who ran when.
CLOCK_FIELDS = frozenset({"at_s", "cost_s", "cpu_s", "started", "host", "command", "crc"})

# The border of two records, whatever became of the end of line between them.
_NEXT_RECORD = re.compile(rb'\}.\{"kind":"(ask|tell|end|tick)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Event:
    """One ask or tell.

    Attributes:
        at_s: Seconds of the run so far, time in which no driver ran left out.
        record: A trial for an ask, a result for a tell.
    """

    at_s: float
    record: Trial | Result


@dataclass(frozen=True, slots=True)
class Recorded:
    """The content of a journal.

    Attributes:
        header: The resolved settings of the run, its space, its objective, versions and host.
        events: Asks and tells in their order.
        torn: What was wrong with a half-written last line, which is left out; empty if it was whole.
        size: Bytes up to the end of the last whole line.
        end: Why the run came to its end; empty if it did not yet.
        ticked_s: Seconds of the run at its last tick.
    """

    header: Mapping[str, Any]
    events: tuple[Event, ...]
    torn: str
    size: int
    end: str = ""
    ticked_s: float = 0.0

    @property
    def trials(self) -> list[Trial]:
        """All trials asked for, by ascending id."""
        return [e.record for e in self.events if isinstance(e.record, Trial)]

    @property
    def results(self) -> dict[int, Result]:
        """All results by the id of their trial, in the order they came in."""
        return {e.record.trial_id: e.record for e in self.events if isinstance(e.record, Result)}

    @property
    def elapsed_s(self) -> float:
        """Seconds of the run until its last event or tick."""
        return max(self.ticked_s, self.events[-1].at_s if self.events else 0.0)

    @property
    def incumbent(self) -> Trial | None:
        """The trial of lowest validation error among those of the most epochs that any finished one had."""
        errors = {n: r.valid_error for n, r in self.results.items() if r.status == "ok" and r.valid_error is not None}
        finished = [trial for trial in self.trials if trial.id in errors]
        most = max((trial.epochs for trial in finished), default=0)
        full = [trial for trial in finished if trial.epochs == most]
        return min(full, key=lambda trial: (errors[trial.id], trial.id), default=None)


def encode(line: Mapping[str, Any]) -> bytes:
    """Returns ``line`` as one JSON line with its checksum."""
    text = json.dumps(line, separators=(",", ":"), allow_nan=False)
    return f'{text[:-1]},"crc":{zlib.crc32(text.encode())}}}\n'.encode()


def decode(raw: bytes) -> dict[str, Any]:
    """Returns what :func:`encode` wrote.

    Raises:
        ValueError: if the line is not JSON, has no checksum, or another one; says which.
    """
    try:
        line = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"not a JSON line ({error})") from None
    if not isinstance(line, dict) or "crc" not in line:
        raise ValueError("a line without a checksum")
    del line["crc"]
    if encode(line) != raw + b"\n":
        raise ValueError("its checksum does not fit")
    return line


def without_clock(line: Any) -> Any:
    """Returns a decoded line without :data:`CLOCK_FIELDS` at any depth, to compare two runs by."""
    if isinstance(line, Mapping):
        return {key: without_clock(value) for key, value in line.items() if key not in CLOCK_FIELDS}
    return [without_clock(value) for value in line] if isinstance(line, list) else line


def read(path: Path) -> Recorded:
    """Reads a journal, also while its driver is writing to it.

    Raises:
        JournalError: if there is no journal at ``path``, if it has no whole header or one of a later format, or if a
            line other than the last is damaged.
    """
    lines, torn, size = _whole_lines(path, _content(path))
    header = _checked_header(path, lines, torn)
    ends = [line for line in lines[1:] if line.get("kind") == "end"]
    numbered = [(n, line) for n, line in enumerate(lines[1:], start=2) if line.get("kind") not in ("end", "tick")]
    events = tuple(_event(path, n, line) for n, line in numbered)
    ticked_s = max((line["at_s"] for line in lines[1:] if line.get("kind") == "tick"), default=0.0)
    return Recorded(header, events, torn, size, ends[-1]["reason"] if ends else "", ticked_s)


def read_header(path: Path) -> Mapping[str, Any]:
    """Reads the first line of a journal, which says what run it is, and nothing else.

    Raises:
        JournalError: if there is no journal at ``path``, or if it has no whole header or one of a later format.
    """
    lines, torn, _ = _whole_lines(path, _content(path).partition(b"\n")[0] + b"\n")
    return _checked_header(path, lines, torn)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalError(f"no journal to read at {path}: {error.strerror}", "name the folder of a run") from None


def _checked_header(path: Path, lines: list[dict[str, Any]], torn: str) -> dict[str, Any]:
    if not lines:
        raise JournalError(f"the journal {path} has no header: {torn or 'it is empty'}", "start the run again")
    header = lines[0]
    if header.get("kind") != "header" or header.get("format") != FORMAT:
        raise JournalError(
            f"{path} is not a journal of format {FORMAT}: its first line has kind {header.get('kind')!r}, "
            f"format {header.get('format')!r}",
            "a journal of a later format wants a later metaopt",
        )
    return header


def _whole_lines(path: Path, raw: bytes) -> tuple[list[dict[str, Any]], str, int]:
    lines, offset = [], 0
    while offset < len(raw):
        end = raw.find(b"\n", offset)
        try:
            if end < 0:
                raise ValueError("it has no end of line")
            lines.append(decode(raw[offset:end]))
        except ValueError as error:
            if not _is_last(raw, offset):
                raise JournalError(
                    f"the journal {path} is damaged at line {len(lines) + 1}, byte {offset}: {error}",
                    "restore it from a backup, or cut the file off there to lose everything after it",
                ) from None
            return lines, f"line {len(lines) + 1}, byte {offset}, was half-written and is left out: {error}", offset
        offset = end + 1
    return lines, "", offset


def _is_last(raw: bytes, offset: int) -> bool:
    """Returns whether the damaged record at ``offset`` is the last one: nothing after it looks like another."""
    if _NEXT_RECORD.search(raw, offset):
        return False
    for line in raw[offset:].split(b"\n")[1:]:
        try:
            decode(line)
        except ValueError:
            continue
        return False
    return True


def _event(path: Path, number: int, line: Mapping[str, Any]) -> Event:
    try:
        if line["kind"] == "ask":
            return Event(line["at_s"], Trial.from_json(line["trial"]))
        if line["kind"] == "tell":
            return Event(line["at_s"], Result.from_json(line["result"]))
        raise KeyError(line["kind"])
    except (KeyError, TypeError) as error:
        raise JournalError(
            f"line {number} of the journal {path} is whole, but neither an ask nor a tell: {error}",
            "a journal written by a later metaopt wants a later metaopt",
        ) from None


class JournalWriter:
    """Appends to a journal; every line is on the disk before the call returns. One writer at a time.

    Args:
        path: A journal that exists, or the place for a new one.
        size: Bytes to keep: what follows, a torn last line, is cut off. 0 for a new journal.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        # Unbuffered: after a failed write nothing is left that a later flush could put behind the gap.
        self._file = open(path, "r+b" if size else "xb", buffering=0)  # noqa: SIM115  (open until close())
        self._file.seek(size)
        self._file.truncate()

    def header(self, content: Mapping[str, Any]) -> None:
        """Writes the first line."""
        self._append({"kind": "header", "format": FORMAT, **content})

    def ask(self, at_s: float, trial: Trial) -> None:
        """Writes a trial; to be called before it is submitted."""
        self._append({"kind": "ask", "at_s": round(at_s, 3), "trial": trial.to_json()})

    def tell(self, at_s: float, result: Result) -> None:
        """Writes a result; to be called before the tuner is told."""
        self._append({"kind": "tell", "at_s": round(at_s, 3), "result": result.to_json()})

    def tick(self, at_s: float) -> None:
        """Writes that the run has come to this second without an event."""
        self._append({"kind": "tick", "at_s": round(at_s, 3)})

    def end(self, at_s: float, reason: str) -> None:
        """Writes that the run has come to its end."""
        self._append({"kind": "end", "at_s": round(at_s, 3), "reason": reason})

    def _append(self, line: Mapping[str, Any]) -> None:
        data = encode(line)
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(
                f"cannot write to the journal {self._file.name}: {error.strerror}",
                "no finished trial is lost: make room, then go on with metaopt resume",
            ) from None

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
