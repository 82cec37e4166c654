from __future__ import annotations

import subprocess
import sys

from metaopt.core.seeds import seed_integer, stream


def test_a_name_is_the_same_stream_in_every_process() -> None:
    code = "from metaopt.core.seeds import seed_integer; print(seed_integer(3, 7, 'weights'))"
    for hash_seed in ("0", "1"):
        out = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        assert int(out.stdout) == seed_integer(3, 7, "weights")


def test_streams_differ_by_every_part_of_their_path() -> None:
    paths = [(0, 1, "a"), (0, 1, "b"), (0, 2, "a"), (1, 1, "a"), ("a", 0, 1)]
    assert len({seed_integer(*path) for path in paths}) == len(paths)
    assert stream(0, 1, "a").random() == stream(0, 1, "a").random()
