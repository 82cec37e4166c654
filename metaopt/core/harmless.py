"""Text from outside, made harmless: what a terminal, a page or a parser of XML would obey or choke on is spelled out.

Whatever a trial, a worker or a file of others says passes here once, where it enters.
"""

from __future__ import annotations

import re
from typing import Any

#: Characters of a reason, beyond which it is cut in its middle; own choice, some twenty lines of a terminal.
LONGEST_REASON = 2000

# Control characters except tab and line feed, what changes the direction of text, halves of a pair of surrogates, line
# and paragraph separators, and the two code points that XML does not allow.
_HARMFUL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_ANY_SPACE = re.compile(r"\s+")


def is_harmless(text: str) -> bool:
    """Returns whether nothing in a text would have to be spelled out."""
    return text.isprintable() or _HARMFUL.search(text) is None


def harmless(text: str) -> str:
    r"""Returns a text in which harmful characters are spelled out: an escape as ``\x1b``."""
    return text if text.isprintable() else _HARMFUL.sub(lambda found: ascii(found[0])[1:-1], text)


def harmless_json(value: Any) -> Any:
    """Returns plain JSON values with harmless texts and names, at any depth."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(name): harmless_json(inner) for name, inner in value.items()}
    return [harmless_json(inner) for inner in value] if isinstance(value, list) else value


def one_line(text: str, longest: int = LONGEST_REASON) -> str:
    """Returns a text on one line, harmless, and cut in its middle if it is too long.

    Args:
        text: Any.
        longest: Characters of what is returned.
    """
    if len(text) <= longest and text.isprintable():
        return text
    half = longest // 2
    # What is spelled out grows, what is between words shrinks: so much of both ends is enough.
    if is_long := len(text) > 8 * longest:
        text = f"{text[: 4 * longest]} {text[-4 * longest :]}"
    text = _ANY_SPACE.sub(" ", harmless(_ANY_SPACE.sub(" ", text))).strip()
    if len(text) <= longest and not is_long:
        return text
    return f"{text[: half - 3]} ... {text[2 - half :]}"
