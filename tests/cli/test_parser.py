from __future__ import annotations

import pytest

from metaopt.cli.parser import Parser, add_command, add_verbs, leaves, parse
from metaopt.core.errors import ConfigError


def shop() -> Parser:
    parser = Parser(prog="shop")
    commands = parser.commands("command", "commands")
    buy = add_command(commands, "buy", "shop:buy", "buy things", "apples", "pears --count 3")
    buy.add_argument("--count", type=int, default=1)
    buy.add_argument("--from", dest="place", choices=("market", "mill"))
    stock = add_verbs(commands, "stock", "look at the stock")
    add_command(stock, "list", "shop:stock", "list the stock", "").add_argument("--full", action="store_true")
    return parser


def test_a_command_is_found() -> None:
    chosen = parse(shop(), ["buy", "--count", "2"])
    assert (chosen.command, chosen.count, chosen.handler) == ("buy", 2, "metaopt.cli.shop:buy")
    assert parse(shop(), ["stock", "list"]).handler == "metaopt.cli.shop:stock"


@pytest.mark.parametrize("words", [[], ["stock"]])
def test_without_a_command_there_is_a_parser_whose_help_is_shown(words: list[str]) -> None:
    chosen = parse(shop(), words)
    assert chosen.handler == ""
    assert chosen.parser.prog == " ".join(["shop", *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["by"], "unknown command of shop: 'by'; did you mean 'buy'? allowed: buy, stock"),
        (["stock", "lst"], "unknown command of shop stock: 'lst'; did you mean 'list'? allowed: list"),
        (["buy", "--cuont", "2"], "shop buy does not take '--cuont'; did you mean --count?"),
        (["buy", "--full"], "shop buy does not take '--full'; shop stock list takes it"),
        (["buy", "--from", "mall"], "unknown --from 'mall'; did you mean 'mill'? allowed: market, mill"),
        (["buy", "--count", "x"], "argument --count: invalid int value: 'x'"),
        (["buy", "x"], "shop buy does not take 'x'"),
    ],
)
def test_a_mistake_says_what_may_have_been_meant(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(shop(), words)
    assert caught.value.message == message
    assert caught.value.hint.startswith("see shop")


def test_help_has_examples_a_line_each() -> None:
    help_text = next(iter(leaves(shop()))).format_help()
    assert help_text.endswith("examples:\n  shop buy apples\n  shop buy pears --count 3\n")
