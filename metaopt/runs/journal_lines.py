"""The lines of a journal: a JSON object each, which ends with a CRC-32 of its other content; read block by block.

Only the last line can be half-written. What follows damage anywhere else cannot be trusted, so it is refused.
"""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from metaopt.core.errors import JournalError
from metaopt.core.system_errors import explained, explaining

#: Bytes of the longest line that is written or read, far above any real one; a file without line ends is no journal.
LONGEST = 64 * 2**20

_BLOCK = 2**18
_CRC = b',"crc":'
_LONGEST_TAIL = len(_CRC) + len("4294967295}")

# The border of two records, whatever became of the end of line between them.
_NEXT_RECORD = re.compile(rb'\}.\{"kind":"(ask|tell|end|tick|extend)"', re.DOTALL)


def encode(line: Mapping[str, Any]) -> bytes:
    """Returns ``line`` as one JSON line with its checksum.

    Raises:
        ValueError: if it holds a value such as NaN, which is not a number.
    """
    text = json.dumps(line, separators=(",", ":"), allow_nan=False)
    return f'{text[:-1]},"crc":{zlib.crc32(text.encode())}}}\n'.encode()


def decode(raw: bytes) -> dict[str, Any]:
    """Returns what :func:`encode` wrote.

    Args:
        raw: A line without its end.

    Raises:
        ValueError: if the line is not JSON, has no checksum, or another one; says which.
    """
    return _decode_all([raw])[0]


def _decode_all(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Decodes lines in one go, whose keys are then shared, which is most of their memory.

    Every checksum has been found right before, so one line cannot end in another: nothing but forgery joins them.
    """
    text = b"[" + b",".join(map(_checked, lines)) + b"]"
    try:
        found: list[dict[str, Any]] = _DECODER.decode(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON line ({error})") from None
    if len(found) != len(lines) or not all(isinstance(line, dict) for line in found):
        raise ValueError("not one JSON object")
    return found


def _checked(raw: bytes) -> bytes:
    """Returns a line without its checksum, which fits to the bytes as they stand."""
    at = raw.rfind(_CRC, -_LONGEST_TAIL)
    content = raw[:at] + b"}"
    if at < 0 or raw[at + len(_CRC) :] != b"%d}" % zlib.crc32(content):
        raise ValueError(_flaw(raw))
    return content


def _flaw(raw: bytes) -> str:
    try:
        line = json.loads(raw.decode("ascii"))
    except (ValueError, RecursionError) as error:
        return f"not a JSON line ({error})"
    return "its checksum does not fit" if isinstance(line, dict) and "crc" in line else "a line without a checksum"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


class LineReader:
    """Iterates over the whole lines of a journal, decoded, many at a time; its driver may be writing to it.

    Args:
        path: The journal.
        only_first: Whether to stop after the first line, whatever follows.

    Attributes:
        path: The journal.
        number: Lines that were given so far.
        size: Bytes of them.
        torn: What was wrong with a half-written last line, which is left out; empty if there was none.

    Raises:
        JournalError: if it cannot be read, or is damaged elsewhere than in its last line.
    """

    def __init__(self, path: Path, *, only_first: bool = False) -> None:
        self.path, self._only_first = path, only_first
        self.number, self.size, self.torn = 0, 0, ""

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        with _opened(self.path) as file:
            rest = b""
            while block := self._read(file, max(_BLOCK, len(rest))):
                whole, end, rest = (rest + block).rpartition(b"\n")
                if end:
                    lines = whole.split(b"\n")
                    if self._only_first:
                        lines, rest = lines[:1], b"\n".join([*lines[1:], rest])
                    yield from self._decoded(lines, rest, file)
                    if self.torn or self._only_first:
                        return
                if len(rest) > LONGEST:
                    self._break(rest, f"it is longer than {LONGEST} bytes", file)
            if rest:
                self._break(rest, "it has no end of line", file)

    def _read(self, file: BinaryIO, size: int) -> bytes:
        with explaining(f"the journal {self.path} cannot be read further than byte {self.size}", kind=JournalError):
            return file.read(size)

    def _decoded(self, lines: list[bytes], rest: bytes, file: BinaryIO) -> Iterator[list[dict[str, Any]]]:
        try:
            found = _decode_all(lines)
        except ValueError:
            for done, line in enumerate(lines):
                try:
                    found = [decode(line)]
                except ValueError as error:
                    self._break(b"\n".join([*lines[done:], rest]), str(error), file)
                    return
                self._count([line])
                yield found
            raise AssertionError("lines that are right one by one are right together") from None
        self._count(lines)
        yield found

    def _count(self, lines: list[bytes]) -> None:
        self.number += len(lines)
        self.size += sum(map(len, lines)) + len(lines)

    def _break(self, raw: bytes, flaw: str, file: BinaryIO) -> None:
        """Leaves out a damaged record if it is the last one, with which ``raw`` begins."""
        raw += self._read(file, LONGEST + 1 - min(len(raw), LONGEST))
        last = len(raw) <= LONGEST and _is_last(raw)
        place = f"line {self.number + 1}, byte {self.size}"
        if not self.number and not raw.startswith(b"{"):
            flaw = f"it is of a file of another kind, which begins with {raw[:20]!r}"
        if not last:
            raise JournalError(
                f"the journal {self.path} is damaged at {place}: {flaw}",
                "restore it from a backup, or cut the file off there to lose everything after it",
            )
        self.torn = f"{place}, was half-written and is left out: {flaw}"


def has_line(path: Path) -> bool:
    """Returns whether there is a whole line in a file, right or wrong; a file that is not there has none."""
    with explaining(f"no journal to read at {path}", kind=JournalError):
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            return any(b"\n" in block for block in iter(lambda: file.read(_BLOCK), b""))


def _opened(path: Path) -> BinaryIO:
    try:
        # Not to wait for whoever may one day write into a pipe.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
    except OSError as error:
        raise explained(error, f"no journal to read at {path}", "name the folder of a run", JournalError) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise JournalError(f"no journal to read at {path}: it is not a file", "name the folder of a run")
    return file


def _is_last(raw: bytes) -> bool:
    """Returns whether the damaged record at the beginning is the last one: nothing after it looks like another."""
    if _NEXT_RECORD.search(raw):
        return False
    for line in raw.split(b"\n")[1:]:
        try:
            decode(line)
        except ValueError:
            continue
        return False
    return True
