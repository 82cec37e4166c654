"""All commands with their flags and examples; registries are read for their names, so that help is fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metaopt.cli import names
from metaopt.cli.flags import add_flags, add_former, seed, whole
from metaopt.cli.parser import Commands, Parser, add_command, add_verbs
from metaopt.core.distribution import VERSION
from metaopt.executors import EXECUTORS
from metaopt.oneshot import ONESHOT
from metaopt.report import EXPORTERS
from metaopt.settings.field import settings_of
from metaopt.settings.run import BaselineSettings, TuneSettings, settings
from metaopt.settings.search import CELL_SPACES, SearchTask
from metaopt.surrogates import SURROGATES
from metaopt.tables.importers import IMPORTERS
from metaopt.tuners import TUNERS

#: Shells whose completion there is.
SHELLS = ("bash", "zsh", "tcsh")
_OPTIMIZERS = ", ".join(ONESHOT)
_NAMES = {"optimizer": ONESHOT, "tuner": TUNERS}
_CHECKS = {"benchmark": names.benchmark, "space": names.space}


def build() -> Parser:
    """Returns the parser of the command line."""
    about = "Tunes the hyperparameters of one-shot NAS optimizers and compares them with black-box NAS."
    parser = Parser(prog="metaopt", description=about, epilog="`metaopt COMMAND --help` has the flags and examples.")
    parser.add_argument("--version", action="version", version=f"metaopt {VERSION}")
    commands = parser.commands("command", "commands")
    _add_tune(commands)
    _add_baseline(commands)
    _add_resume(commands)
    _add_search(commands)
    _add_compare(commands)
    _add_correlate(commands)
    _add_readers(commands)
    _add_tuners(add_verbs(commands, "tuner", "list tuners, show the options of one"))
    _add_optimizers(add_verbs(commands, "optimizer", "list one-shot optimizers, show the hyperparameters of one"))
    _add_spaces(add_verbs(commands, "space", "list, show and check spaces of hyperparameters"))
    verbs = add_verbs(commands, "benchmark", "list, build, record and import benchmarks")
    _add_benchmarks(verbs)
    _add_record(verbs)
    _add_gather(verbs)
    _add_import(verbs)
    _add_fit_surrogate(verbs)
    _add_clusters(add_verbs(commands, "cluster", "check clusters, print their scripts, make certificates"))
    _add_machine(commands)
    return parser


def _add_tune(commands: Commands[Parser]) -> None:
    tune = add_command(
        commands, "tune", "run:tune", "tune the hyperparameters of a one-shot optimizer",
        "--optimizer darts --budget 20",
        "--optimizer gdas --tuner tpe --cell-space 2 --budget 50 --workers 4 --seed 1",
    )  # fmt: skip
    _add_config(tune)
    add_flags(tune, settings(TuneSettings), _NAMES, _CHECKS)
    _add_scheduler(tune)


def _add_baseline(commands: Commands[Parser]) -> None:
    baseline = add_command(
        commands, "baseline", "run:baseline", "search cells by black-box NAS: every cell is looked up in the table",
        "--tuner re --budget 500",
        "--tuner hyperband --budget-seconds 3600 --seed 1",
    )  # fmt: skip
    _add_config(baseline)
    add_flags(baseline, settings(BaselineSettings), _NAMES, _CHECKS)


def _add_config(command: Parser) -> None:
    text = "YAML run file with settings; METAOPT_* variables override it, flags override both"
    command.add_argument("--config", type=Path, metavar="FILE", help=text)
    _add_no_report(command)


def _add_no_report(command: Parser) -> None:
    command.add_argument("--no-report", action="store_true", help="write no report at the end")


def _add_resume(commands: Commands[Parser]) -> None:
    resume = add_command(
        commands, "resume", "run:resume", "continue an interrupted or killed run",
        "runs/darts-digits1-bohb-s0",
        "runs/darts-digits1-bohb-s0 --workers 8",
    )  # fmt: skip
    confirm = add_command(
        commands, "confirm", "run:confirm", "add confirming searches of default and incumbent to a finished run",
        "runs/darts-digits1-bohb-s0 --to 10",
        "runs/darts-digits1-bohb-s0 --to 10 --workers 4",
    )  # fmt: skip
    for command in (resume, confirm):
        command.add_argument("run", type=names.run_folder, metavar="RUN", help="run folder")
        _add_resources(command, "as before")
        _add_no_report(command)
    text = "larger number of {} than before, also of a finished run (default: as before)"
    resume.add_argument("--budget", type=whole, metavar="N", help=text.format("evaluations"))
    resume.add_argument("--budget-epochs", type=whole, metavar="N", help=text.format("epochs"))
    resume.add_argument("--budget-seconds", type=float, metavar="S", help=text.format("seconds"))
    text = "searches of each of the two in the end (required)"
    confirm.add_argument("--to", type=whole, required=True, metavar="N", help=text)


def _add_search(commands: Commands[Parser]) -> None:
    search = add_command(
        commands, "search", "search:search", "run one search and show the error of its cell epoch by epoch",
        "--optimizer darts --epochs 25",
        "--optimizer darts --set learning_rate=0.1 --set batch_size=64 --cell-space 3",
    )  # fmt: skip
    _add_optimizer(search, "one-shot optimizer")
    search.add_argument("--epochs", type=whole, help="epochs of the search (default: largest of the benchmark)")
    search.add_argument("--seed", type=seed, default=0, help="seed of everything random in the search (default: 0)")
    _add_set(search)
    space = tuple(field for field in settings(TuneSettings) if field.name == "space")
    add_flags(search, (*settings_of(SearchTask), *space), checks=_CHECKS)
    search.add_argument("--out", type=Path, metavar="FOLDER", help="folder to make (default: a new folder in runs/)")


def _add_optimizer(command: Parser, text: str) -> None:
    command.add_argument("--optimizer", type=names.optimizer, required=True, help=f"{text}: {_OPTIMIZERS} (required)")


def _add_set(command: Parser) -> None:
    text = "value of a hyperparameter; repeatable (default: the default of the space)"
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)


def _add_compare(commands: Commands[Parser]) -> None:
    compare = add_command(
        commands, "compare", "compare:compare", "run the missing runs of a study and compare all of them",
        "study.yaml",
        "study.yaml --out results/mine --at-once 2",
    )  # fmt: skip
    compare.add_argument("study", type=names.study_file, metavar="STUDY", help="YAML file with the runs, or its folder")
    text = "folder of the study (default: the folder of its file)"
    compare.add_argument("--out", type=Path, metavar="FOLDER", help=text)
    compare.add_argument("--no-run", action="store_true", help="run nothing; write what the journals say so far")
    compare.add_argument("--check", action="store_true", help="run nothing; compare what is there with fresh tables")
    compare.add_argument("--pack", action="store_true", help="move the journals of finished runs into one file")
    compare.add_argument("--at-once", type=whole, metavar="N", help="baselines at a time (default: number of cores)")
    _add_resources(compare, "as the study says")


def _add_resources(command: Parser, default: str) -> None:
    names = "{" + ",".join(sorted(EXECUTORS)) + "}"
    text = f"where evaluations run (default: {default})"
    command.add_argument("--executor", choices=sorted(EXECUTORS), metavar=names, help=text)
    command.add_argument("--workers", type=whole, help=f"evaluations at a time (default: {default})")
    command.add_argument("--cluster", metavar="FILE", help=f"YAML file of the cluster (default: {default})")
    text = f"equal failures after which a run without a success stops; 0: never (default: {default})"
    command.add_argument("--stop-after-failures", type=int, metavar="N", help=text)
    _add_scheduler(command)


def _add_scheduler(command: Parser) -> None:
    text = "running Dask scheduler, instead of a cluster file, such as tls://head.example.org:8786"
    command.add_argument("--scheduler", dest="cluster", metavar="ADDRESS", help=text)


def _add_correlate(commands: Commands[Parser]) -> None:
    correlate = add_command(
        commands, "correlate", "correlate:correlate", "measure how well trained supernets rank the cells of a space",
        "--optimizer randomws --seeds 5",
        "--optimizer darts --epochs 50 --at 5,15,50 --sample 500",
    )  # fmt: skip
    _add_optimizer(correlate, "one-shot optimizer that trains the supernets")
    correlate.add_argument("--epochs", type=whole, default=50, help="epochs of a search (default: 50)")
    text = "epochs after which cells are scored, such as 5,15,50 (default: the last)"
    correlate.add_argument("--at", metavar="EPOCHS", help=text)
    correlate.add_argument("--seeds", type=whole, default=5, help="supernets, with seeds from 0 (default: 5)")
    text = "cells to score, drawn uniformly (default: all)"
    correlate.add_argument("--sample", type=whole, metavar="CELLS", help=text)
    _add_set(correlate)
    correlate.add_argument("--workers", type=whole, help="worker processes (default: number of cores)")
    add_flags(correlate, settings_of(SearchTask), checks=_CHECKS)
    text = "folder of the results (default: a folder in runs/)"
    correlate.add_argument("--out", type=Path, metavar="FOLDER", help=text)


def _add_readers(commands: Commands[Parser]) -> None:
    status = add_command(
        commands, "status", "status:status", "print the status of a run, also while it runs",
        "runs/darts-digits1-bohb-s0",
        "runs/darts-digits1-bohb-s0 --json",
    )  # fmt: skip
    status.add_argument("run", type=names.run_folder, metavar="RUN", help="run folder")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    report = add_command(
        commands, "report", "report:report", "write the report of one run, or of several",
        "runs/darts-digits1-bohb-s0",
        "runs/darts-digits1-bohb-s0 runs/darts-digits1-tpe-s0 --out both",
    )  # fmt: skip
    report.add_argument("runs", nargs="+", type=names.run_folder, metavar="RUN", help="run folder")
    report.add_argument("--out", type=Path, metavar="FOLDER", help="folder of the report (default: RUN/report)")
    report.add_argument("--check", action="store_true", help="compare the report that is there with a fresh one")
    export = add_command(
        commands, "export", "export:export", "write all trials of one or several runs to a file for other programs",
        "runs/darts-digits1-bohb-s0 --to csv",
        "runs/darts-digits1-bohb-s0 runs/darts-digits1-tpe-s0 --to parquet --out trials.parquet",
    )  # fmt: skip
    export.add_argument("runs", nargs="+", type=names.run_folder, metavar="RUN", help="run folder")
    export.add_argument("--to", required=True, metavar="FORMAT", help=f"format: {', '.join(EXPORTERS)} (required)")
    export.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: RUN/trials.FORMAT)")


def _add_tuners(verbs: Commands[Parser]) -> None:
    add_command(verbs, "list", "tuners:list_tuners", "list the tuners", "", "--debug")
    show = add_command(verbs, "show", "tuners:show", "show the options of a tuner", "bohb", "re")
    show.add_argument("tuner", type=names.tuner, metavar="NAME", help=f"tuner: {', '.join(TUNERS)}")


def _add_optimizers(verbs: Commands[Parser]) -> None:
    add_command(verbs, "list", "optimizers:list_optimizers", "list the one-shot optimizers", "", "--debug")
    text = "show the hyperparameters of a one-shot optimizer"
    show = add_command(verbs, "show", "optimizers:show", text, "darts", "enas")
    show.add_argument("optimizer", type=names.optimizer, metavar="NAME", help=f"one-shot optimizer: {_OPTIMIZERS}")


def _add_spaces(verbs: Commands[Parser]) -> None:
    add_command(verbs, "list", "spaces:list_spaces", "list the shipped spaces", "", "--debug")
    text = "show the hyperparameters of a space with ranges, defaults and sources"
    show = add_command(verbs, "show", "spaces:show", text, "darts", "mine.yaml")
    show.add_argument("space", type=names.space, metavar="NAME", help="shipped space, or a .yaml file")
    check = add_command(verbs, "check", "spaces:check", "check a space file", "mine.yaml", "spaces/mine.yaml")
    check.add_argument("file", metavar="FILE", help=".yaml file")


def _add_benchmarks(verbs: Commands[Parser]) -> None:
    add_command(verbs, "list", "benchmark.listing:list_benchmarks", "list the shipped benchmarks", "", "--debug")
    text = "show the card of a benchmark and its tables"
    info = add_command(verbs, "info", "benchmark.info:info", text, "digits", "nasbench101")
    build = add_command(
        verbs, "build", "benchmark.build:build", "train the cells of a cell space; resumable",
        "digits --cell-space 1 --workers 4",
        "digits --cell-space 3 --found runs/darts-digits3-bohb-s0 --out mine.parquet",
    )  # fmt: skip
    _add_cell_space(build)
    text = "also train the cells that these runs found"
    build.add_argument("--found", type=Path, nargs="+", default=[], metavar="RUN", help=text)
    build.add_argument("--out", type=Path, metavar="FILE", help="table to write (default: a file in METAOPT_HOME)")
    build.add_argument("--workers", type=whole, help="worker processes (default: number of cores)")
    for command in (info, build):
        command.add_argument("benchmark", type=names.benchmark, metavar="NAME", help="benchmark")


def _add_cell_space(command: Parser) -> None:
    spaces: dict[str, Any] = {"type": whole, "choices": CELL_SPACES}
    command.add_argument("--cell-space", default=1, help="cell space of the benchmark (default: 1)", **spaces)
    add_former(command, "--space", "cell_space", **spaces)


def _add_record(verbs: Commands[Parser]) -> None:
    record = add_command(
        verbs, "record", "benchmark.record:record", "record searches of configurations spread over a space; resumable",
        "--optimizer darts --searches 100",
        "--optimizer gdas --cell-space 2 --searches 50 --workers 4 --out recorded",
    )  # fmt: skip
    record.add_argument("--searches", type=whole, required=True, metavar="N", help="searches in all (required)")
    ruled_out = {"tuner", "budget", "budget_epochs", "budget_seconds", "min_epochs", "folder", "confirm"}
    add_flags(record, (field for field in settings(TuneSettings) if field.name not in ruled_out), _NAMES, _CHECKS)
    _add_scheduler(record)
    text = "folder to make or to continue (default: a folder in runs/ named by optimizer, benchmark and seed)"
    record.add_argument("--out", type=Path, metavar="FOLDER", help=text)


def _add_gather(verbs: Commands[Parser]) -> None:
    gather = add_command(
        verbs, "gather-searches", "benchmark.gather:gather_searches", "gather the searches of runs in one file",
        "runs/darts-digits1-design-s0 --out searches.parquet",
        "results/reference/tuned --cell-space 1 --out searches.parquet",
    )  # fmt: skip
    gather.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or of a study")
    gather.add_argument(
        "--benchmark", type=names.benchmark, default="digits", help="benchmark of the searches (default: digits)"
    )
    _add_cell_space(gather)
    text = "file to write, .parquet (required)"
    gather.add_argument("--out", type=Path, required=True, metavar="FILE", help=text)


def _add_import(verbs: Commands[Parser]) -> None:
    command = add_command(
        verbs, "import", "benchmark.imports:import_table", "convert a published table, or one of your own",
        "nasbench101 nasbench_only108.tfrecord",
        "csv mine.csv --as mine --out mine.parquet",
    )  # fmt: skip
    command.description = (
        "Converts a published table, or one of your own. Files csv and parquet have one row for every cell, seed and "
        "number of epochs, each combination once, with these columns: cell (as metaopt writes it; or adjacency and "
        "operations, as NAS-Bench-101 writes them), epochs, seed, valid_error, test_error; optional: train_error, "
        "cost_s, parameters. Errors are in [0, 1]."
    )
    command.add_argument(
        "importer", choices=sorted(IMPORTERS), metavar="NAME", help=f"kind of file: {', '.join(IMPORTERS)}"
    )
    command.add_argument("file", type=Path, metavar="FILE", help="the file as published")
    text = "benchmark that the table belongs to (default: known from the kind of file)"
    command.add_argument("--as", dest="benchmark", metavar="BENCHMARK", help=text)
    text = "table to write (default: the table of the benchmark in METAOPT_HOME)"
    command.add_argument("--out", type=Path, metavar="FILE", help=text)


def _add_fit_surrogate(verbs: Commands[Parser]) -> None:
    fit = add_command(
        verbs, "fit-surrogate", "benchmark.surrogates:fit_surrogate", "fit models to a table, predict missing cells",
        "nasbench101 --cell-space 3 --models lgb",
        "digits --cell-space 3 --members 5 --tune 50",
    )  # fmt: skip
    fit.add_argument("table", metavar="TABLE", help="benchmark, or a .parquet file")
    _add_cell_space(fit)
    text = f"models, with commas: {', '.join(SURROGATES)} (default: lgb,xgb,gin)"
    fit.add_argument("--models", default="lgb,xgb,gin", help=text)
    fit.add_argument("--members", type=whole, default=5, help="members of the ensemble of a model (default: 5)")
    text = "trials of BOHB that tune every model first (default: 0)"
    fit.add_argument("--tune", type=whole, default=0, metavar="TRIALS", help=text)
    fit.add_argument("--seed", type=seed, default=0, help="seed of everything random (default: 0)")
    fit.add_argument("--threads", type=whole, help="cores to use (default: all)")
    text = "epochs to predict for, the last of the table among them (default: all of the table)"
    fit.add_argument("--epochs", type=whole, nargs="+", metavar="N", help=text)
    text = "also predict the cells that each optimizer of these runs found, from all others"
    fit.add_argument("--found", type=Path, nargs="+", default=[], metavar="RUN", help=text)
    fit.add_argument("--table1", action="store_true", help="also compare single trainings with surrogates of them")
    text = "folder of the results (default: a folder in METAOPT_HOME)"
    fit.add_argument("--out", type=Path, metavar="FOLDER", help=text)


def _add_clusters(verbs: Commands[Parser]) -> None:
    text = "print the script of a job, and submit nothing"
    script = add_command(verbs, "script", "clusters:script", text, "cluster.yaml", "cluster.yaml > job.sh")
    check = add_command(
        verbs, "check", "clusters:check", "start or connect to a cluster and try its workers",
        "cluster.yaml",
        "tls://head.example.org:8786 --wait 60",
    )  # fmt: skip
    for command in (script, check):
        command.add_argument("cluster", metavar="FILE", help="YAML file of a cluster, or address of a scheduler")
    text = "seconds to wait for the first worker (default: 300)"
    check.add_argument("--wait", type=float, default=300.0, metavar="SECONDS", help=text)
    text = "make the key and certificate that scheduler, workers and metaopt trust"
    examples = "keys", "~/keys"
    certificates = add_command(verbs, "certificates", "clusters:certificates", text, *examples)
    certificates.add_argument("folder", type=Path, metavar="FOLDER", help="folder to make, readable by you only")


def _add_machine(commands: Commands[Parser]) -> None:
    text = "check what metaopt needs on this machine"
    doctor = add_command(commands, "doctor", "doctor:doctor", text, "", "--json")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    completion = add_command(
        commands, "completion", "completion:completion", "print the completion script of a shell",
        "bash > ~/.local/share/bash-completion/completions/metaopt",
        'zsh > "${fpath[1]}/_metaopt"',
    )  # fmt: skip
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"shell: {', '.join(SHELLS)}")
