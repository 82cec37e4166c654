"""Breaks every check of gates.py once on purpose: a gate that cannot fail guards nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gates
from gates import Module, modules_of

Package = Callable[..., dict[str, Module]]


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Writes a package ``shop`` from ``{"folder/file": text}`` and returns its modules."""

    def write(**sources: str) -> dict[str, Module]:
        for name, text in sources.items():
            path = tmp_path / "shop" / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return modules_of(tmp_path / "shop")

    return write


def test_cycle(package: Package) -> None:
    assert gates.cycles(package(a="import shop.b", b="from shop import c", c="X = 1")) == []
    assert gates.cycles(package(c="def f():\n    from shop.a import x")) == [
        "import cycle: shop.a -> shop.b -> shop.c -> shop.a"
    ]


def test_layers(package: Package) -> None:
    layers = ([{"high"}], [{"left", "beside"}, {"right"}], [{"low"}])
    fine = package(high="import shop.low", left="from shop import beside", beside="", right="import shop.low", low="")
    assert gates.layer_breaks(fine, layers, {}) == []
    assert gates.layer_breaks(fine, layers, {"high": {"low"}}) == ["shop.high:1: high may not import shop.low"]
    wrong = package(low="from shop.high import x", right="import shop.left", other="")
    assert gates.layer_breaks(wrong, layers, {}) == [
        "shop.other: 'other' has no layer yet",
        "shop.low:1: low may not import shop.high",
        "shop.right:1: right may not import shop.left",
    ]


def test_foreign_imports(package: Package) -> None:
    modules = package(tuners__in__mine="import time\nimport timeit", clock="import time")
    assert gates.foreign_imports(modules, {"tuners": {"time"}}) == ["shop.tuners.mine:1: tuners may not know time"]


def test_hidden_import(package: Package) -> None:
    assert gates.hidden_imports(package(a="import shop.b\ndef f():\n    import json", b="")) == []
    modules = package(a="class A:\n    def f(self):\n        def g():\n            from shop.b import x")
    assert gates.hidden_imports(modules) == ["shop.a:4: imports shop.b.x inside a function"]


def test_crowded_folder(package: Package) -> None:
    shop = package(a="", b="")
    assert gates.crowded(shop, in_root=2, in_folder=1) == []
    assert gates.crowded(shop, in_root=1, in_folder=9) == [f"{shop['shop.a'].path.parent}: 2 files, allowed are 1"]


def test_sizes(tmp_path: Path) -> None:
    long = tmp_path / "long.py"
    long.write_text("def f():\n" + "    pass\n" * 4)
    assert gates.oversized([long], module_lines=5, function_lines=5) == []
    complaints = gates.oversized([long], module_lines=4, function_lines=4)
    assert complaints == [f"{long}: 5 lines, allowed are 4", f"{long}:1: f has 5 lines, allowed are 4"]


def test_twins(tmp_path: Path) -> None:
    shared = [f"shared_{n} = {n}" for n in range(5)]
    own = {name: [f"{name}_{n} = {n}" for n in range(5)] for name in ("first", "second", "third")}
    for name, lines in own.items():
        (tmp_path / f"{name}.py").write_text(
            "\n".join(["import torch", "", ")", *lines, *(shared if name != "third" else ())])
        )
    complaints = gates.twins(tmp_path.glob("*.py"), share=0.4)
    assert complaints == ["first.py and second.py share 50% of their lines, allowed is 40%"]


def test_untested_module(package: Package, tmp_path: Path) -> None:
    modules = package(a="", tools__in____init__="", tools__in__saw="", tools__in__drill="")
    (tmp_path / "tests" / "tools").mkdir(parents=True)
    (tmp_path / "tests" / "tools" / "test_saw.py").touch()
    assert gates.untested(modules, tmp_path / "tests", {"shop.a": "small"}) == [
        "shop.tools.drill has no tests/tools/test_drill.py"
    ]
    (tmp_path / "tests" / "test_a.py").touch()
    assert "shop.a needs no excuse: small" in gates.untested(modules, tmp_path / "tests", {"shop.a": "small"})


def test_registered_name_without_contract_test(package: Package, tmp_path: Path) -> None:
    init = 'TOOLS = {"saw": "shop.tools.saw:Saw", "drill": "shop.tools.drill:Drill"}\nTEXTS = {"a": "b: c"}'
    modules = package(tools__in____init__=init)
    assert list(gates.registries(modules)) == [("shop.tools", "TOOLS")]
    contract = tmp_path / "tests" / "tools" / "test_contract.py"
    assert len(gates.without_contract(modules, tmp_path / "tests")) == 2
    contract.parent.mkdir(parents=True)
    contract.write_text("class TestSaw:\n    name = 'saw'\n")
    assert gates.without_contract(modules, tmp_path / "tests") == [
        "TOOLS['drill'] is not in tests/tools/test_contract.py"
    ]
    contract.write_text("class TestSaw:\n    name = 'saw'\nclass TestDrill:\n    tool = Drill\n")
    assert gates.without_contract(modules, tmp_path / "tests") == []


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.random.seed(1)",
        "import numpy\nnumpy.random.rand()",
        "from numpy import random\nrandom.shuffle([])",
        "from numpy.random import normal as n\nn()",
    ],
)
def test_global_randomness(package: Package, text: str) -> None:
    assert len(gates.global_randomness(package(a=text), {})) == 1
    assert gates.global_randomness(package(a=text), {"shop.a": "why"}) == []
    fine = package(a="import numpy as np\nrng: np.random.Generator = np.random.default_rng(1)\nrng.normal()")
    assert gates.global_randomness(fine, {"shop.a": "why"}) == ["shop.a needs no excuse: why"]


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "from time import time_ns\ntime_ns()",
        "from datetime import datetime\ndatetime.now()",
    ],
)
def test_wall_clock(package: Package, text: str) -> None:
    assert len(gates.wall_clock(package(a=text), {})) == 1
    assert gates.wall_clock(package(a=text), {"shop.a": "why"}) == []
    assert gates.wall_clock(package(a="import time\ntime.monotonic()"), {"shop.a": "why"}) == [
        "shop.a needs no excuse: why"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import random",
        "eval('1')",
        "import torch as t\nt.load('x')",
        "from yaml import load\nload('x')",
        "import os\nos.system('ls')",
        "import os\nos.popen('ls')",
        "import dill",
        "import cloudpickle",
        "import joblib",
        "import marshal",
        "import shelve",
        "def f():\n    import pickle",
        "exec('1')",
        "import torch\ntorch.load('x', weights_only=False)",
        "import torch\ntorch.load('x', weights_only=flag)",
        "from torch import load as read\nread('x')",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nread = np.load",
        "import yaml\nyaml.load('x', Loader=yaml.Loader)",
        "import yaml\nyaml.unsafe_load('x')",
        "import yaml\nyaml.full_load('x')",
        "import tarfile\ntarfile.open('x').extractall('y')",
        "archive.extractall('y', filter='fully_trusted')",
        "archive.extract(member)",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import subprocess\nsubprocess.run('ls', shell=flag)",
        "import subprocess\nsubprocess.getoutput('ls')",
    ],
)
def test_unsafe(package: Package, text: str) -> None:
    assert len(gates.unsafe(package(a=text), {})) == 1
    assert gates.unsafe(package(a=text), {"shop.a": "why"}) == []
    careful = ("import yaml", "yaml.safe_load('x')", "yaml.load('x', Loader=yaml.SafeLoader)", "model.eval()",
               "import torch", "torch.load('x', weights_only=True)", "import numpy as np",
               "np.load('x', allow_pickle=False)", "archive.extractall('y', filter='data')",
               "import subprocess", "subprocess.run(['ls'], shell=False)")  # fmt: skip
    fine = package(a="\n".join(careful))
    assert gates.unsafe(fine, {"shop.a": "why"}) == ["shop.a needs no excuse: why"]
