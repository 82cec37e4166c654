from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from metaopt.core.errors import ConfigError
from metaopt.executors.dask.clusters.settings import (
    KINDS,
    BatchSettings,
    ClusterSettings,
    SchedulerSettings,
    load_cluster,
)

BATCH = {"workers": 4, "memory": "8GB", "walltime": "01:30:00", "shared": "jobs"}
LEAST: dict[str, dict[str, Any]] = {
    "local": {"workers": 2},
    "scheduler": {"address": "tls://head:8786"},
    **dict.fromkeys(("slurm", "pbs", "sge", "lsf"), BATCH),
}


def written(folder: Path, content: Any) -> str:
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def problem(folder: Path, kind: str, **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_cluster(written(folder, {"kind": kind, **LEAST[kind], **settings}))
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_needs_no_more_than_this(tmp_path: Path, kind: str) -> None:
    settings = load_cluster(written(tmp_path, {"kind": kind, **LEAST[kind]}))
    assert (settings.kind, settings.threads) == (kind, 1)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, least in LEAST.items() for name in least])
def test_and_no_less(tmp_path: Path, kind: str, name: str) -> None:
    least = {key: value for key, value in LEAST[kind].items() if key != name}
    with pytest.raises(ConfigError, match=f"lacks {name} of a {kind} cluster|{name} is not given"):
        load_cluster(written(tmp_path, {"kind": kind, **least}))


def test_paths_are_taken_from_where_the_file_is(tmp_path: Path) -> None:
    settings = load_cluster(written(tmp_path, {"kind": "slurm", **LEAST["slurm"]}))
    assert isinstance(settings, BatchSettings)
    assert settings.shared == str(tmp_path / "jobs")
    assert settings.walltime_s == 5400


def test_an_address_is_enough_for_a_scheduler() -> None:
    settings = load_cluster("tcp://127.0.0.1:8786")
    assert isinstance(settings, SchedulerSettings)
    assert not settings.encrypted
    assert not settings.queues
    assert ClusterSettings().queues


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://head:8786", "tcp://head:8786 is not encrypted, and whoever reads along there can run code as you"),
        ("tcp://192.168.0.7:8786", "is not encrypted"),
        ("tls://head", "is not the address of a scheduler"),
        ("tls://head:port", "is not the address of a scheduler"),
        ("http://head:80", "is not the address of a scheduler"),
        ("tls://me:secret@head:8786", "takes no user and no password"),
    ],
)
def test_addresses_are_checked(address: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_cluster(address)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("slurm", {"walltime": 240}, "walltime in"),
        ("slurm", {"memory": "lots"}, "memory is 'lots', not a number with a unit"),
        ("slurm", {"walltime": "4h"}, "walltime is '4h', not hours:minutes:seconds"),
        ("slurm", {"workers": 0}, "workers must be in [1, 100000], got 0"),
        ("slurm", {"minimum": 9}, "minimum is 9 and workers 4"),
        ("slurm", {"resources": "gpu=1"}, "resources is for pbs and sge, not for slurm"),
        ("slurm", {"directives": "--gres=gpu:1"}, "directives in"),
        ("slurm", {"partition": "gpu"}, "unknown setting of a slurm cluster"),
        ("local", {"threads": "two"}, "threads in"),
        ("scheduler", {"ca": "ca.pem"}, "only ca is given; all three belong together"),
        ("scheduler", dict.fromkeys(("ca", "certificate", "key"), "none.pem"), "there is no such file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, kind: str, settings: dict[str, Any], said: str) -> None:
    assert said in problem(tmp_path, kind, **settings)


ODD = [
    "a b",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1bb",
    "a\u2028b",
    "",
    "-x",
    "$(touch x)",
    "`x`",
    "a;b",
    "a'b",
    'a"b',
    "a\\b",
    "a#b",
]


@pytest.mark.parametrize("kind", ["slurm", "pbs", "sge", "lsf"])
@pytest.mark.parametrize("name", ["queue", "account", "interface", "resources", "memory", "walltime", "shared"])
def test_what_a_script_cannot_hold_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    if name == "resources" and kind in ("slurm", "lsf"):
        return
    for text in ODD:
        assert f"{name} is " in problem(tmp_path, kind, **{name: f"/{text} %" if name == "shared" else text})
    assert len(problem(tmp_path, kind, **{name: 2_000 * "a "})) < 600


def test_lines_are_single_and_a_program_is_a_path(tmp_path: Path) -> None:
    for line in ("-x\n-y", "-x\r", "\x1b", "", "a\u2028b"):
        assert "directives is" in problem(tmp_path, "slurm", directives=["-x", line])
    for line in ("ls\0", "ls\r", "\x1b[2J"):
        assert "prologue is" in problem(tmp_path, "slurm", prologue=[line])
    for path in ("$HOME/python", "`which python`", "a\nb", ""):
        assert "python is" in problem(tmp_path, "slurm", python=path)


def test_numbers_have_limits(tmp_path: Path) -> None:
    for name in ("workers", "threads"):
        assert f", got 1{30 * '0'}" in problem(tmp_path, "slurm", **{name: 10**30})
    for memory in ("9" * 400 + "GB", "\u0661GB", "1GB\n"):
        assert "memory is" in problem(tmp_path, "slurm", memory=memory)
    for walltime in ("9" * 400 + ":00:00", "\u0661:00:00", "0:0:0", "-1:00:00"):
        assert "walltime is" in problem(tmp_path, "slurm", walltime=walltime)


def test_a_file_that_is_no_cluster_says_where_to_look(tmp_path: Path) -> None:
    for content in (["slurm"], {"workers": 3}, None):
        with pytest.raises(ConfigError, match="does not say what kind of cluster it is of"):
            load_cluster(written(tmp_path, content))
    with pytest.raises(ConfigError, match="did you mean 'slurm'"):
        load_cluster(written(tmp_path, {"kind": "slrum"}))
    with pytest.raises(ConfigError, match="no such file"):
        load_cluster(str(tmp_path / "none.yaml"))
