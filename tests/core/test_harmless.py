from __future__ import annotations

import unicodedata

import pytest

from metaopt.core.harmless import LONGEST_REASON, harmless, harmless_json, is_harmless, one_line


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\0b\rc\x7f", "a\\x00b\\rc\\x7f"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\udc80\ud800", "\\udc80\\ud800"),
        ("\ufffe\uffff", "\\ufffe\\uffff"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_would_be_obeyed_is_spelled_out(text: str, spelled: str) -> None:
    assert not is_harmless(text)
    assert harmless(text) == spelled
    assert harmless_json({text: [text, 1, None, {"a": text}]}) == {spelled: [spelled, 1, None, {"a": spelled}]}


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "学习 ö 🙂", "a\u00a0b", "\u200dzero width"])
def test_the_rest_is_left_alone(text: str) -> None:
    assert is_harmless(text)
    assert harmless(text) is text


def test_nothing_harmful_is_left_of_any_character() -> None:
    for code in (*range(0x10000), 0x1F600, 0xE0001, 0x1FFFE, 0x10FFFF):
        text = chr(code)
        category = unicodedata.category(text)
        if category in ("Cc", "Cs") and text not in "\n\t":
            assert harmless(text).isascii()
        assert harmless(text).encode()


def test_a_reason_is_one_bounded_line() -> None:
    assert one_line(" a\n\t b  c ") == "a b c"
    assert one_line("short") == "short"
    for text in ("x" * 10**7, "\x1b" * 10**6, "ab \n" * 10**6, "\udc80" * 5000, " " * 10**6 + "end"):
        line = one_line(f"begin{text}end")
        assert len(line) <= LONGEST_REASON
        assert line.startswith("begin")
        assert line.endswith("end")
        assert line.isprintable()
        assert one_line(line) == line
    assert one_line("abcdefghijklmnop", 12) == "abc ... mnop"
