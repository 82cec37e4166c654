from __future__ import annotations

import shutil
import subprocess

import pytest

from metaopt.cli import main
from metaopt.cli.commands import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "cell-space" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_and_flags(capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out
    for words, expected in (
        ("metaopt comp", {"compare", "completion"}),
        ("metaopt tune --cell", {"--cell-space", "--cells"}),
    ):
        ask = f"COMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; _shtab_metaopt; echo ${{COMPREPLY[@]}}"
        said = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True).stdout
        assert set(said.split()) == expected
