from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from metaopt.cells.graph import CellGraph
from metaopt.images import ImageData, digits
from metaopt.tables.building.training import standardised, train_networks
from metaopt.tables.protocol import NetworkScale, Protocol

GRAPH = CellGraph.from_key("111:conv3x3")
OTHER = CellGraph.from_key("111:conv1x1")
PROTOCOL = Protocol(epochs=(1, 3), batch_size=32, learning_rate=0.1, momentum=0.9, weight_decay=5e-4)
SCALE = NetworkScale(channels=4)


def small() -> ImageData:
    data = digits()
    (images, labels), valid = data.train, data.valid
    return replace(data, train=(images[:128], labels[:128]), read_valid=lambda: (valid[0][:150], valid[1][:150]))


def test_training_learns_and_repeats_itself() -> None:
    runs = [train_networks([GRAPH, OTHER], [0, 0], digits(), SCALE, PROTOCOL) for _ in range(2)]
    first, last = runs[0]
    assert (first.epochs, last.epochs) == (1, 3)
    assert last.valid_error.shape == (2,)
    assert last.valid_error[0] < 0.35 < 0.5 < first.valid_error[0]
    assert 0 < first.cost_s < last.cost_s
    for a, b in zip(*runs, strict=True):
        assert torch.equal(a.valid_error, b.valid_error)
        assert torch.equal(a.test_error, b.test_error)


def test_the_seed_decides_weights_and_order() -> None:
    (point,) = train_networks([GRAPH] * 3, [0, 1, 0], small(), SCALE, Protocol((1,), 32, 0.1, 0.9, 0.0))
    assert point.train_error[0] == point.train_error[2]
    assert point.train_error[0] != point.train_error[1]


def test_a_network_trains_as_if_alone() -> None:
    protocol = Protocol((1,), 64, 0.05, 0.9, 5e-4)  # two steps: later, rounding grows
    (together,) = train_networks([OTHER, GRAPH], [1, 0], small(), SCALE, protocol)
    (alone,) = train_networks([GRAPH], [0], small(), SCALE, protocol)
    assert abs(together.valid_error[1] - alone.valid_error[0]) <= 2 / 150


def test_images_are_standardised_by_channel() -> None:
    data = replace(digits(), mean=np.array([1, 2], np.float32), deviation=np.array([2, 4], np.float32))
    levels = torch.tensor([[[3, 4], [0, 255]]], dtype=torch.uint8)
    assert standardised(levels, data).tolist() == [[[1, 0.5], [-0.5, 63.25]]]
    train = torch.from_numpy(digits().train[0])
    assert abs(float(standardised(train, digits()).mean())) < 1e-5
    assert abs(float(standardised(train, digits()).std()) - 1) < 1e-3
