"""Whether the packages are there that metaopt demands."""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement

from metaopt.core.errors import REINSTALL
from metaopt.doctor.finding import Finding


def versions() -> Finding:
    """Whether what is installed is what metaopt's package demands."""
    demands = [Requirement(text) for text in metadata.requires("metaopt") or ()]
    needed = [demand for demand in demands if demand.marker is None or demand.marker.evaluate({"extra": ""})]
    wrong = [text for demand in needed if (text := _unmet(demand))]
    if wrong:
        return Finding("problem", "; ".join(wrong), REINSTALL)
    return Finding("ok", f"metaopt {metadata.version('metaopt')}, and {len(needed)} packages as it demands")


def _unmet(demand: Requirement) -> str:
    try:
        found = metadata.version(demand.name)
    except metadata.PackageNotFoundError:
        return f"{demand.name} is not installed"
    return "" if demand.specifier.contains(found, prereleases=True) else f"{demand.name} {found} is not {demand}"
