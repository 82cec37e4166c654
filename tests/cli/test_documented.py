from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass

from metaopt.cli.documented import entries, indented, introduction, rows, summaries
from metaopt.settings.field import field
from metaopt.tuners import TUNERS


class Base:
    """Is below.

    Args:
        size: How large,
            in pixels.
        shape: Overridden.
    """


class Above(Base):
    """Is above.

    More of it, in
    two lines.

    Args:
        shape: Round.

    Raises:
        ValueError: if not.
    """


def test_entries_are_those_of_a_section_and_of_the_bases() -> None:
    assert entries(Above, "Args") == {"size": "How large, in pixels.", "shape": "Round."}
    assert entries(Above, "Raises") == {"ValueError": "if not."}


def test_what_stands_before_the_sections() -> None:
    assert introduction(Above) == "Is above.\n\nMore of it, in two lines."


@dataclass(kw_only=True)
class Settings:
    """Some settings.

    Attributes:
        size: How large.
    """

    size: float = field(0.5, gt=0, le=1)
    shape: str = field("round", "its shape", choices=("round", "square"))
    count: int | None = field(None, "pieces", otherwise="as many as fit")
    names: Sequence[str] = field(MISSING, "their names")


def test_settings_are_shown_with_type_range_default_and_meaning() -> None:
    assert [" ".join(lines.split()) for _, lines in rows(Settings)] == [
        "size a number more than 0 and at most 1 (default: 0.5) How large.",
        "shape round, square (default: round) its shape",
        "count a whole number, or none (default: as many as fit) pieces",
        "names a list (required) their names",
    ]


def test_lines_fit_a_terminal() -> None:
    assert all(len(line) <= 100 for line in indented("word " * 80).splitlines())


def test_every_tuner_has_a_summary() -> None:
    found = dict(summaries(TUNERS))
    assert list(found) == list(TUNERS)
    assert all(found.values())
