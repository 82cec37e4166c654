"""What holds for the registry: names, and that a process reads images once."""

from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.core.errors import ConfigError, ImageError
from metaopt.images import IMAGES, ImageSource, load_images


def test_a_process_reads_images_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    data = load_images("digits")
    assert load_images("digits", ImageSource()) is data
    few = load_images("digits", ImageSource(subset=50))
    assert len(few.train[1]) == 50
    assert load_images("digits") is data
    assert data.valid is load_images("digits").valid


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown data set of images 'cifar11'; did you mean 'cifar10"):
        load_images("cifar11")


@pytest.mark.parametrize("name", sorted(set(IMAGES) - {"digits"}))
def test_files_are_looked_for_in_the_user_s_own_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home in ("one", "other"):  # what was looked for before is not remembered
        monkeypatch.setenv("METAOPT_HOME", str(tmp_path / home))
        with pytest.raises(ImageError) as caught:
            load_images(name)
        assert str(tmp_path / home / "images" / name) in caught.value.message
        assert caught.value.hint.startswith("get ")
