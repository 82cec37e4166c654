"""The card of a benchmark: what it is, where it comes from, how its table was made."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.core import paths
from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.yaml_file import read_yaml
from metaopt.tables.protocol import NetworkScale, Protocol

# A file of the folder of tables, with the cell space in it or not: no path, nothing else that format() would fill in.
_TABLE = re.compile(r"\w[\w.-]*(\{space\}[\w.-]*)?")

#: What every card has; one of a benchmark that metaopt trains also has ``network`` and ``training``, others ``get``.
_ENTRIES = ("name", "title", "images", "source", "licence", "split", "table", "unknown", "search", "columns")


@dataclass(frozen=True)
class Round:
    """The best ``cells`` of a table, by validation and by test error, are to have ``seeds`` trainings each."""

    cells: int
    seeds: int


@dataclass(frozen=True)
class Card:
    """A benchmark's card as written in ``benchmarks/cards/NAME.yaml``, with the parts that are settings typed.

    Attributes:
        name: Of the benchmark.
        text: The whole card as plain values.
        network: Size of the networks in the table; None where they were not trained by metaopt.
        protocol: How they were trained; None likewise.
    """

    name: str
    text: Mapping[str, Any]
    network: NetworkScale | None
    protocol: Protocol | None

    @property
    def digest(self) -> str:
        """Changes with everything that the evaluation of one cell with one seed depends on."""
        content = repr((self.network, self.protocol, self.text["images"], self.text["split"]))
        return f"{zlib.crc32(content.encode()):08x}"

    def table_name(self, cell_space: int) -> str:
        """Returns the file name of the table of one cell space; several may share one."""
        name: str = self.text["table"].format(space=cell_space)
        return name

    def seeds(self, cell_space: int) -> tuple[int, ...]:
        """Returns the seeds that the cells of a cell space are trained with."""
        return tuple(self.text["training"]["seeds"][cell_space])

    def rounds(self, cell_space: int) -> tuple[Round, ...]:
        """Returns which cells of a cell space are trained with more seeds, and with how many."""
        return tuple(Round(**entry) for entry in self.text["training"].get("again", {}).get(cell_space, ()))

    def sample(self, cell_space: int) -> int | None:
        """Returns how many distinct cells are drawn to be trained; None: all are trained."""
        size: int | None = self.text["training"].get("sample", {}).get(cell_space)
        return size


def card_names() -> list[str]:
    """Returns the names of all benchmarks, shipped ones and the user's own."""
    return sorted(_cards())


def _cards() -> dict[str, Path]:
    folders = (paths.home() / "cards", paths.data_folder("benchmarks") / "cards")
    return {path.stem: path for folder in folders for path in folder.glob("*.yaml")}


def load_card(name: str) -> Card:
    """Reads the card of a benchmark.

    Raises:
        ConfigError: if there is no benchmark of that name, or if its card is not proper YAML, lacks an entry, or
            names a table that is no file name.
    """
    cards = _cards()
    if name not in cards:
        raise unknown_name("benchmark", name, cards, "metaopt benchmark list shows them")
    text = read_yaml(cards[name])
    lacking = [entry for entry in _ENTRIES if not isinstance(text, dict) or entry not in text]
    if lacking:
        raise ConfigError(
            f"the card {cards[name]} has no {', '.join(lacking)}", "CONTRIBUTING.md says what a card holds"
        )
    if not isinstance(text["table"], str) or not _TABLE.fullmatch(text["table"]):
        raise ConfigError(
            f"the card {cards[name]} names the table {text['table']!r}",
            "write a file name, with {space} for the number of the cell space",
        )
    if "training" not in text:
        return Card(name, text, None, None)
    training = {key: value for key, value in text["training"].items() if key not in ("seeds", "sample", "again")}
    try:
        protocol = Protocol(**{**training, "epochs": tuple(training["epochs"])})
        return Card(name, text, NetworkScale(**text["network"]), protocol)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the card {cards[name]} does not say how its networks are trained: {error}",
            "the card of digits has all that is needed: metaopt benchmark info digits",
        ) from None
