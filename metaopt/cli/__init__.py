"""The command line: parse, call, print. Handlers are loaded by name, so that help and errors cost no heavy import."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from metaopt.cli import commands
from metaopt.cli.parser import parse
from metaopt.core import safe_path
from metaopt.core.errors import MetaoptError
from metaopt.core.memory import OUT_OF_MEMORY, shortage
from metaopt.core.registry import load
from metaopt.core.system_errors import explained, named

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0; 1 if a run has come to its end without an evaluation that succeeded; 2 after a mistake of the user, or where
        nothing goes on, which is explained on standard error; 130 after Ctrl-C, SIGTERM or SIGUSR2.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        chosen = parse(commands.build(), arguments)
        if not chosen.handler:
            chosen.parser.print_help()
            return OK
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
