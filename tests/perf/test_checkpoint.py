"""What a checkpoint after every epoch costs: an epoch with it beside the same epoch without, at the scale of digits.

Prints the ratio, and of it the file system's part.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import pytest
import torch

from metaopt.core.paths import write_atomically
from metaopt.oneshot.checkpoint.checkpoint import pack
from searches import small_search

EPOCHS, MOST = 25, 1.05


@pytest.mark.perf
def test_an_epoch_with_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    search = small_search("darts", channels=8)
    state, path = search.begin(EPOCHS), tmp_path / "checkpoint"
    training = search.training(state)
    next(training)  # loads what is loaded once
    trained, packed, written, synced, started = [], [], [], [], time.perf_counter()
    for _ in training:
        trained.append(time.perf_counter() - started)
        started = time.perf_counter()
        raw = pack(search.identity(EPOCHS), {}, state.save())
        packed.append(time.perf_counter() - started)
        write_atomically(path, raw)
        written.append(time.perf_counter() - started)
        with open(path, "rb+") as file:
            file.write(b"\0")
            begun = time.perf_counter()
            os.fsync(file.fileno())
            synced.append(time.perf_counter() - begun)
        started = time.perf_counter()
    ratio = 1 + median(written) / median(trained)
    with capsys.disabled():
        print(f"\nan epoch {1e3 * median(trained):.0f} ms, with a checkpoint {ratio:.3f} times that: ", end="")
        print(f"{1e3 * median(packed):.1f} ms to pack {len(raw) / 1e3:.0f} kB, ", end="")
        print(
            f"{1e3 * (median(written) - median(packed)):.1f} ms to write, an fsync alone {1e3 * median(synced):.1f} ms"
        )
    assert ratio < MOST
