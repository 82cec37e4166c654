"""The parser of commands: errors like all others of metaopt, names that may have been meant, help with examples."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from metaopt.core.errors import ConfigError, nearest, unknown_name
from metaopt.core.wording import shown

Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns
_WIDEST_FLAG = 30  # columns before a help text goes to a line of its own


class _Help(argparse.HelpFormatter):
    """Keeps the lines of examples."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_WIDEST_FLAG)

    def add_argument(self, action: argparse.Action) -> None:
        """Also leaves room for names of commands, which argparse does not count as indented."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Raises errors like the rest of metaopt; its parsers of commands do, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Help, **options, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        """Raises a ConfigError in place of argparse's exit."""
        raise ConfigError(message, f"see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            name = "/".join(action.option_strings) or action.dest
            if isinstance(action, argparse._SubParsersAction) and self.prog != "metaopt":
                name = f"command of {self.prog}:"
            raise unknown_name(name, str(value), choices, f"see {self.prog} --help")

    def commands(self, dest: str, title: str) -> Commands[Parser]:
        """Returns where commands are added; without one of them the help is shown."""
        self.set_defaults(handler="", parser=self)
        return self.add_subparsers(dest=dest, metavar=dest.upper(), title=title, parser_class=Parser)


def add_verbs(commands: Commands[Parser], name: str, text: str) -> Commands[Parser]:
    """Adds a command that has commands of its own."""
    parser = commands.add_parser(name, help=text, description=text)
    return parser.commands("verb", "commands")


def add_command(commands: Commands[Parser], name: str, handler: str, text: str, *examples: str) -> Parser:
    """Adds a command.

    Args:
        commands: Where to add it.
        name: What it is called.
        handler: What runs it, as ``module:function`` of this package, so that help costs no heavy import.
        text: What it does, as an imperative.
        examples: Its arguments on the command line, a line each.
    """
    parser = commands.add_parser(name, help=text, description=text)
    parser.epilog = "\n".join(["examples:", *(f"  {parser.prog} {example}".rstrip() for example in examples)])
    parser.set_defaults(handler=f"metaopt.cli.{handler}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def parse(parser: Parser, arguments: list[str]) -> argparse.Namespace:
    """Returns what the command line says.

    Raises:
        ConfigError: if it cannot be understood, with what may have been meant.
    """
    chosen, unknown = parser.parse_known_args(arguments)
    if unknown:
        name = " ".join(filter(None, (parser.prog, chosen.command, getattr(chosen, "verb", None))))
        options = {command.prog: command._option_string_actions for command in leaves(parser)}
        raise ConfigError(
            f"{name} does not take {shown(unknown[0])}{_instead(unknown[0], name, options)}", f"see {name} --help"
        )
    return chosen


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yields the parsers of all commands that do something."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for command in action.choices.values():
            yield from leaves(command)


def _instead(given: str, command: str, options: Mapping[str, Iterable[str]]) -> str:
    """Returns what may have been meant by an option that a command does not have: one like it, or another command."""
    option = given.partition("=")[0]
    if not option.startswith("--"):
        return ""
    if others := [other for other, has in options.items() if option in has]:
        named = " and ".join(filter(None, (", ".join(others[:-1]), others[-1])))
        return f"; {named} {'take' if len(others) > 1 else 'takes'} it"
    own = {name.lstrip("-"): name for name in options.get(command, ()) if name.startswith("--")}
    word = option.lstrip("-")
    begun = sorted((name for name in own if word and name.startswith(word)), key=len)
    near = begun[0] if begun else nearest(word, own)
    return f"; did you mean {own[near]}?" if near else ""
