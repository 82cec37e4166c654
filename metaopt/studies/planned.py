"""The runs that a study names, checked as their commands would check them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from metaopt.core.errors import ConfigError
from metaopt.runs.config import changed, load_config
from metaopt.runs.plan import PlannedRun, plan
from metaopt.settings.run import RunSettings


class Planner:
    """Checks the runs of a study; the environment has no say, a study is what its file says.

    What runs that differ in their seed have in common is checked once: a hundred seeds would read their files a hundred
    times.

    Args:
        folder: Of the study's file; paths of space files are taken from it.
        changes: Settings that results do not depend on, of every run.

    Attributes:
        unconfirmed: Clusters that the file names, and nobody else: no run is to be started on them.
    """

    def __init__(self, folder: Path, changes: Mapping[str, Any]) -> None:
        self._folder, self._changes = folder, changes
        self._chosen = not changes.keys().isdisjoint(("cluster", "executor"))
        self.unconfirmed: list[str] = []
        self._known: dict[str, PlannedRun] = {}

    def plan(self, kind: type[RunSettings], name: str, given: Mapping[str, Any]) -> PlannedRun:
        """Returns a run.

        Args:
            kind: What sort of run it is.
            name: Of its folder.
            given: Its settings, as they are written.

        Raises:
            MetaoptError: naming everything that is wrong with them.
        """
        # Of the cluster a study's file only says which one it was: whoever has made it could run code here.
        if (cluster := given.get("cluster")) is not None and not self._chosen and str(cluster) not in self.unconfirmed:
            self.unconfirmed.append(str(cluster))
        given = {key: value for key, value in given.items() if key != "cluster"}
        file = self._space_file(given)
        flags = given if file is None else {**given, "space": str(self._folder / file)}
        asked = changed(load_config(kind, flags, {}), self._changes)
        own: dict[str, Any] = {"seed": asked.seed, **({} if file is None else {"space": file})}
        run = self._planned(asked)
        return replace(run, name=name, settings=replace(run.settings, **own))

    def _space_file(self, given: Mapping[str, Any]) -> str | None:
        space = given.get("space")
        if not isinstance(space, str) or not Path(space).suffix:
            return None
        if not (self._folder / space).is_file():
            text = f"space is {space}, and there is no such file in {self._folder.resolve()}"
            raise ConfigError(text, "check the path; it is taken from the folder of the study's file")
        return space

    def _planned(self, asked: RunSettings) -> PlannedRun:
        """Returns a run with these settings, of whatever seed."""
        # By their texts: some may be no JSON, which is found to be wrong below.
        key = repr([(of.name, getattr(asked, of.name)) for of in fields(asked) if of.name != "seed"])
        if key not in self._known:
            self._known[key] = replace(plan(asked))  # a copy, which leaves the objective behind
        return self._known[key]
