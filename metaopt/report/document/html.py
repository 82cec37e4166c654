"""A page as one HTML file that needs nothing else: no network, light and dark, for wide and narrow screens.

Its only script sorts tables. The policy of the page names the hash of that script, so no other one can run, and the
page says the same without it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from metaopt.report.document.page import Page
from metaopt.report.figures.style import PALETTE

PAGE = "report.html"

# Marks that turn the direction of the text after them, by which a name could pass for another, and control characters.
_UNSEEN = {n: f"\\u{n:04x}" for n in (*range(9), 11, 12, *range(14, 32), 127, 0x061C, 0x200E, 0x200F,
                                       *range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # fmt: skip


def _visible(value: Any) -> Any:
    """Returns what the page shows, with marks that cannot be seen written out; markup stays markup."""
    return value.translate(_UNSEEN) if isinstance(value, str) else value


def _sentence(text: str) -> str:
    """Returns a sentence with ``**words**`` strong and names in backticks as code; everything else is escaped."""
    safe = str(escape(text.translate(_UNSEEN)))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", safe))


def _prose(text: str) -> str:
    """Returns Markdown of an author as HTML: markup in it is escaped, and it shows no pictures."""
    return str(MarkdownIt("commonmark", {"html": False}).disable("image").render(text.translate(_UNSEEN)))


@cache
def script() -> tuple[str, str]:
    """Returns the page's script and its hash for the content security policy."""
    text = files("metaopt.report.document").joinpath("sort.js").read_text(encoding="utf-8")
    return text, base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def render_html(page: Page) -> bytes:
    """Returns the page."""
    environment = Environment(
        loader=PackageLoader("metaopt.report.document", ""),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"markup": Markup, "sentence": _sentence, "prose": _prose}
    colors = {
        scheme: "; ".join(f"--{name}: {pair[index]}" for name, pair in PALETTE.items())
        for index, scheme in enumerate(("light", "dark"))
    }
    text, digest = script()
    template = environment.get_template("report.html.j2")
    return template.render(page=page, colors=colors, script=text, digest=digest).encode("utf-8")
