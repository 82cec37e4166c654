from __future__ import annotations

import json
import random

import pytest
import torch
from safetensors.torch import load, save

from metaopt.oneshot.checkpoint.checksum import UnusableCheckpointError, metadata, read, with_checksum

CONTENT = {"name": "x", "crc": "00000000", "quoted": '"crc":"00000000"', "numbers": [0.1, 1e-300, 3]}


@pytest.fixture
def whole() -> bytes:
    return with_checksum(save({"weights": torch.arange(40.0)}, metadata(CONTENT)))


def test_what_is_sealed_is_read_and_is_a_file_of_the_format(whole: bytes) -> None:
    assert read(whole) == CONTENT
    assert torch.equal(load(whole)["weights"], torch.arange(40.0))


def test_no_bit_may_differ(whole: bytes) -> None:
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnusableCheckpointError, match="damaged"):
            read(bytes(flipped))


def test_no_byte_may_be_missing_or_more(whole: bytes) -> None:
    for raw in (*(whole[:size] for size in range(len(whole))), whole + b"\0", b"\0" + whole):
        with pytest.raises(UnusableCheckpointError, match="damaged"):
            read(raw)


def test_what_was_never_sealed_is_not_read() -> None:
    dice = random.Random(1)
    header = json.dumps({"__metadata__": {"crc": "0", "content": "{}"}}).encode()
    own = len(header).to_bytes(8, "little") + header
    others = save({"weights": torch.zeros(3)}), save({"weights": torch.zeros(3)}, metadata(CONTENT)), own
    for raw in (*others, b"", b"{}", b"[]" * 9, bytes(8), b"\xff" * 40, dice.randbytes(300)):
        with pytest.raises(UnusableCheckpointError, match="damaged"):
            read(raw)
