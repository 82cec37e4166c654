"""Files that Optuna opens, and closes again, which it leaves to the collector otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna


@contextmanager
def opened(file: Path) -> Iterator[optuna.storages.RDBStorage]:
    """Gives the studies of an SQLite file."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()
