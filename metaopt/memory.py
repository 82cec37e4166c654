"""What it looks like when memory runs out: every library says so in its own way."""

from __future__ import annotations

import errno
import re

OUT_OF_MEMORY = "out of memory"
#: As NumPy, PyTorch (on processors and GPUs), Arrow, the C++ library and the system put it.
_SAID = re.compile(
    r"unable to allocate|can't allocate memory|cannot allocate memory|out of memory|malloc of size|bad_alloc"
    r"|bad allocation|memory allocation (of \d+ bytes )?failed|cudnn_status_alloc_failed|cublas_status_alloc_failed",
    re.IGNORECASE,
)
_MOST_CAUSES = 20


def says_out_of_memory(text: str) -> bool:
    """Returns whether a message of some library says that memory has run out."""
    return _SAID.search(text) is not None


def ran_out(error: BaseException | None) -> bool:
    """Returns whether memory has run out, also where the exception came while one that says so was handled."""
    for _ in range(_MOST_CAUSES):
        if error is None:
            return False
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(error, (RuntimeError, ImportError, OSError, ValueError)) and says_out_of_memory(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
