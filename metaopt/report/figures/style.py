"""Colours and the way a matplotlib figure becomes files and inline SVG.

A figure is drawn once, in the light palette, every colour of which is a different hexadecimal number. The files keep
these; in the page each one is replaced by a CSS variable, so that one drawing serves light and dark.
"""

from __future__ import annotations

import html
import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

#: Name: colour in light, colour in dark. No two light ones are equal.
PALETTE = {
    "page": ("#f4f6f9", "#0d1117"),
    "surface": ("#ffffff", "#161b22"),
    "ink": ("#1b2430", "#e6edf3"),
    "muted": ("#566270", "#9aa6b2"),
    "rule": ("#a3adb9", "#556070"),
    "grid": ("#e4e8ed", "#272e38"),
    "valid": ("#1f66c7", "#6cb0ff"),
    "test": ("#c2560a", "#ffab5e"),
    "default": ("#7d4fa0", "#cf9fe8"),
    "tuned": ("#0b7d60", "#3fd0a4"),
    "extra": ("#b0264f", "#ff8fab"),
    "other": ("#6b6f1d", "#d6d36a"),
    "seventh": ("#0b7285", "#66d5ec"),
    "eighth": ("#7a4a2b", "#d9ab86"),
    "ramp1": ("#b6c2cf", "#5c6978"),
    "ramp2": ("#86b3c9", "#4a7d98"),
    "ramp3": ("#4690b4", "#4fa3c7"),
    "ramp4": ("#1d6c99", "#7fcbe6"),
    "ramp5": ("#0b4169", "#d2f1fb"),
    "conv3x3": ("#cfe1fa", "#1e4270"),
    "conv1x1": ("#fbe2c6", "#65421a"),
    "maxpool3x3": ("#d2eedd", "#1c5540"),
    "terminal": ("#e9ecf1", "#2c343f"),
}
LIGHT = {name: light for name, (light, _) in PALETTE.items()}
RAMP = tuple(LIGHT[f"ramp{step}"] for step in range(1, 6))
GROUPS = tuple(LIGHT[name] for name in ("valid", "test", "tuned", "default", "extra", "other", "seventh", "eighth"))

_FONT = "DejaVu Sans"  # ships with matplotlib: the same layout on every machine
RC: dict[Any, Any] = {
    "font.family": _FONT,
    "font.size": 11.5,
    "axes.titlesize": 11.5,
    "axes.labelsize": 11.5,
    "axes.edgecolor": LIGHT["rule"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "figure.facecolor": LIGHT["surface"],
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.9,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "legend.labelcolor": LIGHT["ink"],
    "lines.solid_capstyle": "round",
    "text.color": LIGHT["ink"],
    "text.parse_math": False,  # a hyperparameter may be called $x$
    "xtick.color": LIGHT["rule"],
    "ytick.color": LIGHT["rule"],
    "xtick.labelcolor": LIGHT["muted"],
    "ytick.labelcolor": LIGHT["muted"],
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "metaopt",
    "path.simplify": False,
}
_POINTS = 72.0
_WIDE = 480.0  # CSS pixels: what two columns of a page can hold
_LONGEST = 60  # letters of a name: a file's may have 255 bytes, and is made of several
_LETTER, _HANDLE = 6.4, 52.0  # of a legend, in CSS pixels: mean width of a letter; line and gaps of an entry
_STANDALONE_FONTS = f"'{_FONT}', Verdana, Arial, sans-serif"


@dataclass(frozen=True)
class Dot:
    """What the page says of a dot under the pointer, and where a click leads.

    Attributes:
        text: Shown under the pointer.
        place: On the page, without ``#``; empty for no link.
    """

    text: str
    place: str = ""


class Dots(Line2D):
    """Markers, each of which the page says something of."""

    def __init__(self, x: Sequence[float], y: Sequence[float], said: Sequence[Dot], **look: Any) -> None:
        super().__init__(x, y, linestyle="none", **{"marker": "o", **look})
        self.said = tuple(said)


def draw_dots(axes: Axes, x: Sequence[float], y: Sequence[float], said: Sequence[Dot], **look: Any) -> None:
    """Draws a dot for each point whose coordinates are finite.

    Args:
        axes: To draw on.
        x: (n,) places.
        y: (n,) heights.
        said: (n,) what the page says of each.
        look: Properties of a matplotlib line.
    """
    there = [i for i in range(len(said)) if math.isfinite(x[i]) and math.isfinite(y[i])]
    axes.add_line(Dots([x[i] for i in there], [y[i] for i in there], [said[i] for i in there], **look))
    axes.autoscale_view()


def trial_place(trial_id: int) -> str:
    """Returns where a page has the row of a trial."""
    return f"trial-{trial_id}"


@dataclass(frozen=True)
class Plot:
    """A figure with the words that go with it.

    Attributes:
        name: File name without suffix; letters, digits and hyphens.
        title: What it shows.
        caption: One sentence on how to read it.
        figure: Drawn under :data:`RC`.
    """

    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Picture:
    """A rendered plot.

    Attributes:
        name: Of the plot.
        title: Of the plot.
        caption: Of the plot.
        inline: SVG element for the page; colours and font are CSS variables.
        svg: Standalone SVG file, light.
        png: PNG file, light, two pixels per CSS pixel.
        path: Of the SVG file beside the page.
    """

    name: str
    title: str
    caption: str
    inline: str
    svg: bytes
    png: bytes
    path: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width of a page."""
        natural = re.search(r"--natural: ([\d.]+)px", self.inline[:200])
        return natural is not None and float(natural[1]) > _WIDE


@contextmanager
def drawing() -> Iterator[None]:
    """Sets matplotlib up for figures of a page: :data:`RC` on its own defaults, whatever its user has set."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(width: float = 360, height: float = 265) -> tuple[Figure, Axes]:
    """Returns an empty figure of one panel; sizes in CSS pixels at its natural width."""
    figure = Figure(figsize=(width / _POINTS, height / _POINTS), layout="constrained")
    return figure, figure.add_subplot()


def panels(n: int, width: float = 270, height: float = 235) -> tuple[Figure, list[Axes]]:
    """Returns an empty figure of ``n`` panels that share both axes, at most two in a row; sizes are of one panel."""
    columns = min(n, 2)
    rows = -(-n // columns)
    figure = Figure(figsize=(columns * width / _POINTS, rows * height / _POINTS), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for empty in grid.flat[n:]:
        empty.remove()
    return figure, list(grid.flat[:n])


def stack(n: int, width: float = 360, height: float = 165) -> tuple[Figure, list[Axes]]:
    """Returns an empty figure of ``n`` panels above each other that share the x axis; sizes are of one panel."""
    figure = Figure(figsize=(width / _POINTS, n * height / _POINTS), layout="constrained")
    return figure, list(figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0])


def legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Puts one legend of all panels above them, each label once, in as many columns as there is room for."""
    lines = {label: line for panel in axes for line, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    columns = max(1, int(figure.get_figwidth() * _POINTS / legend_width(list(lines))))
    figure.legend(list(lines.values()), list(lines), loc="outside upper left", ncols=columns)


def legend_width(labels: Sequence[str]) -> float:
    """Returns the width that each column of a legend of these labels needs, in CSS pixels."""
    return max(map(len, labels), default=0) * _LETTER + _HANDLE


def slug(text: str) -> str:
    """Returns ``text`` as part of a file name: letters, digits and single hyphens; two texts may have one."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text)[:_LONGEST].strip("-") or "unnamed"


def render(plot: Plot) -> Picture:
    """Writes a plot as PNG and SVG, byte by byte the same each time on one machine; its name must be its own."""
    png, svg = io.BytesIO(), io.BytesIO()
    dots = [artist for artist in plot.figure.findobj(Dots) if isinstance(artist, Dots)]
    for number, one in enumerate(dots):
        one.set_gid(f"dots{number}")
    with warnings.catch_warnings():
        # Of letters that the font lacks: the SVG has them as text, which its reader draws in a font that has them.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        plot.figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        plot.figure.set_layout_engine("none")  # keeps the places found for the SVG, and saves finding them twice
        plot.figure.savefig(png, format="png", dpi=2 * _POINTS, metadata={"Software": None})
    text = _rounded(_numbered(svg.getvalue().decode("utf-8")))
    return Picture(
        plot.name,
        plot.title,
        plot.caption,
        inline=_inline(_marked(text, dots), plot, dots),
        svg=text.replace(f"'{_FONT}'", _STANDALONE_FONTS).encode("utf-8"),
        png=png.getvalue(),
    )


def _marked(text: str, dots: Sequence[Dots]) -> str:
    """Gives each drawn dot the number of its text; dots that are not all drawn stay as they are."""
    for number, one in enumerate(dots):
        start = text.find(f'<g id="dots{number}">')
        if start < 0:  # none of them can be drawn
            continue
        end = text.index(f"\n{text[text.rindex(chr(10), 0, start) + 1 : start]}</g>", start)
        parts = re.split(r"(<use [^>]*/>)", text[start:end])
        if len(parts) == 2 * len(one.said) + 1:
            parts[1::2] = [f'<g data-dot="{number}.{place}">{mark}</g>' for place, mark in enumerate(parts[1::2])]
            text = text[:start] + "".join(parts) + text[end:]
    return text


def _hover(dot: Dot, mark: str) -> str:
    title = f"<title>{html.escape(dot.text)}</title>{mark}"
    return f'<a href="#{dot.place}">{title}</a>' if dot.place else f"<g>{title}</g>"


def _numbered(text: str) -> str:
    """Numbers what matplotlib names by a hash of coordinates: their last digits are not the same on all processors."""
    numbers: dict[str, str] = {}
    return re.sub(
        r'(?<=["#])[mp][0-9a-f]{10}(?=[")])', lambda m: numbers.setdefault(m[0], f"{m[0][0]}{len(numbers)}"), text
    )


def _rounded(text: str) -> str:
    """Writes coordinates with two decimals, which is finer than any screen; text between tags stays as it is."""
    return re.sub(r"<[^!?>][^>]*>", lambda tag: re.sub(r"(?<![\w.#])-?\d+\.\d{3,}", _coordinate, tag[0]), text)


def _coordinate(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _inline(text: str, plot: Plot, dots: Sequence[Dots]) -> str:
    """Cuts an SVG file down to an element that can stand in a page beside others."""
    body = text[text.index("<svg") :]
    ((width, height),) = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body)[:1]
    content = body[body.index(">") + 1 :].rstrip()
    content = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", content, flags=re.DOTALL)
    content = _own_ids(content, plot.name).replace(f"'{_FONT}'", "var(--font)")
    for name, (light, _) in PALETTE.items():
        content = content.replace(light, f"var(--{name})")
    content = re.sub(
        r'<g data-dot="(\d+)\.(\d+)">(<use [^>]*/>)</g>',
        lambda m: _hover(dots[int(m[1])].said[int(m[2])], m[3]),
        content,
    )
    label = html.escape(f"{plot.title}. {plot.caption}", quote=True)
    return f'<svg viewBox="0 0 {width} {height}" style="--natural: {width}px" role="img" aria-label="{label}">{content}'


def _own_ids(content: str, prefix: str) -> str:
    """Keeps only the ids something refers to, under names of this plot's own."""
    used = set(re.findall(r'(?:href="#|url\(#)([\w.-]+)', content))
    # Two hyphens, which no name has: so it can be no name of another place on the page.
    content = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}--{m[1]}"' if m[1] in used else "", content)
    return re.sub(r'(href="#|url\(#)([\w.-]+)', lambda m: f"{m[1]}{prefix}--{m[2]}", content)
