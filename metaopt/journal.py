"""The journal of a run: append-only JSON lines, one header, then asks and tells. It is the only state of a run.

Every line carries the CRC-32 of its other content. Only the last line can be half-written, by a kill or a full disk:
it is cut off and named. Damage anywhere else is refused with its position, because what follows cannot be trusted.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.errors import JournalError
from metaopt.trial import Result, Trial

FORMAT = 1


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
    """

    header: Mapping[str, Any]
    events: tuple[Event, ...]
    torn: str
    size: int

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
        """Seconds of the run until its last event."""
        return self.events[-1].at_s if self.events else 0.0


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


def read(path: Path) -> Recorded:
    """Reads a journal, also while its driver is writing to it.

    Raises:
        JournalError: if there is no journal at ``path``, if it has no whole header or one of a later format, or if a
            line other than the last is damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise JournalError(f"no journal to read at {path}: {error.strerror}", "name the folder of a run") from None
    lines, torn, size = _whole_lines(path, raw)
    if not lines:
        raise JournalError(f"the journal {path} has no header: {torn or 'it is empty'}", "start the run again")
    header = lines[0]
    if header.get("kind") != "header" or header.get("format") != FORMAT:
        raise JournalError(
            f"{path} is not a journal of format {FORMAT}: its first line has kind {header.get('kind')!r}, "
            f"format {header.get('format')!r}",
            "a journal of a later format wants a later metaopt",
        )
    return Recorded(header, tuple(_event(path, n, line) for n, line in enumerate(lines[1:], start=2)), torn, size)


def _whole_lines(path: Path, raw: bytes) -> tuple[list[dict[str, Any]], str, int]:
    lines, offset = [], 0
    while offset < len(raw):
        end = raw.find(b"\n", offset)
        try:
            if end < 0:
                raise ValueError("it has no end of line")
            lines.append(decode(raw[offset:end]))
        except ValueError as error:
            rest = raw[offset:] if end < 0 else raw[end + 1 :]
            if end >= 0 and rest:
                raise JournalError(
                    f"the journal {path} is damaged at line {len(lines) + 1}, byte {offset}: {error}",
                    "restore it from a backup, or cut the file off there to lose everything after it",
                ) from None
            return lines, f"line {len(lines) + 1}, byte {offset}, was half-written and is left out: {error}", offset
        offset = end + 1
    return lines, "", offset


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
        self._file = open(path, "r+b" if size else "xb")  # noqa: SIM115
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

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(encode(line))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
