"""A search between two epochs as one safetensors file: tensors as such, all else as JSON in the file's metadata.

Nothing in it is code. It is one file, so that one atomic replacement keeps it consistent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from metaopt.oneshot.checkpoint.checksum import UnusableCheckpointError, metadata, read, with_checksum

FORMAT = 1

_TENSOR, _MAPPING, _SEQUENCE = "tensor", "mapping", "sequence"
_LONGEST = 80  # characters of a value in a message


def pack(search: Mapping[str, Any], figures: Mapping[str, Any], state: Any) -> bytes:
    """Returns the content of a checkpoint.

    Args:
        search: What search it belongs to, plain JSON values.
        figures: Plain JSON values beside the state, which can be read without torch.
        state: Nested mappings with keys of text or whole numbers, lists and tuples, which come back as lists, of
            tensors and plain JSON values.
    """
    flat = _Flat()
    content = {"format": FORMAT, "search": search, "figures": figures, "state": _flattened(state, flat)}
    return with_checksum(save(flat.tensors, metadata(content)))


def unpack(raw: bytes, search: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Returns the figures and the state in a checkpoint; tensors are on the CPU, laid out in memory as they were.

    Args:
        raw: Its content.
        search: What search it is to belong to.

    Raises:
        UnusableCheckpointError: if it is damaged, of another format, or of another search.
    """
    content = read(raw)
    if content.get("format") != FORMAT:
        raise UnusableCheckpointError(f"of format {content.get('format')}, not {FORMAT}")
    if differing := _difference(content.get("search", {}), json.loads(json.dumps(search))):
        raise UnusableCheckpointError(f"of another search: {differing}")
    try:
        return content["figures"], _restored(content["state"], load(raw))
    except (SafetensorError, LookupError, TypeError, RuntimeError) as error:
        raise UnusableCheckpointError(f"not readable: {type(error).__name__}: {error}") from None


def _difference(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Returns the first thing in which two searches differ, in words; empty if they do not."""
    for name in {**wanted, **kept}:
        if kept.get(name) != wanted.get(name):
            return f"its {name} is {_brief(kept.get(name))}, not {_brief(wanted.get(name))}"
    return ""


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class _Flat:
    """Tensors end to end, one long tensor per type of number: a file of a thousand small ones would take long."""

    def __init__(self) -> None:
        self._parts: dict[torch.dtype, list[Tensor]] = {}
        self._lengths: dict[torch.dtype, int] = {}

    def add(self, tensor: Tensor) -> dict[str, Any]:
        """Takes a tensor and returns where it is, as plain JSON values."""
        tensor = tensor.detach().cpu()
        if not _is_dense(tensor):
            tensor = tensor.contiguous()
        at = self._lengths.get(tensor.dtype, 0)
        # In the order in memory: the layout decides which code adds up, and so the last bit of what comes out.
        self._parts.setdefault(tensor.dtype, []).append(tensor.as_strided((tensor.numel(),), (1,)))
        self._lengths[tensor.dtype] = at + tensor.numel()
        shape, strides = list(tensor.shape), list(tensor.stride())
        return {_TENSOR: str(tensor.dtype).removeprefix("torch."), "at": at, "shape": shape, "strides": strides}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All of them by the names of their types."""
        return {str(dtype).removeprefix("torch."): torch.cat(parts) for dtype, parts in self._parts.items()}


def _is_dense(tensor: Tensor) -> bool:
    """Returns whether the numbers of a tensor have one place in memory each, without gaps between them."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _flattened(tree: Any, flat: _Flat) -> Any:
    """Returns ``tree`` as JSON values, its tensors put into ``flat``."""
    if isinstance(tree, Tensor):
        return flat.add(tree)
    if isinstance(tree, Mapping):
        return {_MAPPING: [[key, _flattened(value, flat)] for key, value in tree.items()]}
    if isinstance(tree, list | tuple):
        return {_SEQUENCE: [_flattened(value, flat) for value in tree]}
    if tree is None or isinstance(tree, str | int | float):
        return tree
    raise TypeError(f"a checkpoint holds tensors and plain values, not {type(tree).__name__}")


def _restored(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if _MAPPING in tree:
        return {key: _restored(value, tensors) for key, value in tree[_MAPPING]}
    if _SEQUENCE in tree:
        return [_restored(value, tensors) for value in tree[_SEQUENCE]]
    return tensors[tree[_TENSOR]].as_strided(tree["shape"], tree["strides"], tree["at"]).clone()
