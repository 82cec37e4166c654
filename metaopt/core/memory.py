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


def shortage(error: BaseException | None) -> BaseException | None:
    """Returns the exception that says that memory has run out, None if there is none.

    Args:
        error: That one; or one that came while it was handled, and may say something else, such as a damaged file.
    """
    for _ in range(_MOST_CAUSES):
        if error is None or _is_shortage(error):
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_shortage(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    said_as = (RuntimeError, ImportError, OSError, ValueError)
    # What wraps another one may only repeat it, with a guess of its own at the cause.
    return isinstance(error, said_as) and error.__context__ is None and says_out_of_memory(str(error))
