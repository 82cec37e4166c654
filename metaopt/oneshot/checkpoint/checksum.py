"""The checksum of a checkpoint: a CRC-32 over every byte of a safetensors file, which the format itself has not.

Here without torch, so that whoever only asks what a search has cost so far need not load it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

_LENGTH = 8  # bytes, little-endian: how long the JSON header is that follows (format of safetensors)
_CRC = b'"crc":"%08x"'  # unescaped, so that it cannot be met inside of another value


class UnusableCheckpointError(ValueError):
    """A checkpoint that is damaged, or of another search; says which."""


def metadata(content: Mapping[str, Any]) -> dict[str, str]:
    """Returns the metadata of a file that gets a checksum.

    Args:
        content: Plain JSON values, which :func:`read` returns.
    """
    return {"content": json.dumps(content, separators=(",", ":")), "crc": f"{0:08x}"}


def with_checksum(raw: bytes) -> bytes:
    """Returns a file with this :func:`metadata` with its checksum."""
    return _with_crc(raw, _place(raw, 0), zlib.crc32(raw))


def read(raw: bytes) -> dict[str, Any]:
    """Returns the content of a checksummed file.

    Raises:
        UnusableCheckpointError: if a bit of the file is not as it was written.
    """
    try:
        header = json.loads(raw[_LENGTH : _end_of_header(raw)])
        crc, content = int(header["__metadata__"]["crc"], 16), header["__metadata__"]["content"]
        at = _place(raw, crc)
    except (ValueError, LookupError, TypeError) as error:
        raise UnusableCheckpointError(f"damaged: no header can be read from it ({error})") from None
    if zlib.crc32(_with_crc(raw, at, 0)) != crc:
        raise UnusableCheckpointError("damaged: its checksum does not fit")
    parsed: dict[str, Any] = json.loads(content)
    return parsed


def _end_of_header(raw: bytes) -> int:
    return _LENGTH + int.from_bytes(raw[:_LENGTH], "little")


def _place(raw: bytes, crc: int) -> int:
    return raw.index(_CRC % crc, 0, _end_of_header(raw))


def _with_crc(raw: bytes, at: int, crc: int) -> bytes:
    written = _CRC % crc
    return b"".join((raw[:at], written, raw[at + len(written) :]))
