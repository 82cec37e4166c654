"""One GPU for each worker: those that a process may see are claimed, so that no two workers take the same."""

from __future__ import annotations

import itertools
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from metaopt.core.file_lock import try_lock

_VISIBLE = "CUDA_VISIBLE_DEVICES"
#: Descriptors of what this process has claimed; the system frees it when the process dies.
_claims: list[int] = []


def visible_gpus() -> list[str]:
    """Returns the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them; costs no import of torch."""
    if (named := os.environ.get(_VISIBLE)) is not None:
        return [gpu for gpu in map(str.strip, named.split(",")) if gpu and gpu != "-1"]
    return sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))


def claim_gpu(gpus: Sequence[str]) -> str | None:
    """Returns the one of ``gpus`` that the fewest workers of this machine have claimed so far, None if there are none.

    It is this process's until it dies, also beside other runs of the same user; asked again, it is the same one. From
    then on, the process and those that it starts see no other.

    Raises:
        PermissionError: if the folder of the claims is not this user's alone.
    """
    if not gpus:
        return None
    if _claims:
        return os.environ[_VISIBLE]
    for turn in itertools.count():
        for gpu in gpus:
            if _try_claim(gpu, turn):
                os.environ[_VISIBLE] = gpu
                return gpu
    raise AssertionError("some turn is free")


def _try_claim(gpu: str, turn: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"metaopt-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # anybody may have made it, where everybody may write
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{folder} is not a folder of this user alone; remove it")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(folder / f"{gpu.replace('/', '-')}.{turn}", flags, 0o600)
    if try_lock(descriptor):
        _claims.append(descriptor)
        return True
    os.close(descriptor)
    return False
