"""requirements.lock is constraints.txt with hashes, and names no place that packages come from."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def content(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def test_it_pins_what_the_constraints_pin() -> None:
    locked = [line.split(" ")[0] for line in content("requirements.lock")]
    assert locked == [pin for pin in content("constraints.txt") if not pin.startswith("torch==")], "make lock"


def test_every_pin_has_a_hash_and_nothing_else() -> None:
    for line in content("requirements.lock"):
        assert re.fullmatch(r"[\w.-]+==[\w.+]+( --hash=sha256:[0-9a-f]{64})+", line), line


def test_no_place_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text() + (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert "index" not in text
