from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfrecords
from metaopt.cells.graph import CellGraph
from metaopt.core.errors import TableError
from metaopt.tables.importers.nasbench101_records import Records
from tfrecords import CHAIN, FORK, spell

MATRIX, NAMES = spell(CHAIN.adjacency, CHAIN.ops)
HASH, DIRECT = CHAIN.hash, CellGraph.from_key("1")
TIMES = [(0.1, 0.1, 0.1, 0.0), (0.5, 0.25, 0.125, 8.0), (0.75, 0.5, 0.25, 16.0)]
METRICS = base64.b64encode(tfrecords.metrics(4, TIMES, 300)).decode()


def record(**changes: Any) -> bytes:
    entries = {"hash": HASH, "epochs": 4, "adjacency": MATRIX, "operations": NAMES, "metrics": METRICS}
    return json.dumps(list({**entries, **changes}.values())).encode()


def test_columns() -> None:
    records = Records(Path("f"))
    other = {"hash": DIRECT.hash, "adjacency": "0100", "operations": "input,output"}
    records.add([record(), record(**other, epochs=108, metrics=of_epochs(108))])
    records.add([record(**other), record()])
    assert (records.hashes, records.keys) == ([HASH, DIRECT.hash], [CHAIN.key, "1"])
    taken = {name: records.take(name).tolist() for name in ("cell", "epochs", "parameters")}
    assert taken == {"cell": [0, 1, 1, 0], "epochs": [4, 108, 4, 4], "parameters": [300] * 4}
    assert records.take("valid_error").tolist() == [0.5] * 4
    assert records.take("halfway_test_error").tolist() == [0.875] * 4
    assert records.take("cost_s").dtype == np.float32
    mine = records.take("fingerprint").tolist()
    assert mine[0] == mine[2] == mine[3] != mine[1]


def test_a_cell_may_be_spelled_in_several_ways() -> None:
    records = Records(Path("f"))
    twin = {"adjacency": "0110000100010000", "operations": "input,maxpool3x3,conv1x1-bn-relu,output"}
    records.add([record(hash=FORK.hash, **spelled_as(FORK)), record(hash=FORK.hash, **twin)] * 2)
    assert (records.hashes, records.keys, records.take("cell").tolist()) == ([FORK.hash], [FORK.key], [0, 0, 0, 0])


def spelled_as(graph: CellGraph) -> dict[str, str]:
    return dict(zip(("adjacency", "operations"), spell(graph.adjacency, graph.ops), strict=True))


def of_epochs(epochs: float) -> str:
    return base64.b64encode(tfrecords.metrics(epochs, TIMES, 300)).decode()  # type: ignore[arg-type]


def test_base64_with_line_breaks() -> None:
    records = Records(Path("f"))
    text = base64.encodebytes(base64.b64decode(METRICS)).decode()
    assert "\n" in text
    records.add([record(metrics=text)])
    assert records.take("parameters").tolist() == [300]


def broken(**values: float) -> str:
    times = [list(entries) for entries in TIMES]
    for name, value in values.items():
        times[int(name[-1])]["tvsc".index(name[0])] = value
    return base64.b64encode(tfrecords.metrics(4, times, 300)).decode()  # type: ignore[arg-type]


WRONG = [
    (b"no JSON", "is not JSON: b'no JSON'"),
    (b"\xff\xfe", "is not JSON"),
    (b"[" * 100_000, "is not JSON"),
    (b"", "is not JSON"),
    (b'{"a": 1}', "needed: an array of hash"),
    (record()[:-1] + b', "more"]', "needed: an array of hash"),
    (record(hash=5), "needed: an array of hash"),
    (record() + b", " + record(), "is not JSON"),
    (record(epochs=True), "needed: an array of hash"),
    (record(epochs=4.0), "needed: an array of hash"),
    (record(epochs=5), "has 5 epochs; allowed: 4, 12, 36, 108"),
    (record(hash="0" * 31), "has the hash '0{31}'; needed: 32 hexadecimal digits"),
    (record(hash="G" * 32), "needed: 32 hexadecimal digits"),
    (
        record(hash=DIRECT.hash),
        f"has the cell {CHAIN.key} with the hash {DIRECT.hash}; NAS-Bench-101's of it is {HASH}",
    ),
    (record(**spelled_as(FORK)), f"has the cell {FORK.key} with the hash {HASH}; NAS-Bench-101's of it is {FORK.hash}"),
    (record(metrics=of_epochs(12)), "has 4 epochs, and metrics of 6 halfway"),
    (record(epochs=108), "has 108 epochs, and metrics of 2 halfway"),
    (record(metrics=METRICS, epochs=12), "has 12 epochs, and metrics of 2 halfway"),
    (record(adjacency="01"), "0s and 1s of a square matrix"),
    (record(adjacency="000100000"), "not strictly upper triangular"),
    (record(operations="input,avgpool,output"), "has the operation 'avgpool'; allowed: conv3x3-bn-relu"),
    (record(metrics="abc"), "metrics that are not base64"),
    (record(metrics=""), "has 0 evaluations"),
    (record(metrics=METRICS[: len(METRICS) // 8 * 4]), "has no number or no end"),
    (record(metrics=broken(v2=1.5)), "has 1.5 as an accuracy; allowed: 0 to 1"),
    (record(metrics=broken(s1=-0.5)), "has -0.5 as an accuracy"),
    (record(metrics=broken(t1=float("nan"))), "has nan as an accuracy"),
    (record(metrics=broken(c2=-1.0)), "has -1.0 as seconds; allowed: above 0"),
    (record(metrics=broken(c2=0.0)), "has 0.0 as seconds; allowed: above 0"),
    (record(metrics=broken(c1=0.0)), "has 0.0 as seconds"),
    (record(metrics=broken(c1=float("inf"))), "has inf as seconds"),
    (record(metrics=base64.b64encode(tfrecords.metrics(4, TIMES, 2**31)).decode()), "more trainable_parameters"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
def test_what_is_no_record_is_refused_by_its_number(wrong: bytes, text: str) -> None:
    records = Records(Path("f"))
    records.add([record(), record()])
    with pytest.raises(TableError, match=f"^f, record 4, .*{text}"):
        records.add([record(), wrong, record()])


def test_what_the_start_of_training_says_does_not_matter() -> None:
    records = Records(Path("f"))
    records.add([record(metrics=broken(v0=float("nan")))])
    assert records.take("valid_error").tolist() == [0.5]


@pytest.mark.parametrize("epochs", [4.0, 3.98, 4.1])
def test_epochs_are_said_as_steps_end(epochs: float) -> None:
    records = Records(Path("f"))
    records.add([record(metrics=of_epochs(epochs))])
    assert records.take("epochs").tolist() == [4]
