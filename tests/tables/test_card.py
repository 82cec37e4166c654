from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from metaopt.core import paths
from metaopt.core.errors import ConfigError
from metaopt.images import load_images
from metaopt.settings.search import UNKNOWN
from metaopt.tables.card import card_names, load_card
from metaopt.tables.protocol import NetworkScale, Protocol
from metaopt.tables.schema import REQUIRED, SCHEMA


@pytest.mark.parametrize("name", card_names())
def test_every_card_is_complete(name: str) -> None:
    card = load_card(name)
    assert card.text["name"] == name
    assert set(REQUIRED) <= set(card.text["columns"]) <= set(SCHEMA.names)
    assert card.text["unknown"] in UNKNOWN
    assert {"channels", "cells", "min_epochs", "max_epochs"} == card.text["search"].keys()
    assert sum(card.text["split"][part] for part in ("train", "valid", "test"))
    assert (card.protocol is None) == ("get" in card.text)


def test_the_card_of_digits_is_that_of_its_images() -> None:
    card = load_card("digits")
    data = load_images(card.text["images"])
    split = {part: len(getattr(data, part)[1]) for part in ("train", "valid", "test")}
    assert split == {part: card.text["split"][part] for part in split}
    assert card.protocol is not None
    assert card.network is not None
    assert list(card.protocol.epochs) == sorted(set(card.protocol.epochs))
    assert card.network.in_channels == data.in_channels


def test_the_digest_tells_cards_apart() -> None:
    card = load_card("digits")
    assert card.digest == load_card("digits").digest
    assert card.network is not None
    assert card.protocol is not None
    others = [replace(card, network=replace(card.network, channels=4))]
    others += [replace(card, network=replace(card.network, batch_norm_momentum=0.1))]
    others += [replace(card, protocol=replace(card.protocol, nesterov=False))]
    assert card.digest not in {other.digest for other in others}


def test_whatever_trains_a_network_stands_on_the_card() -> None:
    """A setting with a default in the code alone would train a table that its card does not tell of."""
    card = load_card("digits")
    network, training = card.text["network"], card.text["training"]
    of_images = {"in_channels", "classes"}
    assert {field.name for field in fields(NetworkScale)} == network.keys() | of_images
    assert {field.name for field in fields(Protocol)} == training.keys() - {"seeds", "sample", "again"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("initial_weights: glorot", r"initial_weights is 'glorot'; allowed: he_normal"),
        ("schedule: step", r"schedule is 'step'; allowed: cosine"),
        ("momentun: 0.9", "momentun"),
    ],
)
def test_a_card_with_another_training_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    shipped = (paths.data_folder("benchmarks") / "cards" / "digits.yaml").read_text()
    name = {"momentun": "momentum"}.get(entry.split(":")[0], entry.split(":")[0])
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "mine.yaml").write_text(re.sub(rf"(?m)^  {name}: .*$", f"  {entry}", shipped))
    with pytest.raises(ConfigError, match=rf"mine.yaml does not say how its networks are trained: .*{message}"):
        load_card("mine")


def test_a_card_is_read_strictly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "mine.yaml").write_text("name: mine\nname: other\n")
    monkeypatch.setattr(paths, "data_folder", lambda kind: tmp_path)
    with pytest.raises(ConfigError, match=r"mine\.yaml, line 2, column 1: the key 'name' stands twice"):
        load_card("mine")


def test_a_card_of_the_user_is_found_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    own = tmp_path / "cards" / "mine.yaml"
    own.parent.mkdir()
    own.write_text("name: mine\n")
    assert card_names() == sorted({*card_names(), "mine"})
    with pytest.raises(ConfigError, match=r"mine\.yaml has no title, images, source"):
        load_card("mine")
    entries = ("title", "source", "licence", "split", "table", "unknown", "search", "columns", "get")
    own.write_text("\n".join(["name: mine", "images: digits", *(f"{entry}: x" for entry in entries)]))
    assert load_card("mine").protocol is None


def test_an_unknown_benchmark_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown benchmark 'digit'; did you mean 'digits'"):
        load_card("digit")


@pytest.mark.parametrize(
    "table", ["../{space}.parquet", "/etc/passwd", "a/b.parquet", "{space.__class__}", "{0}", "..", "a\nb", "[a]", "{}"]
)
def test_a_card_cannot_name_a_file_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    shipped = (paths.data_folder("benchmarks") / "cards" / "digits.yaml").read_text()
    (tmp_path / "cards").mkdir()
    mine = re.sub(r"(?m)^table:.*$", lambda _: f"table: {json.dumps(table)}", shipped)
    (tmp_path / "cards" / "mine.yaml").write_text(mine)
    with pytest.raises(ConfigError, match="names the table"):
        load_card("mine")


@pytest.mark.parametrize("name", ["../digits", "/digits", "cards/digits"])
def test_a_card_is_found_by_its_name_alone(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown benchmark"):
        load_card(name)
