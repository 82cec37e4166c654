from __future__ import annotations

import io
import lzma
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import JournalError, RunError
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalRecord
from metaopt.studies import archive as study_archive
from metaopt.studies.archive import ARCHIVE, in_use, journals, pack
from small_disks import fill, small_disk

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


def content(place: Path) -> dict[str, JournalRecord]:
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


def member(name: str = "a/journal.jsonl", content: bytes = b"", **fields: Any) -> bytes:
    """One entry of a tar, with fields that only a hostile one has."""
    info = tarfile.TarInfo(name)
    for field, value in {"size": len(content), **fields}.items():
        setattr(info, field, value)
    return info.tobuf(fields.pop("format", tarfile.GNU_FORMAT)) + content + bytes(-len(content) % 512)


END = bytes(1024)
HOSTILE = {
    "symlink": member(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": member(type=tarfile.LNKTYPE, linkname="../../outside"),
    "device": member(type=tarfile.CHRTYPE, devmajor=1, devminor=5),
    "pipe": member(type=tarfile.FIFOTYPE),
    "folder": member(type=tarfile.DIRTYPE),
    "holes": member(type=tarfile.GNUTYPE_SPARSE, size=2**40),
    "long name": member(type=tarfile.GNUTYPE_LONGNAME, size=2**33),
    "twice": member(content=b"1") + member(content=b"2"),
    "backslash": member("a\\..\\b/journal.jsonl"),
    "dots": member("../journal.jsonl"),
    "many dots": member(".../journal.jsonl"),
    "confirm above": member("a/../confirm/journal.jsonl"),
    "end of line": member("a/journal.jsonl\n"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_plain_journal_is_not_taken(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "study"
    out.mkdir()
    (out / ARCHIVE).write_bytes(lzma.compress(HOSTILE[kind] + END))
    with pytest.raises(JournalError, match="no whole archive of journals: it holds"), journals(out):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["study", ARCHIVE]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends too early"),
        (b"x" * 512, "invalid header"),
        (member(size=100), "ends too early"),
        (member(size=2**40) + END, "it holds a file of"),
        (member(content=b"1" * 60_000) + member("b/journal.jsonl", b"1" * 60_000) + END, "more than 100000 bytes"),
        (member(content=b"1") + END + bytes(200_000), "more than 100000 bytes"),
    ],
)
def test_no_bomb_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    monkeypatch.setattr(study_archive, "MOST_BYTES", 100_000)
    monkeypatch.setattr(study_archive, "_PIECE", 4096)
    (tmp_path / ARCHIVE).write_bytes(lzma.compress(content))
    with pytest.raises(JournalError, match=message), journals(tmp_path):
        pass


def test_nothing_follows_the_end_and_memory_is_bounded(tmp_path: Path) -> None:
    whole = lzma.compress(member(content=b"1") + END)
    (tmp_path / ARCHIVE).write_bytes(whole + b"more")
    with pytest.raises(JournalError, match="something follows its end"), journals(tmp_path):
        pass
    greedy = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**28}]
    (tmp_path / ARCHIVE).write_bytes(greedy_stream(greedy))
    with pytest.raises(JournalError, match=r"(?i)memory usage limit"), journals(tmp_path):
        pass


def greedy_stream(filters: list[dict[str, int]]) -> bytes:
    return lzma.compress(member(content=b"1") + END, filters=filters)


def test_no_more_is_packed_than_can_be_unpacked(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_archive, "MOST_BYTES", 100)
    with pytest.raises(RunError, match="an archive holds at most 100"):
        pack(study, NAMES)
    assert len(content(study)) == 4


def test_a_study_in_use_is_not_packed(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_archive, "PATIENCE_S", 0.1)
    before = content(study)
    with in_use(study), in_use(study), pytest.raises(RunError, match="another metaopt compare works on the study"):
        pack(study, NAMES)
    assert content(study) == before
    pack(study, NAMES)
    assert not (study / "study.lock").exists()


def test_a_run_that_goes_on_meanwhile_stays_where_it_is(study: Path) -> None:
    with RunFolder(study / NAMES[1]).locked():
        pack(study, NAMES)
        assert RunFolder(study / NAMES[1]).begun
    assert [path.parent.name for path in study.rglob("journal.jsonl")] == [NAMES[1]]
    with journals(study) as place:
        assert len(content(place)) == 4


def test_a_journal_that_has_grown_since_it_was_packed_stays(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = study_archive._write_archive

    def write_and_grow(*given: Any) -> None:
        written(*given)
        with open(study / NAMES[1] / "journal.jsonl", "ab") as journal:
            journal.write(b"more")

    monkeypatch.setattr(study_archive, "_write_archive", write_and_grow)
    pack(study, NAMES)
    assert [path.parent.name for path in study.rglob("journal.jsonl")] == [NAMES[1]]


def test_no_room_to_pack_or_to_unpack(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(study)
    with small_disk(study / "disk", "size=64k") as disk:
        full = disk / "study"
        shutil.copytree(study, full, ignore=shutil.ignore_patterns("disk"))
        filler = fill(disk)
        with pytest.raises(RunError, match=r"cannot pack the journals in .*: No space left on device") as error:
            pack(full, NAMES)
        assert "no journal is lost" in error.value.hint
        assert content(full) == before
        filler.unlink()
        pack(full, NAMES)
        fill(disk)
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        with pytest.raises(RunError, match=r"cannot unpack .*: No space left on device") as error, journals(full):
            pass
        assert "TMPDIR" in error.value.hint
