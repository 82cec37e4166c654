"""The command line: parse, call, print. Handlers are loaded by name, so that help and errors cost no heavy import."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from metaopt.cli.flags import add_flags, add_former, seed, whole
from metaopt.core import safe_path
from metaopt.core.distribution import VERSION
from metaopt.core.errors import ConfigError, MetaoptError, nearest
from metaopt.core.memory import OUT_OF_MEMORY, shortage
from metaopt.core.registry import load
from metaopt.core.system_errors import explained, named
from metaopt.core.wording import shown
from metaopt.executors import EXECUTORS
from metaopt.report import EXPORTERS
from metaopt.settings.field import settings_of
from metaopt.settings.run import BaselineSettings, TuneSettings, settings
from metaopt.settings.search import CELL_SPACES, SearchTask
from metaopt.tables.importers import IMPORTERS

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0; 1 if a run has come to its end without an evaluation that succeeded; 2 after a mistake of the user, or where
        nothing goes on, which is explained on standard error; 130 after Ctrl-C, SIGTERM or SIGUSR2.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        chosen = _parse(arguments)
        with safe_path.for_children():
            code: int = load(chosen.handler)(chosen)
        sys.stdout.flush()
        return code
    except (MetaoptError, MemoryError) as error:
        if "--debug" in arguments:
            raise
        print(
            f"metaopt: error: {error if (lack := shortage(error)) is None else _without_memory(lack)}", file=sys.stderr
        )
        return USER_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _say_no_more()
        return OK
    except OSError as error:  # of which no part of metaopt knows better what to do
        if "--debug" in arguments:
            raise
        _say_no_more()
        print(f"metaopt: error: {explained(error, named(error))}", file=sys.stderr)
        return USER_ERROR


def _say_no_more() -> None:
    """Throws away what cannot be printed any more: Python would complain of it when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _without_memory(error: BaseException) -> str:
    text = next(iter(str(error).splitlines()), type(error).__name__)
    return f"{OUT_OF_MEMORY}: {text}\n  give this process more of it, or let it do less at a time"


class _Parser(argparse.ArgumentParser):
    """Raises errors like the rest of metaopt; its parsers of commands do, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message, f"see {self.prog} --help")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _parsers()
    chosen, unknown = parser.parse_known_args(arguments)
    if unknown:
        name = " ".join(filter(None, (parser.prog, chosen.command, getattr(chosen, "verb", None))))
        options = {command.prog: command._option_string_actions.keys() for command in _commands_of(parser)}
        raise ConfigError(
            f"{name} does not take {shown(unknown[0])}{_instead(unknown[0], name, options)}", f"see {name} --help"
        )
    return chosen


def _commands_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yields the parsers of all commands, of verbs where a command has some."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for command in action.choices.values():
            yield from _commands_of(command)


def _instead(given: str, command: str, options: Mapping[str, Iterable[str]]) -> str:
    """Returns what may have been meant by an option that a command does not have: another command, or one like it."""
    option = given.partition("=")[0]
    if not option.startswith("--"):
        return ""
    if others := [other for other, has in options.items() if option in has]:
        named = " and ".join(filter(None, (", ".join(others[:-1]), others[-1])))
        return f"; {named} {'take' if len(others) > 1 else 'takes'} it"
    own = {name.lstrip("-"): name for name in options[command] if name.startswith("--")}
    word = option.lstrip("-")
    begun = sorted((name for name in own if word and name.startswith(word)), key=len)
    near = begun[0] if begun else nearest(word, own)
    return f"; did you mean {own[near]}?" if near else ""


def _parsers() -> _Parser:
    about = "Tunes the hyperparameters of one-shot NAS optimizers and compares them honestly with black-box NAS."
    parser = _Parser(prog="metaopt", description=about)
    parser.add_argument("--version", action="version", version=f"metaopt {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_run_commands(commands)
    _add_search_command(commands)
    _add_compare_command(commands)
    _add_correlate_command(commands)
    _add_look_commands(commands)
    _add_cluster_commands(_verbs(commands, "cluster", "clusters: script, check, certificates"))
    doctor = _command(commands, "doctor", "metaopt.cli.doctor:doctor", "check what metaopt needs of this machine")
    doctor.add_argument("--json", action="store_true", help="as one JSON object")
    _add_space_commands(_verbs(commands, "space", "spaces of hyperparameters: list, show, check"))
    verbs = _verbs(
        commands, "benchmark", "benchmarks: list, info, build, record, gather-searches, import, fit-surrogate"
    )
    _add_benchmark_commands(verbs)
    _add_record_command(verbs)
    _add_gather_command(verbs)
    _add_import_command(verbs)
    _add_fit_surrogate_command(verbs)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _verbs(commands: _Commands[_Parser], name: str, text: str) -> _Commands[_Parser]:
    parser = commands.add_parser(name, help=text)
    return parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)


def _command(commands: _Commands[_Parser], name: str, handler: str, text: str) -> _Parser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(handler=handler)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _add_run_commands(commands: _Commands[_Parser]) -> None:
    tune = _command(commands, "tune", "metaopt.cli.run:tune", "tune the hyperparameters of a one-shot optimizer")
    text = "look for cells without any search: black-box NAS, every cell looked up in the table"
    baseline = _command(commands, "baseline", "metaopt.cli.run:baseline", text)
    for command, kind in ((tune, TuneSettings), (baseline, BaselineSettings)):
        command.add_argument(
            "--config", type=Path, metavar="FILE", help="YAML run file; flags and METAOPT_* go before it"
        )
        add_flags(command, settings(kind))
    _add_scheduler(tune)
    resume = _command(commands, "resume", "metaopt.cli.run:resume", "go on with an interrupted or killed run")
    resume.add_argument("run", type=Path, metavar="RUN", help="run folder")
    resume.add_argument("--budget", type=whole, metavar="N", help="a larger number of evaluations, for a finished run")
    resume.add_argument("--budget-epochs", type=whole, metavar="N", help="a larger number of epochs")
    resume.add_argument("--budget-seconds", type=float, metavar="S", help="a larger number of seconds")
    text = "add confirming searches to a finished run, of its default and of its incumbent"
    confirm = _command(commands, "confirm", "metaopt.cli.run:confirm", text)
    confirm.add_argument("run", type=Path, metavar="RUN", help="run folder")
    confirm.add_argument("--to", type=whole, required=True, metavar="N", help="searches that each of the two has then")
    for command in (resume, confirm):
        _add_resources(command, "than before")
    for command in (tune, baseline, resume, confirm):
        command.add_argument("--no-report", action="store_true", help="write no report at the end")


def _add_search_command(commands: _Commands[_Parser]) -> None:
    text = "run one search and show what its cell is worth epoch by epoch"
    search = _command(commands, "search", "metaopt.cli.search:search", text)
    search.add_argument("--optimizer", required=True, help="one-shot optimizer")
    search.add_argument("--epochs", type=whole, help="epochs of the search; the benchmark's largest")
    search.add_argument("--seed", type=seed, default=0, help="seed of everything random in the search [0]")
    search.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another value of a setting; repeatable"
    )
    add_flags(search, (*settings_of(SearchTask), *(of for of in settings(TuneSettings) if of.name == "space")))
    search.add_argument("--out", type=Path, metavar="FOLDER", help="folder to make; a free name under runs/")


def _add_compare_command(commands: _Commands[_Parser]) -> None:
    text = "run the runs that a study names, as far as they are missing, and compare them"
    compare = _command(commands, "compare", "metaopt.cli.compare:compare", text)
    compare.add_argument("study", type=Path, metavar="STUDY", help="YAML file with the runs, or the folder it is in")
    compare.add_argument("--out", type=Path, metavar="FOLDER", help="where the study goes [where its file is]")
    compare.add_argument("--no-run", action="store_true", help="run nothing, write what the journals say so far")
    compare.add_argument("--check", action="store_true", help="run nothing, compare what is there with fresh tables")
    compare.add_argument(
        "--pack", action="store_true", help="move the journals of finished runs into one compressed file"
    )
    compare.add_argument("--at-once", type=whole, metavar="N", help="baselines at a time; as many as there are cores")
    _add_resources(compare, "than the study's file says")


def _add_resources(command: _Parser, than: str) -> None:
    command.add_argument("--executor", choices=sorted(EXECUTORS), help=f"another executor {than}")
    command.add_argument("--workers", type=whole, help=f"another number of evaluations at a time {than}")
    command.add_argument("--cluster", metavar="FILE", help=f"another cluster {than}")
    text = f"another number of equal failures {than}, after which a run stops if none has succeeded; 0: never"
    command.add_argument("--stop-after-failures", type=int, metavar="N", help=text)
    _add_scheduler(command)


def _add_scheduler(command: _Parser) -> None:
    text = "a Dask scheduler that runs already, in place of a cluster file, such as tls://head.example.org:8786"
    command.add_argument("--scheduler", dest="cluster", metavar="ADDRESS", help=text)


def _add_correlate_command(commands: _Commands[_Parser]) -> None:
    text = "measure how well the supernets of a one-shot optimizer rank the cells of their space"
    correlate = _command(commands, "correlate", "metaopt.cli.correlate:correlate", text)
    correlate.add_argument("--optimizer", required=True, help="one-shot optimizer that trains the supernets")
    correlate.add_argument("--epochs", type=whole, default=50, help="epochs of a search [50]")
    correlate.add_argument("--at", metavar="EPOCHS", help="score after these epochs, such as 5,15,50 [the last]")
    correlate.add_argument("--seeds", type=whole, default=5, help="supernets, with seeds from 0 [5]")
    correlate.add_argument("--sample", type=whole, metavar="CELLS", help="score only so many, drawn uniformly [all]")
    correlate.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter of the searches; repeatable"
    )
    correlate.add_argument("--workers", type=whole, help="worker processes; as many as there are cores")
    add_flags(correlate, settings_of(SearchTask))
    correlate.add_argument("--out", type=Path, metavar="FOLDER", help="where to write it [a folder in runs]")


def _add_look_commands(commands: _Commands[_Parser]) -> None:
    status = _command(commands, "status", "metaopt.cli.look:status", "say how a run stands, also while it runs")
    status.add_argument("run", type=Path, metavar="RUN", help="run folder")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    report = _command(commands, "report", "metaopt.cli.look:report", "write the report of one or several runs")
    report.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folder")
    report.add_argument("--out", type=Path, metavar="FOLDER", help="where to write it [RUN/report]")
    report.add_argument("--check", action="store_true", help="compare the report that is there with a fresh one")
    text = "write all trials of one or several runs into a file for other programs"
    export = _command(commands, "export", "metaopt.cli.look:export", text)
    export.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folder")
    export.add_argument("--to", required=True, metavar="FORMAT", help=", ".join(EXPORTERS))
    export.add_argument("--out", type=Path, metavar="FILE", help="file to write [RUN/trials.FORMAT, of one run]")


def _add_cluster_commands(verbs: _Commands[_Parser]) -> None:
    script = _command(verbs, "script", "metaopt.cli.clusters:script", "print the script of a job, and submit nothing")
    check = _command(verbs, "check", "metaopt.cli.clusters:check", "start or connect to a cluster and try its workers")
    for command in (script, check):
        command.add_argument("cluster", metavar="FILE", help="YAML file of a cluster, or address of a scheduler")
    check.add_argument("--wait", type=float, default=300.0, metavar="SECONDS", help="for the first worker [300]")
    text = "make the key and the certificate by which a scheduler, its workers and metaopt know each other"
    certificates = _command(verbs, "certificates", "metaopt.cli.clusters:certificates", text)
    certificates.add_argument("folder", type=Path, metavar="FOLDER", help="folder to make, readable by you only")


def _add_space_commands(verbs: _Commands[_Parser]) -> None:
    _command(verbs, "list", "metaopt.cli.spaces:list_spaces", "names of the shipped spaces")
    show = _command(verbs, "show", "metaopt.cli.spaces:show", "hyperparameters with ranges, defaults and sources")
    show.add_argument("space", metavar="NAME", help="a shipped space or a .yaml file")
    check = _command(verbs, "check", "metaopt.cli.spaces:check", "check a space file")
    check.add_argument("file", metavar="FILE", help="a .yaml file")


def _add_benchmark_commands(verbs: _Commands[_Parser]) -> None:
    _command(verbs, "list", "metaopt.cli.benchmarks:list_benchmarks", "names of the shipped benchmarks")
    info = _command(verbs, "info", "metaopt.cli.benchmarks:info", "the card of a benchmark, and the tables there are")
    build = _command(verbs, "build", "metaopt.cli.build:build", "train the cells of a cell space, resumable")
    _add_cell_space(build)
    build.add_argument(
        "--found", type=Path, nargs="+", default=[], metavar="RUN", help="also train the cells that these runs found"
    )
    build.add_argument("--out", type=Path, metavar="FILE", help="table to write [a file in METAOPT_HOME]")
    build.add_argument("--workers", type=whole, help="worker processes; as many as there are cores")
    for command in (info, build):
        command.add_argument("benchmark", metavar="NAME", help="a benchmark")


def _add_cell_space(command: _Parser) -> None:
    spaces: dict[str, Any] = {"type": whole, "choices": CELL_SPACES}
    command.add_argument("--cell-space", default=1, help="cell space of the benchmark (default: 1)", **spaces)
    add_former(command, "--space", "cell_space", **spaces)


def _add_record_command(verbs: _Commands[_Parser]) -> None:
    text = "make searches of configurations that are spread over a space, to be studied afterwards; resumable"
    record = _command(verbs, "record", "metaopt.cli.record:record", text)
    record.add_argument("--searches", type=whole, required=True, metavar="N", help="searches to make in all")
    ruled_out = {"tuner", "budget", "budget_epochs", "budget_seconds", "min_epochs", "folder", "confirm"}
    add_flags(record, (of for of in settings(TuneSettings) if of.name not in ruled_out))
    _add_scheduler(record)
    text = "folder to make, or to go on with [a folder in runs, named by optimizer, benchmark and seed]"
    record.add_argument("--out", type=Path, metavar="FOLDER", help=text)


def _add_gather_command(verbs: _Commands[_Parser]) -> None:
    text = "put the searches of any runs into one file, each once, with their courses epoch by epoch"
    gather = _command(verbs, "gather-searches", "metaopt.cli.gather:gather_searches", text)
    gather.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or of a study")
    gather.add_argument("--benchmark", default="digits", help="whose searches are wanted [digits]")
    _add_cell_space(gather)
    gather.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write, .parquet")


def _add_import_command(verbs: _Commands[_Parser]) -> None:
    text = "convert a table that others have published, or one of your own"
    command = _command(verbs, "import", "metaopt.cli.imports:import_table", text)
    command.epilog = (
        "csv and parquet have a row per cell, seed and number of epochs, every combination of them once; columns: "
        "cell (as metaopt writes it; or adjacency and operations as NAS-Bench-101 does), epochs, seed, valid_error, "
        "test_error; and if known train_error, cost_s, parameters. Errors are shares in [0, 1]."
    )
    command.add_argument("importer", metavar="NAME", help=f"what the file is: {', '.join(IMPORTERS)}")
    command.add_argument("file", type=Path, metavar="FILE", help="the file, as it was published")
    command.add_argument("--as", dest="benchmark", metavar="BENCHMARK", help="benchmark that it becomes the table of")
    command.add_argument("--out", type=Path, metavar="FILE", help="table to write [the benchmark's, in METAOPT_HOME]")


def _add_fit_surrogate_command(verbs: _Commands[_Parser]) -> None:
    text = "fit models to a table and predict the cells that it does not hold"
    fit = _command(verbs, "fit-surrogate", "metaopt.cli.surrogates:fit_surrogate", text)
    fit.add_argument("table", metavar="TABLE", help="a benchmark, or a .parquet file")
    _add_cell_space(fit)
    fit.add_argument("--models", default="lgb,xgb,gin", help="lgb, xgb, forest, gin, with commas [lgb,xgb,gin]")
    fit.add_argument("--members", type=whole, default=5, help="of every model's ensemble [5]")
    fit.add_argument("--tune", type=whole, default=0, metavar="TRIALS", help="tune every model by BOHB first [0]")
    fit.add_argument("--seed", type=seed, default=0, help="seed of everything random [0]")
    fit.add_argument("--threads", type=whole, help="cores to use; all there are")
    fit.add_argument(
        "--epochs", type=whole, nargs="+", metavar="N",
        help="after which epochs to predict, the last among them; all of the table",
    )  # fmt: skip
    fit.add_argument(
        "--found", type=Path, nargs="+", default=[], metavar="RUN",
        help="also predict the cells that each optimizer of these runs found, from all others",
    )  # fmt: skip
    fit.add_argument("--table1", action="store_true", help="also compare single trainings with surrogates of them")
    fit.add_argument("--out", type=Path, metavar="FOLDER", help="where it all goes [a folder in METAOPT_HOME]")
