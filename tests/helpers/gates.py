"""Checks of the source text that hold for the whole project; each returns one complaint per line, none if all is well.

They take the folder and the rules as arguments, so that tests can break each of them on purpose in a small package.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: From top to bottom: each line has groups of units, which may import from lower lines and from their own group only.
Layers = Sequence[Sequence[Collection[str]]]

_RANDOM_TYPES = {"BitGenerator", "Generator", "PCG64", "RandomState", "SeedSequence", "default_rng"}
_WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"}
_UNSAFE_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "random", "shelve"}
_UNSAFE_CALLS = {
    "eval", "exec", "os.popen", "os.system", "pandas.read_pickle", "subprocess.getoutput",
    "subprocess.getstatusoutput", "yaml.full_load", "yaml.unsafe_load",
}  # fmt: skip
#: What may be used only as a call with this argument.
_SAFE_ONLY_WITH = {
    "torch.load": ("weights_only", {"True"}),
    "numpy.load": ("allow_pickle", {"False"}),
    "yaml.load": ("Loader", {"yaml.SafeLoader", "yaml.CSafeLoader"}),
}
#: The same of methods, which unpack archives whatever the object is called.
_SAFE_METHODS_ONLY_WITH = {"extractall": ("filter", {"'data'"}), "extract": ("filter", {"'data'"})}


@dataclass(frozen=True)
class Module:
    """A Python file of a package.

    Attributes:
        name: Dotted, with the package; a package's ``__init__`` goes by the name of the package.
        path: Where it is.
        package: The package's folder.
    """

    name: str
    path: Path
    package: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def unit(self) -> str:
        """What the layers speak of: the part of the name behind the package."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"


def modules_of(package: Path) -> dict[str, Module]:
    """Returns all modules of a package by name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, package)
    return found


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields line and dotted name of everything that is imported; ``from a import b`` is ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _edges(module: Module, modules: Mapping[str, Module]) -> Iterator[tuple[int, Module]]:
    """Yields line and module of every import from the same package."""
    for line, name in imports(module.tree):
        if name.split(".")[0] == module.package.name:
            target = modules.get(name) or modules.get(name.rpartition(".")[0])
            if target is not None:
                yield line, target


def cycles(modules: Mapping[str, Module]) -> list[str]:
    """Finds modules that import themselves by way of others, inside functions too."""
    graph = {name: {target.name for _, target in _edges(module, modules)} for name, module in modules.items()}
    complaints, done = [], set[str]()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            complaints.append("import cycle: " + " -> ".join((*trail[trail.index(name) :], name)))
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    return complaints


def layer_breaks(modules: Mapping[str, Module], layers: Layers, forbidden: Mapping[str, Collection[str]]) -> list[str]:
    """Finds imports that go up or sideways, units without a layer, and imports that a unit must do without."""
    rank = {
        unit: (line, group)
        for line, groups in enumerate(layers)
        for group, units in enumerate(groups)
        for unit in units
    }
    complaints = [f"{m.name}: {m.unit!r} has no layer yet" for m in modules.values() if m.unit not in rank]
    for module in modules.values():
        for line, target in _edges(module, modules):
            if module.unit not in rank or target.unit not in rank:
                continue
            below = rank[target.unit][0] > rank[module.unit][0] or rank[target.unit] == rank[module.unit]
            inside = f"{target.name}.".removeprefix(f"{target.package.name}.")
            if not below or any(inside.startswith(f"{name}.") for name in forbidden.get(module.unit, ())):
                complaints.append(f"{module.name}:{line}: {module.unit} may not import {target.name}")
    return complaints


def foreign_imports(modules: Mapping[str, Module], banned: Mapping[str, Collection[str]]) -> list[str]:
    """Finds imports of other projects' packages that a unit must not know."""
    return [
        f"{module.name}:{line}: {module.unit} may not know {name.split('.')[0]}"
        for module in modules.values()
        for line, name in imports(module.tree)
        if name.split(".")[0] in banned.get(module.unit, ())
    ]


def hidden_imports(modules: Mapping[str, Module], *, allowed: Collection[str] = ()) -> list[str]:
    """Finds imports from the same package inside functions, where they hide a dependency; ``allowed`` units may."""
    return sorted(
        {
            f"{module.name}:{line}: imports {name} inside a function"
            for module in modules.values()
            if module.unit not in allowed
            for function in _functions(module.tree)
            for line, name in imports(function)
            if name.split(".")[0] == module.package.name
        }
    )


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def crowded(modules: Mapping[str, Module], *, in_root: int, in_folder: int) -> list[str]:
    """Finds folders with more Python files than one takes in at a glance, those of folders in them not counted."""
    found = Counter(module.path.parent for module in modules.values())
    complaints = []
    for folder, n in sorted(found.items()):
        allowed = in_folder if (folder.parent / "__init__.py").is_file() else in_root
        if n > allowed:
            complaints.append(f"{folder}: {n} files, allowed are {allowed}")
    return complaints


def oversized(files: Iterable[Path], *, module_lines: int, function_lines: int) -> list[str]:
    """Finds files and functions that are longer than allowed, docstrings counted."""
    complaints = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        if (n := len(text.splitlines())) > module_lines:
            complaints.append(f"{path}: {n} lines, allowed are {module_lines}")
        for function in _functions(ast.parse(text)):
            if (n := (function.end_lineno or 0) - function.lineno + 1) > function_lines:
                complaints.append(
                    f"{path}:{function.lineno}: {function.name} has {n} lines, allowed are {function_lines}"
                )
    return complaints


def twins(files: Iterable[Path], *, share: float) -> list[str]:
    """Finds pairs of files of which more than ``share`` of the lines of the shorter one are in the other too.

    Imports, comments, blank lines and lines of brackets do not count.
    """
    lines = {path: _telling_lines(path) for path in files}
    complaints = []
    paths = sorted(lines)
    for n, first in enumerate(paths):
        for second in paths[n + 1 :]:
            smaller = min(lines[first].total(), lines[second].total())
            equal = (lines[first] & lines[second]).total() / max(1, smaller)
            if equal > share:
                complaints.append(
                    f"{first.name} and {second.name} share {equal:.0%} of their lines, allowed is {share:.0%}"
                )
    return complaints


def _telling_lines(path: Path) -> Counter[str]:
    stripped = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return Counter(
        line for line in stripped if any(map(str.isalnum, line)) and not line.startswith(("#", "import ", "from "))
    )


def untested(modules: Mapping[str, Module], tests: Path, excused: Mapping[str, str]) -> list[str]:
    """Finds modules without ``tests/.../test_NAME.py`` in the same place, and excuses that excuse nothing.

    Args:
        modules: The package.
        tests: The folder of the tests.
        excused: Module, or a package with all its modules, to the reason; every ``__init__`` is excused.
    """
    complaints, used = [], set[str]()
    for module in modules.values():
        inside = module.path.relative_to(module.package)
        if inside.name == "__init__.py" or (tests / inside.parent / f"test_{inside.name}").is_file():
            continue
        excuse = next((name for name in excused if module.name == name or module.name.startswith(f"{name}.")), None)
        if excuse is None:
            complaints.append(f"{module.name} has no {tests.name}/{inside.with_name(f'test_{inside.name}')}")
        else:
            used.add(excuse)
    return complaints + [f"{name} needs no excuse: {excused[name]}" for name in excused if name not in used]


def registries(modules: Mapping[str, Module]) -> dict[tuple[str, str], dict[str, str]]:
    """Returns every dict of ``"module:attribute"`` strings at the top of a package, by package and variable."""
    found = {}
    for module in modules.values():
        if module.path.name != "__init__.py":
            continue
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                entries = ast.literal_eval(node.value)
                if entries and all(re.fullmatch(r"[\w.]+:\w+", str(path)) for path in entries.values()):
                    found[module.name, ast.unparse(node.targets[0])] = entries
    return found


def without_contract(modules: Mapping[str, Module], tests: Path) -> list[str]:
    """Finds names of registries that the ``test_contract.py`` of the same place does not speak of.

    A name counts if it stands there as a string, or its class as an identifier.
    """
    complaints = []
    for (owner, variable), names in registries(modules).items():
        contract = tests.joinpath(*owner.split(".")[1:], "test_contract.py")
        spoken = _words(contract) if contract.is_file() else set()
        complaints += [
            f"{variable}[{name!r}] is not in {contract.relative_to(tests.parent)}"
            for name, path in names.items()
            if not spoken & {name, path.partition(":")[2]}
        ]
    return complaints


def _words(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def global_randomness(modules: Mapping[str, Module], excused: Mapping[str, str]) -> list[str]:
    """Finds uses of NumPy's global generator, and excuses that excuse nothing."""
    found = {
        module.name: [
            f"{module.name}:{line}: {name} is the global generator; use metaopt.core.seeds.stream"
            for line, name in _dotted_names(module.tree)
            if name.rpartition(".")[0] == "numpy.random" and name.rpartition(".")[2] not in _RANDOM_TYPES
        ]
        for module in modules.values()
    }
    return _unexcused(found, excused)


def wall_clock(modules: Mapping[str, Module], excused: Mapping[str, str]) -> list[str]:
    """Finds uses of the clock that people and networks set, and excuses that excuse nothing."""
    found = {
        module.name: [
            f"{module.name}:{line}: {name} may jump; use time.monotonic or time.perf_counter"
            for line, name in _dotted_names(module.tree)
            if name in _WALL_CLOCKS
        ]
        for module in modules.values()
    }
    return _unexcused(found, excused)


def unsafe(modules: Mapping[str, Module], excused: Mapping[str, str]) -> list[str]:
    """Finds what runs code out of data, Python's own global generator, and excuses that excuse nothing."""
    found = {}
    for module in modules.values():
        taken = [(line, name) for line, name in imports(module.tree) if name.split(".")[0] in _UNSAFE_MODULES]
        called = [(line, name) for line, name in _dotted_names(module.tree) if name in _UNSAFE_CALLS]
        found[module.name] = [
            f"{module.name}:{line}: {name} is not used in this project" for line, name in taken + called
        ] + [f"{module.name}:{line}: {text}" for line, text in _careless(module.tree)]
    return _unexcused(found, excused)


def _careless(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yields line and text of what would be safe with one argument more, or without ``shell=True``."""
    known, careful = _aliases(tree), set[ast.AST]()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        given = {word.arg: _full_name(word.value, known) for word in call.keywords}
        if given.get("shell", "False") != "False":
            yield call.lineno, "shell=True is not used in this project"
        name = _full_name(call.func, known)
        rule = _SAFE_ONLY_WITH.get(name) or _SAFE_METHODS_ONLY_WITH.get(name.rpartition(".")[2])
        if rule and given.get(rule[0]) in rule[1]:
            careful.add(call.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and node not in careful:
            name = _full_name(node, known)
            is_method = isinstance(node, ast.Attribute) and node.attr in _SAFE_METHODS_ONLY_WITH
            if rule := _SAFE_ONLY_WITH.get(name) or (_SAFE_METHODS_ONLY_WITH[node.attr] if is_method else None):
                yield node.lineno, f"{name} is used only with {rule[0]}={' or '.join(sorted(rule[1]))}"


def _unexcused(found: Mapping[str, list[str]], excused: Mapping[str, str]) -> list[str]:
    idle = [f"{name} needs no excuse: {reason}" for name, reason in excused.items() if not found.get(name)]
    return [complaint for name, complaints in found.items() if name not in excused for complaint in complaints] + idle


def _dotted_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yields line and full name of every name in use, with the aliases of imports resolved."""
    known = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield node.lineno, _full_name(node, known)


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Returns what the names of imports stand for."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def _full_name(node: ast.AST, known: Mapping[str, str]) -> str:
    head, dot, rest = ast.unparse(node).partition(".")
    return known.get(head, head) + dot + rest
