from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from metaopt.oneshot.checkpoint.checkpoint import FORMAT, pack, unpack
from metaopt.oneshot.checkpoint.checksum import UnusableCheckpointError, metadata, with_checksum
from searches import small_search

SEARCH = {"seed": 3, "settings": {"momentum": 0.9, "names": ("a", "b")}}


def back(state: Any) -> Any:
    return unpack(pack(SEARCH, {}, state), SEARCH)[1]


def test_plain_values_come_back_to_the_last_bit() -> None:
    state = {"float": 0.1 + 0.2, "tiny": 5e-324, "nothing": None, "yes": True, "text": 'ü"', 3: [1, [2.5, {}], []]}
    assert back(state) == state
    assert [type(key) for key in back(state)] == [str] * 5 + [int]
    assert back((1, 2)) == [1, 2]
    assert math.isnan(back(math.nan))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(3.5),
        torch.zeros(0),
        torch.arange(6).view(2, 3),
        torch.arange(6.0).view(2, 3).T,
        torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1)).to(memory_format=torch.channels_last),
        torch.empty_strided((8, 4, 1, 1), (4, 1, 4, 4)).fill_(1.0),
        torch.tensor([True, False]),
        torch.Generator().get_state(),
        torch.tensor([math.nan, math.inf, -0.0], dtype=torch.float64),
        torch.arange(9.0)[2:5].requires_grad_(),
    ],
)
def test_tensors_come_back_as_they_lay_in_memory(tensor: torch.Tensor) -> None:
    (got,) = back([tensor])
    assert (got.dtype, got.shape, got.stride()) == (tensor.dtype, tensor.shape, tensor.stride())
    assert got.numpy().tobytes() == tensor.detach().numpy().tobytes()
    assert got.untyped_storage().nbytes() == got.numel() * got.element_size(), "it must not drag the others along"


@pytest.mark.parametrize("view", [torch.arange(3.0).expand(4, 3), torch.arange(12.0).view(3, 4)[:, 1:3]])
def test_what_has_gaps_or_overlaps_in_memory_comes_back_without(view: torch.Tensor) -> None:
    (got,) = back([view])
    assert torch.equal(got, view)
    assert got.is_contiguous()


def test_figures_stand_beside_the_state() -> None:
    assert unpack(pack(SEARCH, {"cost_s": 1.5}, {}), SEARCH) == ({"cost_s": 1.5}, {})


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="not PosixPath"):
        pack(SEARCH, {}, {"path": [Path()]})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({**SEARCH, "seed": 4}, "of another search: its seed is 3, not 4"),
        ({**SEARCH, "more": 1}, "its more is null, not 1"),
        ({"seed": 3}, "its settings is .*, not null"),
    ],
)
def test_another_search_is_told_apart(other: dict[str, Any], message: str) -> None:
    with pytest.raises(UnusableCheckpointError, match=message):
        unpack(pack(SEARCH, {}, {}), other)


def test_another_format_is_refused() -> None:
    raw = with_checksum(save({}, metadata({"format": FORMAT + 1})))
    with pytest.raises(UnusableCheckpointError, match=f"of format {FORMAT + 1}, not {FORMAT}"):
        unpack(raw, SEARCH)


@pytest.mark.parametrize(
    "content",
    [{"state": {"mapping": 3}}, {"state": {"tensor": "float32"}}, {"state": {}}, {}, {"state": {"tensor": 1}}],
)
def test_a_whole_file_of_something_else_is_refused(content: dict[str, Any]) -> None:
    raw = with_checksum(save({}, metadata({"format": FORMAT, "search": SEARCH, "figures": {}, **content})))
    with pytest.raises(UnusableCheckpointError, match="not readable"):
        unpack(raw, json.loads(json.dumps(SEARCH)))


def test_the_whole_state_of_a_search_comes_back() -> None:
    search = small_search("darts", early_stopping="code", drop_path_prob=0.3)
    state = search.begin(6)
    epochs = search.training(state)
    for _ in range(3):
        next(epochs)
    snapshot, identity = state.save(), search.identity(6)
    raw = pack(identity, {}, snapshot)
    fresh = small_search("darts", early_stopping="code", drop_path_prob=0.3)
    assert fresh.identity(6) == identity
    restored = fresh.begin(6, unpack(raw, identity)[1])
    again = pack(identity, {}, restored.save())
    assert comparable(unpack(again, identity)[1]) == comparable(unpack(raw, identity)[1])


def comparable(tree: Any) -> Any:
    """Returns a snapshot with its tensors as what can be compared; the order in a file is the library's affair."""
    if isinstance(tree, torch.Tensor):
        return tree.dtype, tree.shape, tree.stride(), tree.tolist()
    if isinstance(tree, dict):
        return {key: comparable(value) for key, value in tree.items()}
    return [comparable(value) for value in tree] if isinstance(tree, list | tuple) else tree
