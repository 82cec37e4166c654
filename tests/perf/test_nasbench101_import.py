"""Importing files as large as NAS-Bench-101's, and asking the table, against a dictionary that is asked by hash."""

from __future__ import annotations

import base64
import itertools
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import tfrecords
from metaopt.cells.graph import MOST_EDGES, OPS, CellGraph
from metaopt.tables.importers.published_cells import PUBLISHED_OPS
from metaopt.tables.importers.tfrecord import masked_crc
from metaopt.tables.table import Table

CELLS, SEEDS, VERTICES = 423_624, 3, 7
#: So many cells are asked for.
KNOWN = 2_000
CHILD = Path(__file__).with_name("import_nasbench101.py")


def graphs(largest: int = VERTICES) -> Iterator[tuple[str, CellGraph]]:
    """Adjacencies and graphs of all cells of NAS-Bench-101, large ones first."""
    for vertices in range(largest, 1, -1):
        pairs, seen = list(itertools.combinations(range(vertices), 2)), set[str]()
        for size in range(min(MOST_EDGES, len(pairs)), vertices - 2, -1):
            for edges in itertools.combinations(pairs, size):
                sources, targets = ({edge[end] for edge in edges} for end in (0, 1))
                if len(sources) == len(targets) == vertices - 1:  # no vertex is dead
                    yield from of_wiring(vertices, edges, seen)


def of_wiring(vertices: int, edges: tuple[tuple[int, int], ...], seen: set[str]) -> Iterator[tuple[str, CellGraph]]:
    """Those of one wiring that are not isomorphic to any that was seen."""
    matrix = np.zeros((vertices, vertices), dtype=int)
    matrix[tuple(np.transpose(edges))] = 1
    rows = tuple(map(tuple, matrix.tolist()))
    if CellGraph(rows, OPS[:1] * (vertices - 2)).hash in seen:
        return
    for ops in itertools.product(OPS, repeat=vertices - 2):
        graph = CellGraph(rows, ops)
        if graph.hash not in seen:
            seen.add(graph.hash)
            yield "".join(map(str, matrix.ravel())), graph


def messages(epochs: int, count: int, rng: np.random.Generator) -> list[bytes]:
    """So many ModelMetrics, alike but for their accuracies, in base64."""
    accuracies = rng.integers(4000, 9984, (count, 2, 3)) / 9984
    seconds = rng.random((count, 2)) * 20 * epochs
    pattern = tfrecords.metrics(epochs, [(0.1, 0.1, 0.1, 0.0), (2.0, 3.0, 4.0, 5.0), (6.0, 7.0, 8.0, 9.0)], 8_555_530)
    content = np.tile(np.frombuffer(pattern, np.uint8), (count, 1))
    places = {(time_, part): [2.0, 3.0, 4.0, 6.0, 7.0, 8.0][3 * time_ + part] for time_ in (0, 1) for part in range(3)}
    for (time_, part), marker in places.items():
        at = pattern.index(b"\x19!)"[part : part + 1] + struct.pack("<d", marker)) + 1
        content[:, at : at + 8] = accuracies[:, time_, part].astype("<f8")[:, None].view(np.uint8)
    for time_, marker in enumerate((5.0, 9.0)):
        at = pattern.index(b"\x11" + struct.pack("<d", marker)) + 1
        content[:, at : at + 8] = seconds[:, time_].astype("<f8")[:, None].view(np.uint8)
    return [base64.b64encode(row) for row in content]


def generate(path: Path, epochs: tuple[int, ...]) -> None:
    rng, names = np.random.default_rng(0), dict(zip(OPS, PUBLISHED_OPS, strict=True))
    with open(path, "wb", buffering=1 << 20) as file:
        cells = itertools.islice(graphs(), CELLS)
        while batch := list(itertools.islice(cells, 4096)):
            for number in epochs:
                texts = iter(messages(number, len(batch) * SEEDS, rng))
                for adjacency, graph in batch:
                    spelled = ",".join(["input", *(names[op] for op in graph.ops), "output"])
                    head = f'["{graph.hash}", {number}, "{adjacency}", "{spelled}", "'.encode()
                    for _ in range(SEEDS):
                        payload = head + next(texts) + b'"]'
                        length = struct.pack("<Q", len(payload))
                        file.write(
                            length
                            + struct.pack("<I", masked_crc(length))
                            + payload
                            + struct.pack("<I", masked_crc(payload))
                        )


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@pytest.mark.perf
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("epochs", [(108,), (4, 12, 36, 108)], ids=["only108", "full"])
def test_import_and_query(tmp_path: Path, epochs: tuple[int, ...], capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "nasbench.tfrecord", tmp_path / "nasbench101.parquet"
    generate(source, epochs)
    child = subprocess.run(
        [sys.executable, str(CHILD), str(source), str(out)], capture_output=True, text=True, check=True
    )
    took = json.loads(child.stdout)
    assert (took["records"], took["cells"]) == (CELLS * SEEDS * len(epochs), CELLS)
    lines = [
        f"{took['records']:,} records, {source.stat().st_size:,} bytes; table of {out.stat().st_size:,} bytes",
        *(
            f"{step}: {took[f'{step}_wall_s']:.1f} s, {took[f'{step}_cpu_s']:.1f} s of one core"
            for step in ("read", "order", "write")
        ),
        f"records/s: {took['records'] / took['read_wall_s']:,.0f}; "
        f"per second of one core {took['records'] / took['read_cpu_s']:,.0f}",
        f"peak memory: {took['peak_mb']:.0f} MB",
        *asked(out),
    ]
    source.unlink()
    with capsys.disabled():
        print("\n" + "\n".join(lines), end="")
    assert took["peak_mb"] < 1000


def asked(out: Path) -> Iterator[str]:
    """Says how long queries take, and holds them against looking cells up by the hash of each."""
    known = [graph for _, graph in itertools.islice(graphs(), KNOWN)]
    first = [seconds_of(lambda graph=graph: Table(out).query(graph)) for graph in known[:: KNOWN // 7]]  # type: ignore[misc]
    yield f"open and answer the first query: {1e3 * float(np.median(first)):.1f} ms (median of {len(first)})"
    table, hashes = Table(out), [graph.hash for graph in known]
    all_read_s = seconds_of(lambda: table.query_many(hashes[:1]))
    many = [hashes[n] for n in np.random.default_rng(1).integers(KNOWN, size=100_000)]
    batch_s = min(seconds_of(lambda: table.query_many(many)) for _ in range(5)) / len(many)
    plain = dict(zip((h.decode() for h in table.hashes), table.valid_error[:, :, -1], strict=True))

    def hashed_each_time() -> None:
        for graph in known:
            plain[CellGraph(graph.adjacency, graph.ops).hash]

    plain_s = min(seconds_of(hashed_each_time) for _ in range(3)) / KNOWN
    yield f"reading all errors for the first batch: {all_read_s:.2f} s"
    yield f"query in a batch: {1e6 * batch_s:.2f} us; hash and dictionary: {1e6 * plain_s:.1f} us"
    assert plain_s > 10 * batch_s
