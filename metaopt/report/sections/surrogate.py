"""The page of a fitted surrogate: what it was fitted to and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metaopt.core.wording import counted
from metaopt.report.document.markdown import render_markdown
from metaopt.report.document.page import Page, RenderedSection
from metaopt.report.document.section import Column, PageTable, Section
from metaopt.surrogates.quality import whose

_Values = Mapping[str, Any]


def _decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.3f}"


def _of(key: str, head: str, show: Any = _decimals) -> Column:
    return Column(head, value=lambda row: row[1][key], show=show)


_NAME = Column("", value=lambda row: row[0])
_QUALITY = (
    _NAME,
    _of("r2", "R2"),
    _of("spearman", "Spearman"),
    _of("kendall", "Kendall"),
    _of("sparse_kendall", "sparse Kendall"),
    _of("mae", "MAE (%)", _percent),
    _of("median_ae", "median AE (%)", _percent),
)
_NOISE = (
    _NAME,
    _of("mae_surrogate", "MAE of surrogate (%)", _percent),
    _of("mae_table", "MAE of one training (%)", _percent),
    _of("sigma_surrogate", "sigma of surrogate (%)", _percent),
    _of("sigma_table", "sigma of trainings (%)", _percent),
    _of("kl", "KL"),
    _of("kl_median", "median KL"),
)
_TUNED = (
    _NAME,
    Column("trials", value=lambda row: len(row[1]["trials"])),
    _of("default_mae", "MAE of the default (%)", _percent),
    _of("mae", "MAE of the choice (%)", _percent),
)


def page(record: Mapping[str, Any]) -> str:
    """Returns the Markdown page of a record that ``metaopt benchmark fit-surrogate`` wrote."""
    models = ", ".join(f"{name} ({counted(record['members'], 'member')})" for name in record["models"])
    about = (
        f"Fitted by `{record['command']}` to {record['training_cells']} cells: {models}. What they learn is the "
        "logarithm of the error + 0.001. The mean over all members answers (`all`); their standard deviation is the "
        "noise. Errors and standard deviations stand in percent."
    )
    sections = tuple(RenderedSection(section, "", (), (), ()) for section in _sections(record))
    title = f"Surrogate of {record['table']}, cell space {record['cell_space']}"
    return render_markdown(Page("surrogate", title, (), sections, text=about)).decode("utf-8")


def _sections(record: Mapping[str, Any]) -> Iterator[Section]:
    metrics = record["metrics"]
    for target, title in (("valid_error", "Validation error"), ("test_error", "Test error")):
        rows = ((name, of_model[target]) for name, of_model in metrics.items())
        yield _section(f"{title} of {record['held_out_cells']} held-out cells", _QUALITY, rows)
    yield _judgments(record)
    noise = [(name, of_model["noise"]) for name, of_model in metrics.items() if "noise" in of_model]
    if noise:
        yield _section("Noise of the validation error of these cells", _NOISE, noise)
    if "sources" in record:
        rows = (
            (f"without {source}: {name}, {entry['cells']} cells", values)
            for source, entry in record["sources"].items()
            for name, values in entry.items()
            if name != "cells"
        )
        yield _section("Cells of one source, predicted from all others", _QUALITY, rows)
    if "table1" in record:
        yield _table1(record["table1"])
    if record["tuned"]:
        yield _section("Tuning", _TUNED, record["tuned"].items())


def _section(title: str, columns: tuple[Column, ...], rows: Iterable[tuple[str, _Values]], *notes: str) -> Section:
    return Section(title, notes, (PageTable(title, columns, tuple(rows)),))


def _judgments(record: Mapping[str, Any]) -> Section:
    title = "Validation error of cells like the training cells, and unlike them"
    if not (judgments := record.get("judgments", ())):
        return Section(title, ("Not judged.",))
    rows = (
        (f"after {counted(judged['epochs'], 'epoch')}, {whose(judged)}: {model}", targets["valid_error"])
        for judged in judgments
        for model, targets in judged["metrics"].items()
    )
    why = (
        "Held-out cells are drawn like the training cells, so their wirings and sizes have been learned from. Of the "
        "others, whole wirings (a tenth of the cells has one of them) or all cells of a size are predicted by as many "
        "members, which have learned from none of them."
    )
    return _section(title, _QUALITY, rows, why)


def _table1(found: Mapping[str, Any]) -> Section:
    columns = (
        Column("training", value=lambda row: row[0]),
        *(
            _of(name, name.replace("_out_of_fold", ", out of fold"), lambda value: f"{1000 * value:.3f}")
            for name in found["repeats"][0]
        ),
    )
    note = (
        f"Mean absolute error in 1e-3 against the mean of the other trainings; {found['cells']} cells, "
        f"{found['dropped']} with a training above 50 % error left out (NAS-Bench-301, Table 1). The surrogates "
        "predict cells that they have learned from, as published; `out of fold` is by members that have not."
    )
    rows = ((str(place), repeat) for place, repeat in enumerate(found["repeats"], start=1))
    return _section("One training as the answer, or a surrogate of it", columns, rows, note)
