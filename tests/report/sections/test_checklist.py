from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.checklist import Item, checklist, checklist_table

GroupOf = Callable[..., Group]


def answers(*groups: Group) -> dict[int, Item]:
    return {item.number: item for item in checklist(problems(groups))}


def change(group: Group, *path: str, value: Any) -> None:
    at: Any = group.runs[0].header
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value


def test_a_study_that_does_what_it_should(group_of: GroupOf) -> None:
    found = answers(*(group_of(name, [[0.3, 0.2]] * 3, tuner=name) for name in ("random", "re")))
    assert list(found) == list(range(1, 15))
    assert {n: found[n].answer for n in (4, 6, 7, 8, 9, 10, 11)} == dict.fromkeys((4, 6, 7, 8, 9, 10, 11), "yes")
    assert found[9].evidence == "3 runs in a group, seeds 0 to 2 (run.seed)"
    assert found[10].evidence.startswith(
        "tables of 2685 cells (objective.table.cells); predicted by a surrogate: 0 of 12 results"
    )
    assert "0123456789" in found[1].evidence
    assert found[1].answer == "partly", "a journal does not know what is public"
    assert {found[n].answer for n in (3, 5, 12)} == {"not answered here"}
    assert found[14].answer == "partly"
    assert "space, default" in found[14].evidence or "default, space" in found[14].evidence.replace("command, ", "")


def test_what_is_lacking_is_no(group_of: GroupOf) -> None:
    found = answers(group_of("re", [[0.3]], tuner="re"), group_of("bohb", [[0.2, 0.1]], tuner="bohb", errors="single"))
    assert (found[8].answer, found[9].answer, found[6].answer) == ("no", "no", "no")
    assert "errors" not in found[8].evidence
    assert "budget" in found[6].evidence


def test_changed_checkouts_and_other_machines_are_said(group_of: GroupOf) -> None:
    a, b = group_of("a", [[0.3]]), group_of("b", [[0.2]])
    change(a, "host", "commit", value="fedcba9876543210-dirty")
    change(a, "versions", "python", value="3.12")
    found = answers(a, b)
    assert "2 commits" in found[1].evidence
    assert "1 run made from a changed checkout, 0 without a commit" in found[1].evidence
    assert found[11].evidence == "the runs differ in host.commit, versions.python"
    change(a, "host", "commit", value="")
    assert "1 without a commit" in answers(a, b)[1].evidence
    change(a, "host", "processor", value="x")
    assert "processor" not in answers(a, b)[11].evidence, "the other was not asked"
    change(b, "host", "processor", value="y")
    assert answers(a, b)[11].evidence.startswith("the runs differ in host.processor, host.commit")


def test_answers_show_what_headers_do_not_hold(group_of: GroupOf) -> None:
    def hardware(there: float) -> Item:
        return answers(*(group_of(f"{e}", [[e]], optimizer="darts", tuner=f"{e}") for e in (0.3, there)))[11]

    assert hardware(0.3).answer == "yes"
    assert "; different answers in 0 of 1 search that several runs made with one seed" in hardware(0.3).evidence
    assert hardware(0.2).answer == "partly"
    assert hardware(0.2).evidence.startswith("the headers do not differ; different answers in 1 of 1 search")


def test_tuned_groups_say_with_what_time(group_of: GroupOf) -> None:
    groups = [group_of(name, [[0.3] * 900], optimizer=name, tuner="bohb", step_s=4.0) for name in ("darts", "gdas")]
    found = answers(*groups)
    assert found[12].evidence == "by bohb, 2 hours in 2 runs (told_s)"
    assert "2 hours of searching on this machine in 2 runs" in found[13].evidence
    mixed = answers(*groups, group_of("random", [[0.3]]))
    assert mixed[6].answer == "no"
    assert "a search or a training" in mixed[6].evidence


def test_the_table_has_a_row_per_practice(group_of: GroupOf) -> None:
    items = list(answers(*(group_of(name, [[0.3]]) for name in "ab")).values())
    assert [row[0] for row in checklist_table(items).cells] == [str(n) for n in range(1, 15)]
    assert checklist_table(items).records[3]["answer"] == items[3].answer
