"""Notes to the user, for what still works and will not for ever."""

from __future__ import annotations

import sys

from metaopt.core.harmless import harmless


def note(text: str) -> None:
    """Prints one line on standard error."""
    print(f"metaopt: note: {harmless(text)}", file=sys.stderr)


def renamed(old: str, new: str, where: str = "") -> None:
    """Says that a name is accepted in this version for the last time."""
    note(f"{old}{where} is called {new} now; the next version takes {new} only")
