"""The journal of a run: append-only JSON lines, one header, then asks and tells. It is the only state of a run.

Only the last line can be half-written, by a kill or a full disk: it is cut off and named. Damage anywhere else is
refused with its position, see :mod:`metaopt.journal_lines`. A last line of kind ``end`` says that the run came to its
end, and why. Lines of kind ``tick`` say the time between events, where a budget of seconds must survive a kill.
"""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from sys import intern
from typing import Any, get_args

from metaopt.errors import JournalError
from metaopt.incumbent import incumbent
from metaopt.journal_lines import LONGEST, LineReader, decode, encode
from metaopt.redaction import redacted, redacted_json
from metaopt.system_errors import explained, explaining
from metaopt.trial import Result, Status, Trial

__all__ = [
    "CLOCK_FIELDS",
    "FORMAT",
    "Event",
    "JournalWriter",
    "Recorded",
    "decode",
    "encode",
    "read",
    "read_header",
    "without_clock",
]

FORMAT = 1

#: Fields that differ between two equal runs: clocks, and who ran when.
CLOCK_FIELDS = frozenset({"at_s", "cost_s", "cpu_s", "restarts", "started", "host", "command", "crc"})

_STATUSES = frozenset(get_args(Status))


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
        """What the run recommends so far, see :func:`metaopt.incumbent.incumbent`."""
        results = self.results
        return incumbent((trial, results[trial.id]) for trial in self.trials if trial.id in results)


def without_clock(line: Any) -> Any:
    """Returns a decoded line without :data:`CLOCK_FIELDS` at any depth, to compare two runs by."""
    if isinstance(line, Mapping):
        return {key: without_clock(value) for key, value in line.items() if key not in CLOCK_FIELDS}
    return [without_clock(value) for value in line] if isinstance(line, list) else line


def read(path: Path) -> Recorded:
    """Reads a journal, also while its driver is writing to it.

    Raises:
        JournalError: if there is no journal at ``path``, if it has no whole header or one of a later format, if a line
            other than the last is damaged, or if one is whole and yet unknown to this version or in a wrong place.
    """
    reader, header, story = LineReader(path), dict[str, Any](), _Story()
    with _without_collector():
        for number, line in _numbered(reader):
            if number == 1:
                header = _checked_header(path, line)
                continue
            try:
                story.take(line)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise _unknown_line(path, number, error) from None
    if not header:
        raise _without_header(path, reader)
    return Recorded(header, tuple(story.events), reader.torn, reader.size, story.end, story.ticked_s)


class _Story:
    """What the lines behind the header say, one after the other."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.end, self.ticked_s = "", 0.0
        self._asked, self._unanswered = 0, set[int]()

    def take(self, line: Mapping[str, Any]) -> None:
        """Adds a line; raises KeyError, TypeError, ValueError or OverflowError on what does not belong here."""
        kind, at_s = line["kind"], _number(line["at_s"])
        if kind == "ask":
            self.events.append(Event(at_s, self._next(_trial(line["trial"]))))
        elif kind == "tell":
            self.events.append(Event(at_s, self._answer(_result(line["result"]))))
        elif kind == "tick":
            self.ticked_s = max(self.ticked_s, at_s)
        elif kind == "end":
            self.end = _text(line["reason"])
        else:
            raise ValueError(f"its kind is {kind!r}")

    def _next(self, trial: Trial) -> Trial:
        if trial.id != self._asked:
            raise ValueError(f"it asks for trial {trial.id}, and the next one is trial {self._asked}")
        self._asked += 1
        self._unanswered.add(trial.id)
        return trial

    def _answer(self, result: Result) -> Result:
        if result.trial_id not in self._unanswered:
            raise ValueError(f"it tells of trial {result.trial_id}, which waits for no result")
        self._unanswered.remove(result.trial_id)
        return result


def read_header(path: Path) -> Mapping[str, Any]:
    """Reads the first line of a journal, which says what run it is, and nothing else.

    Raises:
        JournalError: if there is no journal at ``path``, or if it has no whole header or one of a later format.
    """
    reader = LineReader(path, only_first=True)
    for _, line in _numbered(reader):
        return _checked_header(path, line)
    raise _without_header(path, reader)


def _numbered(reader: LineReader) -> Iterator[tuple[int, dict[str, Any]]]:
    for block in reader:
        yield from enumerate(block, start=reader.number - len(block) + 1)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keeps the collector of cycles away, which would go over millions of new objects again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _checked_header(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    if header.get("kind") != "header" or header.get("format") != FORMAT:
        raise JournalError(
            f"{path} is not a journal of format {FORMAT}: its first line has kind {header.get('kind')!r}, "
            f"format {header.get('format')!r}",
            "a journal of a later format wants a later metaopt",
        )
    return header


def _without_header(path: Path, reader: LineReader) -> JournalError:
    return JournalError(f"the journal {path} has no header: {reader.torn or 'it is empty'}", "start the run again")


def _unknown_line(path: Path, number: int, error: Exception) -> JournalError:
    flaw = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return JournalError(
        f"line {number} of the journal {path} is whole, but neither an ask nor a tell that fits here: {flaw}",
        "a journal written by a later metaopt wants a later metaopt; one that was edited wants a backup",
    )


def _trial(data: Any) -> Trial:
    trial = Trial(**data)
    for number in (trial.id, trial.key, trial.epochs, trial.seed):
        if type(number) is not int:
            raise TypeError(f"{number!r} is no whole number")
    if type(trial.config) is not dict or type(trial.memo) is not dict:
        raise TypeError("its config or memo is no mapping")
    for name, value in trial.config.items():
        if type(value) is str:
            trial.config[name] = intern(value)  # a choice is one of few words, which a million trials have in common
    return trial


def _result(data: Any) -> Result:
    result = Result(**data)
    if type(result.trial_id) is not int or (result.epochs is not None and type(result.epochs) is not int):
        raise TypeError("its trial_id or epochs is no whole number")
    for number in (result.valid_error, result.test_error, result.cost_s, result.cpu_s):
        if number is not None:
            _number(number)
    if result.status not in _STATUSES or result.cost_s is None or type(result.info) is not dict:
        raise ValueError(f"its status is {result.status!r}, its cost_s {result.cost_s!r}, its info {result.info!r}")
    _text(result.reason)
    return result


def _number(value: Any) -> float:
    if (type(value) is not float and type(value) is not int) or not isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


class JournalWriter:
    """Appends to a journal; every line is on the disk before the call returns. One writer at a time.

    Args:
        path: A journal that exists, or the place for a new one.
        size: Bytes to keep: what follows, a torn last line, is cut off. 0 for a new journal.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        # Unbuffered: after a failed write nothing is left that a later flush could put behind the gap.
        with explaining(f"cannot write to the journal {path}", kind=JournalError):
            self._file = open(path, "r+b" if size else "xb", buffering=0)  # noqa: SIM115  (open until close())
            self._file.seek(size)
            self._file.truncate()

    def header(self, content: Mapping[str, Any]) -> None:
        """Writes the first line; of secrets in it only that there were some."""
        self._append({"kind": "header", "format": FORMAT, **redacted_json(content)})

    def ask(self, at_s: float, trial: Trial) -> None:
        """Writes a trial; to be called before it is submitted."""
        self._append({"kind": "ask", "at_s": round(at_s, 3), "trial": trial.to_json()})

    def tell(self, at_s: float, result: Result) -> None:
        """Writes a result; to be called before the tuner is told."""
        if result.reason:  # it may be what some library has said of an address
            result = replace(result, reason=redacted(result.reason))
        self._append({"kind": "tell", "at_s": round(at_s, 3), "result": result.to_json()})

    def tick(self, at_s: float) -> None:
        """Writes that the run has come to this second without an event."""
        self._append({"kind": "tick", "at_s": round(at_s, 3)})

    def end(self, at_s: float, reason: str) -> None:
        """Writes that the run has come to its end."""
        self._append({"kind": "end", "at_s": round(at_s, 3), "reason": reason})

    def _append(self, line: Mapping[str, Any]) -> None:
        data = encode(line)
        if len(data) > LONGEST:
            raise JournalError(
                f"a line of {len(data)} bytes for the journal {self._file.name}; at most it may have {LONGEST}",
                "let the objective say less in Result.info",
            )
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            then = "no finished trial is lost: go on with metaopt resume then"
            raise explained(error, f"cannot write to the journal {self._file.name}", then, JournalError) from None

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
