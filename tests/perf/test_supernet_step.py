"""One training step of the supernet, forward and backward, against the published structure restated plainly.

Both have the same weights and, by a check, the same logits and the same gradient. The restatement runs in PyTorch's
default layout, as the published code does, and once more in ours, so that the layout does not hide in the ratio.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path as FilePath

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.base import SearchParts
from metaopt.oneshot.gdas import Gdas, GdasSettings
from metaopt.oneshot.pcdarts import PcDarts, PcDartsSettings
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.mix import Mix, Mixes, Path
from metaopt.oneshot.supernet.supernet import ChoiceBlock, Supernet, SupernetScale

sys.path.insert(0, str(FilePath(__file__).parent))
from plain_supernet import PlainMix, PlainSupernet, take_weights

pytestmark = pytest.mark.perf

SPACE = CELL_SPACES[1]
#: Channels, cells, channels of the images, their side, images per batch, rounds. The second is 1Shot1's but for the
#: batch of 96, which is a matter of minutes on one core.
SCALES = {"digits": (8, 3, 1, 8, 96, 40), "published": (16, 9, 3, 32, 16, 7)}
#: What ours may take of the restatement in the default layout, and in ours.
TARGETS = {"darts": (0.7, 1.0), "pcdarts": (0.95, 1.0), "gdas": (0.7, 1.0), "randomws": (0.5, 0.5)}


def weights_of(path: Path) -> Mix:
    """The 0/1 weights of a cell, as the published code masks the whole supernet."""
    ops = F.one_hot(torch.tensor(path.ops), 3).float()
    rows = [torch.tensor([float(i in parents) for i in range(j)]) for j, parents in enumerate(path.cell.parents, 1)]
    return Mix(ops, rows[-1], tuple(rows[:-1]))


def draw(name: str, arch: ArchParameters, supernet: Supernet, step: int) -> tuple[Mixes, list[Mix]]:
    """What ours and the restatement run under in one step of an optimizer."""
    cells = len(supernet.cells)
    if name == "randomws":
        path = Path(SPACE.sample(np.random.default_rng(step)))
        return path, [weights_of(path)] * cells
    if name == "gdas":
        gdas = object.__new__(Gdas)
        gdas.arch, gdas.settings, gdas.elapsed = arch, GdasSettings(), 0.5
        gdas.parts = SearchParts(SPACE, supernet, None, None, torch.Generator().manual_seed(step))  # type: ignore[arg-type]
        mixes = gdas.mix()
        return mixes, mixes
    mix = arch.softmax()
    return mix, [mix] * cells


def plainly(mixes: list[Mix]) -> list[PlainMix]:
    return [(mix.ops, mix.output, mix.inputs, mix.chosen) for mix in mixes]


def seconds(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", TARGETS)
def test_a_step_against_its_restatement(name: str, scale: str) -> None:
    torch.set_num_threads(1)
    channels, cells, in_channels, side, n, rounds = SCALES[scale]
    torch.manual_seed(0)
    partial = 4 if name == "pcdarts" else 1
    block = PcDarts.block(PcDartsSettings()) if name == "pcdarts" else ChoiceBlock
    ours = Supernet(SPACE, SupernetScale(channels, cells), in_channels=in_channels, classes=10, block=block)
    ours = ours.to(memory_format=torch.channels_last)
    plains = [
        PlainSupernet(SPACE.n_nodes, channels, cells, in_channels=in_channels, classes=10, partial=partial)
        for _ in range(2)
    ]
    for plain in plains:
        take_weights(plain, ours)
    plains[1].to(memory_format=torch.channels_last)
    images, labels = torch.randn(n, in_channels, side, side), torch.arange(n) % 10
    layouts = [images, images.contiguous(memory_format=torch.channels_last)]
    arch = ArchParameters.draw(SPACE, torch.Generator().manual_seed(0), torch.device("cpu"))

    def loss(net: Callable[..., Tensor], x: Tensor, under: object) -> Tensor:
        return F.cross_entropy(net(x, under), labels)

    under, restated = draw(name, arch, ours, 0)
    losses = loss(ours, images, under), loss(plains[0], images, plainly(restated))
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)
    times: list[list[float]] = [[], [], []]
    for step in range(rounds):
        for kind in range(3):
            under, restated = draw(name, arch, ours, step)
            if kind == 0:
                run = lambda: loss(ours, images, under).backward()  # noqa: B023, E731
            else:
                run = lambda: loss(plains[kind - 1], layouts[kind - 1], plainly(restated)).backward()  # noqa: B023, E731
            times[kind].append(seconds(run))
    mine, plain, same_layout = (statistics.median(kind[2:]) for kind in times)
    print(
        f"\n{name} at the scale {scale}: ours {mine * 1e3:.1f} ms, restated {plain * 1e3:.1f} ms (ratio"
        f" {mine / plain:.2f}), restated in our layout {same_layout * 1e3:.1f} ms (ratio {mine / same_layout:.2f})"
    )
    assert mine / plain <= TARGETS[name][0]
    assert mine / same_layout <= TARGETS[name][1]
