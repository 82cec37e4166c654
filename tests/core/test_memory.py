from __future__ import annotations

import errno

import numpy as np
import pyarrow
import pytest
import torch

from metaopt.core.memory import says_out_of_memory, shortage


def raised_by(library: str) -> BaseException:
    try:
        if library == "numpy":
            np.ones(2**60, np.int8)
        elif library == "torch":
            torch.ones(2**60, dtype=torch.int8)
        elif library == "pyarrow":
            pyarrow.allocate_buffer(2**60)
        else:
            bytearray(2**60)
    except BaseException as error:
        return error
    raise AssertionError("so much memory is nowhere")


def _read(error: BaseException) -> None:
    try:
        raise error
    except Exception:
        raise ValueError("the table is damaged") from None


@pytest.mark.parametrize("library", ["numpy", "torch", "pyarrow", "python"])
def test_real_libraries_without_memory(library: str) -> None:
    error = raised_by(library)
    assert shortage(error) is error
    with pytest.raises(ValueError, match="damaged") as caught:
        _read(error)
    assert shortage(caught.value) is error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libx.so: failed to map segment from shared object: Cannot allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        OSError("malloc of size 64 failed"),
    ],
)
def test_what_libraries_are_known_to_say(error: Exception) -> None:
    assert shortage(error) is error


def test_other_errors_are_not_of_memory() -> None:
    for error in (ValueError("damaged"), OSError(errno.ENOSPC, "No space left on device"), KeyError("x"), None):
        assert shortage(error) is None
    assert says_out_of_memory("terminate called after throwing an instance of 'std::bad_alloc'")


def test_a_ring_of_causes_ends() -> None:
    one, two = ValueError("a"), ValueError("b")
    one.__cause__, two.__cause__ = two, one
    assert shortage(one) is None
