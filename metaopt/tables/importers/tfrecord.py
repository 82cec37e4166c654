"""Reads the records of a TFRecord file: a frame of length and checksums around each, TensorFlow's format.

A frame is the length L as 64 bits, the masked CRC-32C of these 8 bytes, L bytes of payload, and the masked CRC-32C of
the payload; everything is little-endian. Both checksums of every record are verified.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import google_crc32c

from metaopt.core.errors import TableError
from metaopt.core.system_errors import explained
from metaopt.tables.importers.rules import Report, refused

#: What is read at a time, and in memory; some thousand records of NAS-Bench-101.
CHUNK_BYTES = 1 << 21
#: A longer record is taken for damage, so that memory stays bounded; NAS-Bench-101's have some 400 bytes.
LONGEST_BYTES = 1 << 24
_HEADER, _FOOTER = struct.Struct("<QI"), struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8  # TensorFlow's; a checksum of data that holds checksums is no good, so they are masked
_COMPRESSED = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZ": "bzip2"}


def masked_crc(data: bytes) -> int:
    """Returns the CRC-32C of some bytes, turned right by 15 bits and moved on by a constant."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


@lru_cache(maxsize=4096)
def _crc_of_length(length: int) -> int:
    return masked_crc(length.to_bytes(8, "little"))


class RecordFile:
    """A TFRecord file, read once from the front to the end.

    Args:
        path: The file.
        report: Called after every chunk.
        chunk_bytes: What is read at a time.

    Attributes:
        records: How many have been read; errors number them from 1.
    """

    def __init__(self, path: Path, report: Report, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._path, self._report, self._chunk_bytes = path, report, chunk_bytes
        self._digest = hashlib.sha256()
        self._offset = 0  # of the first byte that belongs to no finished record
        self.records = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has been read so far: of the file, once :meth:`batches` is exhausted."""
        return self._digest.hexdigest()

    def batches(self) -> Iterator[list[bytes]]:
        """Yields the payloads of the file in their order, as many at a time as a chunk holds.

        Raises:
            TableError: if the file cannot be read, is no TFRecord file, is cut off, or a checksum is wrong; names the
                record and its byte.
        """
        rest = b""
        for chunk in self._chunks():
            payloads, rest = self._split(rest + chunk)
            if payloads:
                yield payloads
        if rest:
            raise self._cut_off(rest)
        if not self.records:
            raise TableError(f"{self._path} holds no record: it is empty", _AGAIN)

    def _chunks(self) -> Iterator[bytes]:
        """Yields the file piece by piece; a piece that holds no whole record is read on to at least twice its size."""
        done = 0
        try:
            size = self._path.stat().st_size
            with open(self._path, "rb") as file:
                while chunk := file.read(max(self._chunk_bytes, done - self._offset)):
                    done += len(chunk)
                    self._digest.update(chunk)
                    yield chunk
                    self._report(done, size)
        except OSError as error:
            raise explained(error, f"cannot read {self._path}", "name the file to import", TableError) from None

    def _split(self, buffer: bytes) -> tuple[list[bytes], bytes]:
        """Returns the payloads of all whole frames at the front of ``buffer``, and what is behind them."""
        payloads, at, size = [], 0, len(buffer)
        while size - at >= _HEADER.size:
            length, crc = _HEADER.unpack_from(buffer, at)
            if crc != _crc_of_length(length):
                raise self._bad_length(buffer[:2])
            if length > LONGEST_BYTES:
                raise self._bad(f"says it has {length:,} bytes; at most {LONGEST_BYTES:,} are read")
            end = at + _HEADER.size + length
            if end + _FOOTER.size > size:
                break
            payload = buffer[at + _HEADER.size : end]
            if masked_crc(payload) != _FOOTER.unpack_from(buffer, end)[0]:
                raise self._bad("is damaged: its bytes do not have the CRC-32C that is stored with them")
            payloads.append(payload)
            self._offset += end + _FOOTER.size - at
            at = end + _FOOTER.size
            self.records += 1
        return payloads, buffer[at:]

    def _bad(self, what: str) -> TableError:
        return refused(self._path, f"record {self.records + 1}, at byte {self._offset}", what, _AGAIN)

    def _bad_length(self, start: bytes) -> TableError:
        if self.records:
            return self._bad("is damaged: its length does not have the CRC-32C that is stored with it")
        packed = f"; it looks compressed with {_COMPRESSED[start]}, unpack it" if start in _COMPRESSED else ""
        return TableError(
            f"{self._path} is no TFRecord file, or is damaged from its first record at byte 0 on: "
            f"the length there does not have the CRC-32C that is stored with it{packed}",
            _AGAIN,
        )

    def _cut_off(self, rest: bytes) -> TableError:
        if len(rest) < _HEADER.size:
            return self._bad(f"is cut off: the file ends {len(rest)} bytes into it")
        whole = _HEADER.size + _HEADER.unpack_from(rest)[0] + _FOOTER.size
        return self._bad(f"is cut off: the file ends {len(rest)} bytes into its {whole}")


_AGAIN = "download the file again, and compare its size with the publisher's"
