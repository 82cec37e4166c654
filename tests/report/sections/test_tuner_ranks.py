from __future__ import annotations

from collections.abc import Callable

import pytest

from metaopt.report.data.groups import Group
from metaopt.report.sections.tuner_ranks import tuner_section

GroupOf = Callable[..., Group]


def on_two(tuned_group_of: GroupOf, tuner: str, confirmed: dict[int, tuple[float | None, ...]]) -> list[Group]:
    return [tuned_group_of(f"{o}-{tuner}", confirmed, optimizer=o, tuner=tuner) for o in ("darts", "gdas")]


def test_tuners_against_the_default_and_each_other(tuned_group_of: GroupOf) -> None:
    good = on_two(tuned_group_of, "bohb", {s: (0.4, 0.2 + s / 100) for s in range(4)})
    poor = on_two(tuned_group_of, "random", {0: (0.4,), 1: (0.4, 0.5), 2: (0.4, 0.3), 3: (0.4, 0.4)})
    part = tuner_section([*good, *poor])
    assert part is not None
    against, ranks = part.tables
    assert against.cells == (
        ("bohb", "0.4000", "0.2150", "1.86×", "2 of 2", "8", "0", "8", "0.016"),
        ("random", "0.4000", "0.4000", "1.00×", "0 of 2", "2", "4", "8", "1"),
    )
    assert [row[0] for row in ranks.cells] == ["1: bohb", "2: random"]
    bohb = against.records[0]
    assert (bohb["runs"], bohb["lower"], bohb["p_value"]) == (8, 8, 2 / 2**8)
    assert bohb["ratio"] == pytest.approx(0.4 / 0.215)
    data = {table.file: table.records for table in part.data}
    assert len(data["tuners-ranks"]) == 3
    assert len(data["tuners-runs"]) == 16
    assert data["tuners-runs"][9] == {
        "tuner": "random", "problem": "digits, cell space 1", "optimizer": "darts", "seed": 1,
        "default_regret_mean": 0.4, "tuned_regret_mean": 0.5,
    }  # fmt: skip
    assert [plot.name for plot in part.plots] == ["tuners-critical-difference"]
    assert "2 one-shot optimizers together: darts, gdas." in part.notes[0]
    assert "in each of the 8 blocks (a problem" in part.notes[-1]


def test_a_single_tuner_is_not_ranked(tuned_group_of: GroupOf) -> None:
    part = tuner_section(on_two(tuned_group_of, "bohb", dict.fromkeys(range(3), (0.4, 0.3))))
    assert part is not None
    assert len(part.tables) == 1
    assert part.tables[0].cells[0][-1] == "0.031"
    assert (part.plots, [table.file for table in part.data]) == ((), ["tuners-runs"])
    assert not any("anked" in note for note in part.notes)


def test_it_is_said_why_tuners_are_not_ranked(tuned_group_of: GroupOf) -> None:
    many = on_two(tuned_group_of, "bohb", dict.fromkeys(range(3), (0.4, 0.3)))
    few = on_two(tuned_group_of, "tpe", {0: (0.4, 0.3), 5: (0.4, 0.2)})
    part = tuner_section([*many, *few])
    assert part is not None
    assert part.tables[0].cells[1][-1] == "–", "four runs are too few for a test"
    assert part.notes[-1].startswith("Tuners are not ranked: all of them have 2 blocks")


def test_what_is_not_to_be_compared_as_it_stands_is_said(tuned_group_of: GroupOf) -> None:
    seeds = range(6)
    bohb = tuned_group_of("darts-bohb", dict.fromkeys(seeds, (0.4, 0.3)), optimizer="darts", tuner="bohb", confirm=1)
    tpe = {**dict.fromkeys(seeds, (0.2, 0.19)), 5: (0.2, None)}
    part = tuner_section([bohb, tuned_group_of("gdas-tpe", tpe, optimizer="gdas", tuner="tpe", confirm=5)])
    assert part is not None
    text = " ".join(part.notes)
    assert "**Tuners were not run alike**: they differ in confirm." in text
    assert "**Not all tuners have runs of the same optimizers and problems**" in text
    assert "Some runs of tpe are in no mean" in text
    assert part.tables[0].cells[1][7] == "5 of 6"
    alike = tuner_section(on_two(tuned_group_of, "bohb", dict.fromkeys(seeds, (0.4, 0.3))))
    assert alike is not None
    assert not any(note.startswith(("**", "Some")) for note in alike.notes)


def test_no_section_without_a_test_or_a_second_group(tuned_group_of: GroupOf) -> None:
    assert tuner_section([]) is None
    assert tuner_section(on_two(tuned_group_of, "bohb", {0: (0.4, 0.3), 1: (0.4, 0.3)})) is None
    assert tuner_section([tuned_group_of("darts", dict.fromkeys(range(9), (0.4, 0.3)), optimizer="darts")]) is None


def test_defaults_of_one_seed_that_differ_show_that_numbers_were_rounded_otherwise(tuned_group_of: GroupOf) -> None:
    def notes(default: float) -> str:
        here = on_two(tuned_group_of, "bohb", dict.fromkeys(range(3), (0.4, 0.2)))
        there = on_two(tuned_group_of, "tpe", dict.fromkeys(range(3), (default, 0.2)))
        part = tuner_section([*here, *there])
        assert part is not None
        return " ".join(part.notes)

    assert "rounded alike" not in notes(0.4)
    assert (
        "rounded alike** (processor, GPU, versions): different answers in 2 of 4 searches that several runs"
        in notes(0.41)
    )
