"""Imports a NumPy archive of NAS-Bench-101's results of cells in the three spaces of NAS-Bench-1Shot1.

N cells, E numbers of epochs, S trainings, at most V vertices:

| array | shape | |
|---|---|---|
| ``hash`` | (N, 16) | bytes of the NAS-Bench-101 hash |
| ``valid_correct``, ``test_correct`` | (N, E, S) | images that were classified correctly, out of 9,984 |
| ``epochs`` | (E,) | ascending |
| ``adjacency`` | (N, V, V) | 0 or 1, pruned, padded behind ``n_vertices`` |
| ``ops`` | (N, V) | per vertex 0 conv3x3, 1 conv1x1, 2 maxpool3x3, else 255 |
| ``n_vertices`` | (N,) | |
| ``in_space_bitmask`` | (N,) | bit s-1 for a cell of cell space s |

It has neither training errors nor times nor parameters, and need not have every cell of a space.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import OPS, prune
from metaopt.core.errors import CellError, TableError
from metaopt.core.system_errors import unreadable
from metaopt.tables.importers.evaluations import Evaluations, spaces_of
from metaopt.tables.importers.rules import Report, check_hash, counting, refused

#: Images of an evaluation: 10,000, of which whole batches of 256 are taken (Ying et al. 2019, released code).
IMAGES = 9_984
_DIMENSIONS = {
    "hash": 2, "valid_correct": 3, "test_correct": 3, "epochs": 1, "adjacency": 3, "ops": 2, "n_vertices": 1,
    "in_space_bitmask": 1,
}  # fmt: skip
_HINT = "metaopt benchmark import --help names the importers of other files"


def nb1shot1_npz(file: Path, report: Report) -> tuple[Evaluations, dict[str, Any]]:
    """Reads the archive.

    Args:
        file: The ``.npz`` file.
        report: Called with the bytes read and the bytes in all.

    Returns:
        All evaluations, and where they are from.

    Raises:
        TableError: if the file is damaged or another, or holds impossible values; names the array and the cell.
    """
    arrays, sha256 = _read(file)
    report(file.stat().st_size, file.stat().st_size)
    _check(arrays, file)
    hashes = np.array([row.tobytes().hex() for row in arrays["hash"].astype(np.uint8)], dtype="S32")
    keys = [_key(arrays, cell, hashes[cell].decode(), file) for cell in counting(range(len(hashes)), report)]
    order = np.argsort(hashes, kind="stable")
    if (twice := hashes[order][1:] == hashes[order][:-1]).any():
        one, other = min(zip(order[:-1][twice].tolist(), order[1:][twice].tolist(), strict=True))
        raise refused(file, f"cell {other}", f"is the same as cell {one}: {keys[one]}", _HINT)
    keys = [keys[cell] for cell in order.tolist()]
    spaces = spaces_of(hashes[order], keys)
    if (wrong := spaces != arrays["in_space_bitmask"][order]).any():
        cell, own = order[wrong][0], spaces[wrong][0]
        given = arrays["in_space_bitmask"][cell]
        raise refused(file, f"cell {cell}", f"has the in_space_bitmask {given}; that of its graph is {own}", _HINT)
    evaluations = Evaluations(
        hashes[order],
        keys,
        spaces,
        tuple(range(arrays["valid_correct"].shape[2])),
        tuple(arrays["epochs"].tolist()),
        {f"{part}_error": _errors(arrays[f"{part}_correct"][order]) for part in ("valid", "test")},
    )
    return evaluations, {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": sha256,
        "cells": len(hashes),
        "hashes_verified": len(hashes),
    }


def _errors(correct: NDArray[Any]) -> NDArray[np.float32]:
    """Returns shares of wrongly classified images, (N, S, E)."""
    errors: NDArray[np.float32] = (1 - correct / IMAGES).astype(np.float32).transpose(0, 2, 1)
    return errors


def _read(file: Path) -> tuple[dict[str, NDArray[Any]], str]:
    try:
        with open(file, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            archive = np.load(stream, allow_pickle=False)
            if lacking := [name for name in _DIMENSIONS if name not in archive]:
                raise TableError(f"{file} has no {', '.join(lacking)}: it is no archive of 1Shot1 cells", _HINT)
            return {name: archive[name] for name in _DIMENSIONS}, sha256
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise unreadable(error, file, "cannot be read, it is damaged or no .npz file", _HINT, TableError) from None


def _check(arrays: Mapping[str, NDArray[Any]], file: Path) -> None:
    """Checks shapes, and that every value is a possible one."""
    for name, dimensions in _DIMENSIONS.items():
        array = arrays[name]
        if array.ndim != dimensions or array.dtype.kind not in "ui" or not array.size:
            raise TableError(f"{file}: {name} is {array.dtype} {array.shape}; needed: integers, {dimensions}-D", _HINT)
    cells, numbers = len(arrays["hash"]), arrays["epochs"].size
    seeds, vertices = arrays["valid_correct"].shape[-1:], arrays["ops"].shape[-1:]
    shapes: dict[str, tuple[int, ...]] = {
        "hash": (cells, 16),
        **dict.fromkeys(("valid_correct", "test_correct"), (cells, numbers, *seeds)),
        "epochs": (numbers,),
        "adjacency": (cells, *vertices, *vertices),
        "ops": (cells, *vertices),
        **dict.fromkeys(("n_vertices", "in_space_bitmask"), (cells,)),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise TableError(f"{file}: {name} is {arrays[name].shape}; needed: {shape}", _HINT)
    bounds = {
        "valid_correct": (0, IMAGES),
        "test_correct": (0, IMAGES),
        "adjacency": (0, 1),
        "epochs": (1, (1 << 15) - 1),
    }
    bounds |= {"n_vertices": (2, *vertices), "in_space_bitmask": (0, 7), "hash": (0, 255), "ops": (0, 255)}
    for name, (low, high) in bounds.items():
        values = arrays[name]
        if (wrong := (values < low) | (values > high)).any():
            cell, *rest = np.argwhere(wrong)[0].tolist()
            what = f"has {values[wrong][0]} as {name}{rest or ''}; allowed: {low} to {high}"
            raise refused(file, "epochs" if name == "epochs" else f"cell {cell}", what, _HINT)
    if (np.diff(arrays["epochs"].astype(int)) <= 0).any():
        raise TableError(f"{file}: epochs is {arrays['epochs'].tolist()}; needed: ascending", _HINT)


def _key(arrays: Mapping[str, NDArray[Any]], cell: int, stored: str, file: Path) -> str:
    """Returns the key of a cell's graph, which is checked, and whose hash must equal the stored one."""
    vertices = int(arrays["n_vertices"][cell])
    codes = arrays["ops"][cell, 1 : vertices - 1].tolist()
    if any(code >= len(OPS) for code in codes):
        allowed = f"0 to {len(OPS) - 1}, one per vertex between input and output"
        raise refused(file, f"cell {cell}", f"has the operations {codes}; allowed: {allowed}", _HINT)
    try:
        graph = prune(arrays["adjacency"][cell, :vertices, :vertices].tolist(), [OPS[code] for code in codes])
        check_hash(stored, graph)
    except CellError as error:
        raise refused(file, f"cell {cell}", f"is not a cell: {error.message}", _HINT) from None
    except ValueError as error:
        raise refused(file, f"cell {cell}", str(error), _HINT) from None
    return graph.key
