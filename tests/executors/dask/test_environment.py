from __future__ import annotations

from pathlib import Path

from metaopt.executors.dask import environment
from metaopt.executors.dask.environment import misfit


def test_the_same_fits_and_each_difference_is_named_with_both() -> None:
    here = dict(environment.environment())
    assert misfit(here) == ""
    assert misfit({**here, "numpy": "1.0"}) == f"it has numpy {here['numpy']}, and the driver 1.0"
    both = misfit({**here, "numpy": "1.0", "torch": "0.1"})
    assert "numpy" in both
    assert "torch" in both


def test_patches_of_python_and_the_device_that_torch_is_for_do_not_matter() -> None:
    here = environment.environment()
    assert here["python"].count(".") == 1
    assert "+" not in here["torch"]


def test_any_other_source_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    module = tmp_path / "deep" / "module.py"
    seen = set()
    for source in ("a = 1\n", "a = 2\n"):
        module.write_text(source)
        seen.add(environment._digest(tmp_path))
    module.rename(tmp_path / "deep" / "other.py")
    seen.add(environment._digest(tmp_path))
    assert len(seen) == 3
