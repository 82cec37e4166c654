from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import pytest

import tfrecords
from metaopt.core.errors import TableError
from metaopt.tables.importers.tfrecord import LONGEST_BYTES, RecordFile, masked_crc

PAYLOADS = [b"first", b"", b"x" * 700, bytes(range(256))]


def read(path: Path, chunk_bytes: int = 64) -> list[bytes]:
    frames = RecordFile(path, lambda *of: None, chunk_bytes)
    return [payload for batch in frames.batches() for payload in batch]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tfrecords.write(tmp_path / "a.tfrecord", PAYLOADS)


@pytest.mark.parametrize(
    ("data", "crc"), [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)]
)
def test_checksums_are_those_of_rfc_3720(data: bytes, crc: int) -> None:
    masked = ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32
    assert masked_crc(data) == tfrecords.masked_crc(data) == masked


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 1 << 20])
def test_payloads_come_back_in_order(path: Path, chunk_bytes: int) -> None:
    assert read(path, chunk_bytes) == PAYLOADS


def test_progress_and_sha256_are_of_the_file(path: Path) -> None:
    said = []
    frames = RecordFile(path, lambda *of: said.append(of), 64)
    assert sum(map(len, frames.batches())) == frames.records == len(PAYLOADS)
    size = path.stat().st_size
    assert said[-1] == (size, size)
    assert [done for done, _ in said] == sorted({done for done, _ in said})
    assert frames.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_flipped_bit_is_found(path: Path) -> None:
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        with pytest.raises(TableError, match=r"CRC-32C that is stored with (it|them)"):
            read(path)


def test_a_file_that_is_cut_off_anywhere_says_so(path: Path) -> None:
    content, ends = path.read_bytes(), [0]
    for payload in PAYLOADS:
        ends.append(ends[-1] + 16 + len(payload))
    for size in range(len(content)):
        path.write_bytes(content[:size])
        if size in ends[1:]:
            assert read(path) == PAYLOADS[: ends.index(size)]
            continue
        number = sum(end <= size for end in ends)
        said = rf", record {number}, at byte {ends[number - 1]}, is cut off" if size else "holds no record"
        with pytest.raises(TableError, match=said):
            read(path)


def test_errors_name_the_record_and_its_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[21 + 16 + 12] ^= 1  # in the third payload
    path.write_bytes(content)
    with pytest.raises(TableError, match=r", record 3, at byte 37, is damaged: its bytes"):
        read(path)
    content[21 + 16] ^= 1  # its length, which is looked at first
    path.write_bytes(content)
    with pytest.raises(TableError, match=r", record 3, at byte 37, is damaged: its length"):
        read(path)


@pytest.mark.parametrize("content", [b"not a record at all", b"PAR1" + bytes(40), b"{}" * 20])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(TableError, match="is no TFRecord file, or is damaged from its first record"):
        read(path)


def test_a_compressed_file_is_recognised(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(TableError, match="looks compressed with gzip, unpack it"):
        read(path)


def test_an_absurd_length_is_refused_and_not_waited_for(path: Path) -> None:
    length = struct.pack("<Q", LONGEST_BYTES + 1)
    path.write_bytes(path.read_bytes() + length + struct.pack("<I", tfrecords.masked_crc(length)) + bytes(100))
    with pytest.raises(TableError, match=r", record 5, .* says it has 16,777,217 bytes; at most 16,777,216"):
        read(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(TableError, match="cannot read"):
            read(path)
