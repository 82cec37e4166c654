from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.errors import JournalError
from metaopt.journal import Recorded
from metaopt.run_folder import RunFolder
from metaopt.study_archive import ARCHIVE, journals, pack

NAMES = ["darts-s0", "cells-re-s0", "cells-re-s1"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The folder of a study with three runs, the first of which is confirmed and has trials."""
    for number, name in enumerate(NAMES):
        folder = RunFolder(tmp_path / name)
        folder.create()
        with folder.locked():
            folder.begin({"run": {"seed": number}})
    RunFolder(tmp_path / NAMES[0]).confirmation.begin({"run": {"seed": 9}})
    (tmp_path / NAMES[0] / "trials").mkdir()
    return tmp_path


def content(place: Path) -> dict[str, Recorded]:
    """What can be read in the folders of the runs."""
    folders = [f for name in NAMES for f in (RunFolder(place / name), RunFolder(place / name).confirmation)]
    return {str(f.path.relative_to(place)): f.read() for f in folders if f.begun}


def test_without_an_archive_the_runs_are_where_they_are(study: Path) -> None:
    with journals(study) as place:
        assert place == study
        assert len(content(place)) == 4


def test_what_is_packed_reads_as_before(study: Path) -> None:
    before = content(study)
    pack(study, NAMES[:2])
    assert [path.name for path in sorted(study.iterdir())] == ["cells-re-s1", "darts-s0", ARCHIVE]
    assert [path.name for path in (study / "darts-s0").rglob("*") if path.is_file()] == ["driver.lock"]
    with journals(study) as place:
        assert content(place) == before
    assert not place.exists()
    pack(study, NAMES)
    assert not list(study.rglob("journal.jsonl"))
    with journals(study) as place:
        assert content(place) == before
    again = (study / ARCHIVE).read_bytes()
    pack(study, NAMES)
    assert (study / ARCHIVE).read_bytes() == again, "the same journals, the same bytes"


def test_a_run_outside_counts_by_its_own_journal(study: Path) -> None:
    pack(study, NAMES)
    other = RunFolder(study / NAMES[1])
    other.path.mkdir()
    other.begin({"run": {"seed": 77}})
    with journals(study) as place:
        assert content(place)[NAMES[1]].header["run"]["seed"] == 77
    pack(study, NAMES)
    with journals(study) as place:
        assert content(place)[NAMES[1]].header["run"]["seed"] == 77
        assert len(content(place)) == 4


def test_a_kill_while_packing_loses_nothing(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, left = content(study), 2

    def unlink(path: Path, **options: object) -> None:
        nonlocal left
        left -= 1
        path.rename(path.with_name("gone")) if left >= 0 else sys.exit(9)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(SystemExit):
        pack(study, NAMES)
    monkeypatch.undo()
    with journals(study) as place:
        assert content(place) == before
    pack(study, NAMES)
    with journals(study) as place:
        assert content(place) == before


@pytest.mark.parametrize("damage", [lambda raw: raw[:-40], lambda raw: b"mine", lambda raw: raw[:90] + b"?" + raw[91:]])
def test_a_damaged_archive_is_refused(study: Path, damage: Callable[[bytes], bytes]) -> None:
    pack(study, NAMES)
    (study / ARCHIVE).write_bytes(damage((study / ARCHIVE).read_bytes()))
    with pytest.raises(JournalError, match=r"journals\.tar\.xz is no whole archive of journals"), journals(study):
        pass


@pytest.mark.parametrize("name", ["../journal.jsonl", "/etc/journal.jsonl", "a/b/journal.jsonl", "a/b.txt"])
def test_nothing_but_journals_is_taken_from_it(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / ARCHIVE, "w:xz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(JournalError, match="it holds"), journals(tmp_path):
        pass
