from __future__ import annotations

import pytest

from metaopt.core.notes import note, renamed


def test_a_note_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    note("so it is")
    renamed("a", "b", " in file.yaml")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "metaopt: note: so it is",
        "metaopt: note: a in file.yaml is called b now; the next version takes b only",
    ]
