"""The card of a benchmark: what it is, where it comes from, how its table was made."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt import paths
from metaopt.errors import unknown_name
from metaopt.tables.networks import NetworkScale
from metaopt.tables.training import Protocol
from metaopt.yaml_file import read_yaml


@dataclass(frozen=True)
class Card:
    """A benchmark's card as written in ``benchmarks/cards/NAME.yaml``, with the parts that are settings typed.

    Attributes:
        name: Of the benchmark.
        text: The whole card as plain values.
        network: Size of the networks in the table.
        protocol: How they were trained.
        seeds: Seeds of their trainings.
    """

    name: str
    text: Mapping[str, Any]
    network: NetworkScale
    protocol: Protocol
    seeds: tuple[int, ...]

    @property
    def digest(self) -> str:
        """Changes with everything that the rows of a table depend on."""
        content = repr((self.network, self.protocol, self.seeds, self.text["images"], self.text["split"]))
        return f"{zlib.crc32(content.encode()):08x}"

    def table_name(self, cell_space: int) -> str:
        """Returns the file name of the table of one cell space."""
        return f"{self.name}-{cell_space}.parquet"


def card_names() -> list[str]:
    """Returns the names of all shipped benchmarks."""
    return sorted(path.stem for path in (paths.data_folder("benchmarks") / "cards").glob("*.yaml"))


def load_card(name: str) -> Card:
    """Reads the card of a shipped benchmark.

    Raises:
        ConfigError: if there is no benchmark of that name, or if its card is not proper YAML.
    """
    path: Path = paths.data_folder("benchmarks") / "cards" / f"{name}.yaml"
    if name not in card_names():
        raise unknown_name("benchmark", name, card_names(), "metaopt benchmark list shows them")
    text = read_yaml(path)
    training = dict(text["training"])
    seeds = tuple(training.pop("seeds"))
    protocol = Protocol(**{**training, "epochs": tuple(training["epochs"])})
    return Card(name, text, NetworkScale(**text["network"]), protocol, seeds)
