"""The journal of a run: append-only JSON lines, one header, then asks and tells. It is the only state of a run.

Only the last line can be half-written, by a kill or a full disk: it is cut off and named. Damage anywhere else is
refused with its position, see :mod:`metaopt.runs.journal_lines`. A last line of kind ``end`` says that the run came to
its end, and why; one of kind ``extend`` after it, that the run goes on with a larger budget, which the header then
states. Lines of kind ``tick`` say the time between events, where a budget of seconds must survive a kill.
"""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from metaopt.core.errors import JournalError
from metaopt.core.harmless import one_line
from metaopt.core.records import RecordError, result_of, seconds, text, trial_of
from metaopt.core.redaction import redacted, redacted_json
from metaopt.core.system_errors import explained, explaining
from metaopt.core.trial import Result, Trial
from metaopt.core.wording import shown
from metaopt.runs.header import RunHeader, extended, of_journal
from metaopt.runs.journal_lines import LONGEST, LineReader, decode, encode
from metaopt.runs.status import Tally

__all__ = [
    "CLOCK_FIELDS",
    "FORMAT",
    "Event",
    "JournalRecord",
    "JournalWriter",
    "Story",
    "decode",
    "encode",
    "read",
    "read_header",
    "without_clock",
]

FORMAT = 1

#: Fields that differ between two equal runs: clocks, and who ran when.
CLOCK_FIELDS = frozenset({"at_s", "cost_s", "cpu_s", "restarts", "started", "host", "command", "crc"})


@dataclass(frozen=True, slots=True)
class Event:
    """One ask or tell.

    Attributes:
        at_s: Seconds of the run so far, time in which no driver ran left out.
        record: A trial for an ask, a result for a tell.
    """

    at_s: float
    record: Trial | Result


@dataclass(frozen=True)
class JournalRecord:
    """The content of a journal.

    Attributes:
        header: The resolved settings of the run, extensions included, its space, its objective, versions and host.
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

    @cached_property
    def record(self) -> RunHeader:
        """What the header says, each field of its type."""
        return RunHeader.of(self.header)

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials asked for, by ascending id."""
        return [e.record for e in self.events if isinstance(e.record, Trial)]

    @cached_property
    def results(self) -> dict[int, Result]:
        """All results by the id of their trial, in the order they came in."""
        return {e.record.trial_id: e.record for e in self.events if isinstance(e.record, Result)}

    @property
    def elapsed_s(self) -> float:
        """Seconds of the run until its last event or tick."""
        return max(self.ticked_s, self.events[-1].at_s if self.events else 0.0)

    @cached_property
    def tally(self) -> Tally:
        """What its events add up to."""
        tally = Tally(self.record.default)
        for event in self.events:
            tally.take(event.record)
        return tally

    @property
    def incumbent(self) -> Trial | None:
        """What the run recommends so far; None if it has no answer yet."""
        return self.tally.found[0] if self.tally.found else None


def without_clock(line: Any) -> Any:
    """Returns a decoded line without :data:`CLOCK_FIELDS` at any depth, to compare two runs by."""
    if isinstance(line, Mapping):
        return {key: without_clock(value) for key, value in line.items() if key not in CLOCK_FIELDS}
    return [without_clock(value) for value in line] if isinstance(line, list) else line


def read(path: Path) -> JournalRecord:
    """Reads a journal, also while its driver is writing to it.

    Raises:
        JournalError: if there is no journal at ``path``, if it has no whole header or one of a later format, if a line
            other than the last is damaged, or if one is whole and yet unknown to this version or in a wrong place.
    """
    story = Story(path)
    with _without_collector():
        events = tuple(story)
    return JournalRecord(story.header, events, story.torn, story.size, story.end, story.ticked_s)


class _Order:
    """In which order trials are asked for and told of.

    Args:
        events: Of the journal so far.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._asked, self._unanswered = 0, set[int]()
        for event in events:
            self.take(event.record)

    def take(self, record: Trial | Result) -> None:
        """Takes the next trial or result; raises RecordError on one that does not belong here."""
        if isinstance(record, Result):
            if record.trial_id not in self._unanswered:
                raise RecordError(f"it tells of trial {record.trial_id}, which waits for no result")
            self._unanswered.remove(record.trial_id)
            return
        if record.id != self._asked:
            raise RecordError(f"it asks for trial {record.id}, and the next one is trial {self._asked}")
        self._asked += 1
        self._unanswered.add(record.id)


class Story:
    """Iterates over the events of a journal and keeps none; its driver may be writing to it.

    The attributes are those of :class:`JournalRecord`; what they say of the end is known after the last event.

    Args:
        path: The journal.

    Raises:
        JournalError: while it is iterated over, as :func:`read` does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: Mapping[str, Any] = {}
        self.torn, self.end = "", ""
        self.size, self.ticked_s, self.elapsed_s = 0, 0.0, 0.0
        self._order = _Order()

    def __iter__(self) -> Iterator[Event]:
        reader = LineReader(self.path)
        for number, line in _numbered(reader):
            if number == 1:
                self.header = _checked_header(self.path, line)
                continue
            try:
                record = self._record(line)
            except RecordError as error:
                raise _unknown_line(self.path, number, error) from None
            if record is not None:
                yield Event(line["at_s"], record)
        self.torn, self.size = reader.torn, reader.size
        if not self.header:
            raise _without_header(self.path, reader)

    def _record(self, line: Mapping[str, Any]) -> Trial | Result | None:
        """Returns what a line asks or tells; raises RecordError on what does not belong here."""
        kind, at_s = line.get("kind"), seconds("at_s", line.get("at_s"))
        record: Trial | Result | None = None
        if kind == "ask":
            record = trial_of(line.get("trial"))
        elif kind == "tell":
            record = result_of(line.get("result"))
        elif kind == "tick":
            self.ticked_s = max(self.ticked_s, at_s)
        elif kind == "end":
            self.end = one_line(text("reason", line.get("reason")))
        elif kind == "extend":
            self.header, self.end = extended(self.header, line.get("settings")), ""
        else:
            raise RecordError(f"its kind is {shown(kind)}")
        if record is not None:
            self._order.take(record)
            self.elapsed_s = at_s
        self.elapsed_s = max(self.elapsed_s, self.ticked_s)
        return record


def read_header(path: Path) -> Mapping[str, Any]:
    """Reads the first line of a journal, which says what run it is, and nothing else: no extension of its budget.

    Raises:
        JournalError: if there is no journal at ``path``, or if it has no whole header or one of a later format.
    """
    reader = LineReader(path, only_first=True)
    for _, line in _numbered(reader):
        return _checked_header(path, line)
    raise _without_header(path, reader)


def asked_configs(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yields the configurations that are asked for, unchecked: it takes half of the time of :class:`Story`.

    Raises:
        JournalError: if the journal cannot be read, or is damaged elsewhere than in its last line.
    """
    for block in LineReader(path):
        for line in block:
            trial = line.get("trial")
            if isinstance(trial, dict) and isinstance(trial.get("config"), dict):
                yield trial["config"]


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
    """Returns the first line of a journal.

    Raises:
        JournalError: if it is not a header, or holds a field of another type.
    """
    if header.get("kind") != "header" or header.get("format") != FORMAT:
        raise JournalError(
            f"{path} is not a journal of format {FORMAT}: its first line has kind {shown(header.get('kind'))}, "
            f"format {shown(header.get('format'))}",
            "if its format is a later one, upgrade metaopt",
        )
    with of_journal(path):
        RunHeader.of(header)
    return header


def _without_header(path: Path, reader: LineReader) -> JournalError:
    return JournalError(f"the journal {path} has no header: {reader.torn or 'it is empty'}", "start the run again")


def _unknown_line(path: Path, number: int, error: RecordError) -> JournalError:
    return JournalError(
        f"line {number} of the journal {path} is whole, but neither an ask nor a tell that fits here: {error}",
        "install a later metaopt if one wrote this journal; restore it from a backup if it was edited",
    )


class JournalWriter:
    """Appends to a journal; every line is on the disk before the call returns. One writer at a time.

    Nothing is written that :func:`read` would refuse.

    Args:
        path: A journal that exists, or the place for a new one.
        recorded: What is in it: what follows that, a torn last line, is cut off. None for a new journal.
    """

    def __init__(self, path: Path, recorded: JournalRecord | None = None) -> None:
        size = recorded.size if recorded else 0
        # Unbuffered: after a failed write nothing is left that a later flush could put behind the gap.
        with explaining(f"cannot write to the journal {path}", kind=JournalError):
            self._file = open(path, "r+b" if size else "xb", buffering=0)  # noqa: SIM115  (open until close())
            self._file.seek(size)
            self._file.truncate()
        self._order = _Order(recorded.events if recorded else ())

    def header(self, content: Mapping[str, Any]) -> None:
        """Writes the first line; of secrets in it only that there were some.

        Raises:
            JournalError: if :func:`read` would not take it; then nothing is written.
        """
        data, read_back = self._encoded({"kind": "header", "format": FORMAT, **redacted_json(content)})
        try:
            RunHeader.of(read_back)
        except RecordError as error:
            raise self._unfit(error) from None
        self._append(data)

    def ask(self, at_s: float, trial: Trial) -> None:
        """Writes a trial; to be called before it is submitted."""
        self._write(at_s, "ask", "trial", trial_of, trial)

    def tell(self, at_s: float, result: Result) -> None:
        """Writes a result; to be called before the tuner is told."""
        if result.reason:  # it may be what some library has said of an address
            result = replace(result, reason=redacted(result.reason))
        self._write(at_s, "tell", "result", result_of, result)

    def tick(self, at_s: float) -> None:
        """Writes that the run has come to this second without an event."""
        self._append(encode({"kind": "tick", "at_s": self._second(at_s)}))

    def extend(self, at_s: float, settings: Mapping[str, Any]) -> None:
        """Writes that the run goes on with more of some of :data:`metaopt.settings.run.EXTENDABLE`."""
        self._append(encode({"kind": "extend", "at_s": self._second(at_s), "settings": dict(settings)}))

    def end(self, at_s: float, reason: str) -> None:
        """Writes that the run has come to its end."""
        self._append(encode({"kind": "end", "at_s": self._second(at_s), "reason": one_line(reason)}))

    def _write(self, at_s: float, kind: str, name: str, check: Callable[[Any], Any], record: Trial | Result) -> None:
        """Writes a record that :func:`read` takes.

        Raises:
            JournalError: if it is not valid, or if it is not its turn; then nothing is written.
        """
        line = {"kind": kind, "at_s": self._second(at_s)}
        data, read_back = self._encoded({**line, name: record.to_json()})
        try:
            checked = check(read_back[name])
            self._order.take(checked)
        except RecordError as error:
            raise self._unfit(error) from None
        self._append(data if checked == record else encode({**line, name: checked.to_json()}))

    def _encoded(self, line: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """Returns a line as it is written, and as it would be read."""
        try:
            data = encode(line)
            return data, decode(data[:-1])
        except (TypeError, ValueError, RecursionError) as error:
            raise self._unfit(error) from None

    def _second(self, at_s: float) -> float:
        try:
            return round(seconds("at_s", at_s), 3)
        except RecordError as error:
            raise self._unfit(error) from None

    def _unfit(self, error: Exception) -> JournalError:
        return JournalError(
            f"what comes next does not belong into the journal {self._file.name}, which is left as it is: {error}",
            "this is a fault of an objective, a tuner or an executor; what is finished is not lost",
        )

    def _append(self, data: bytes) -> None:
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
