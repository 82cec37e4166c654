from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET

import matplotlib.image
import pytest

from metaopt.report.figures.style import (
    LIGHT,
    PALETTE,
    Dot,
    Picture,
    Plot,
    canvas,
    draw_dots,
    drawing,
    render,
    slug,
    stack,
)


def draw(name: str = "a-plot") -> Picture:
    with drawing():
        figure, axes = canvas()
        axes.plot([0, 1], [0, 1], "o-", color=LIGHT["valid"], label="<b>&$x$")
        axes.set_xlim(0, 0.5)
        axes.legend()
        return render(Plot(name, 'Say "<i>"', "How & why.", figure))


def contrast(first: str, second: str) -> float:
    """WCAG 2.1 contrast ratio of two hexadecimal colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_no_two_light_colours_are_equal() -> None:
    assert len(set(LIGHT.values())) == len(PALETTE)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    "name", ["ink", "muted", "valid", "test", "default", "tuned", "extra", "other", "seventh", "eighth"]
)
def test_text_and_lines_stand_out(scheme: int, name: str) -> None:
    assert contrast(PALETTE[name][scheme], PALETTE["surface"][scheme]) >= 4.5


@pytest.mark.parametrize("op", ["conv3x3", "conv1x1", "maxpool3x3", "terminal"])
@pytest.mark.parametrize("scheme", [0, 1])
def test_labels_in_a_cell_can_be_read(scheme: int, op: str) -> None:
    assert contrast(PALETTE["ink"][scheme], PALETTE[op][scheme]) >= 4.5


def test_the_inline_drawing_has_only_variables_for_colours() -> None:
    inline = draw().inline
    assert "var(--valid)" in inline
    assert "var(--font)" in inline
    assert not [colour for colour in LIGHT.values() if colour in inline]
    assert "<metadata" not in inline
    assert "<style" not in inline


def test_text_is_escaped_and_no_formula() -> None:
    picture = draw()
    root = ET.fromstring(picture.inline.replace("xlink:href", "href"))
    assert root.attrib["aria-label"] == 'Say "<i>". How & why.'
    assert "<b>&$x$" in "".join(root.itertext())


def test_ids_are_the_drawings_own() -> None:
    picture = draw("mine")
    ids = {
        e.attrib["id"] for e in ET.fromstring(picture.inline.replace("xlink:href", "href")).iter() if "id" in e.attrib
    }
    assert ids
    assert all(i.startswith("mine-") for i in ids)
    assert all(f"#{i}" in picture.inline for i in ids)


def test_files_are_whole_and_the_same_every_time() -> None:
    first, second = draw(), draw()
    assert (first.png, first.svg) == (second.png, second.svg)
    assert matplotlib.image.imread(io.BytesIO(first.png)).shape == (530, 720, 4)
    assert LIGHT["valid"] in first.svg.decode()
    ET.fromstring(first.svg.decode())


def test_coordinates_have_two_decimals_and_text_stays_as_it_is() -> None:
    with drawing():
        figure, axes = canvas()
        axes.plot([0, 1 / 3], [0, 1 / 7], label="0.123456 > 0.1")
        axes.legend()
        picture = render(Plot("a", "", "", figure))
    drawn = picture.svg.decode()
    assert "0.123456 &gt; 0.1</text>" in drawn
    assert not re.search(r'="[^"#]*\.\d{3}', drawn.partition("<g")[2])
    assert picture.inline.count("0.123456") == 1


@pytest.mark.parametrize(
    ("text", "name"), [("learning_rate", "learning_rate"), ("../a b", "a-b"), ("<>", "unnamed"), ("a" * 300, "a" * 60)]
)
def test_file_names_are_harmless(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_stack_shares_its_x_axis_only() -> None:
    figure, (above, below) = stack(2, 360, 144)
    assert tuple(figure.get_size_inches()) == (5, 4)
    above.set(xlim=(0, 7), ylim=(0, 3))
    assert below.get_xlim() == (0, 7)
    assert below.get_ylim() != (0, 3)


def test_dots_say_what_they_are_and_lead_to_their_place() -> None:
    with drawing():
        figure, axes = canvas()
        said = [Dot("trial <1>", "trial-1"), Dot("seed 2"), Dot("left out")]
        draw_dots(axes, [1.0, 2.0, 3.0], [1.0, 2.0, math.nan], said, color=LIGHT["valid"])
        picture = render(Plot("dots", "Dots", "", figure))
    assert re.findall(r'<a href="#(.*?)"><title>(.*?)</title><use', picture.inline) == [("trial-1", "trial &lt;1&gt;")]
    assert re.findall(r"<g><title>(.*?)</title><use", picture.inline) == ["seed 2"]
    assert b"<title>" not in picture.svg
    assert not picture.is_wide


def test_dots_of_which_none_can_be_drawn_are_left_out() -> None:
    with drawing():
        figure, axes = canvas()
        draw_dots(axes, [math.nan], [1.0], [Dot("nowhere")], color=LIGHT["valid"])
        draw_dots(axes, [], [], [], color=LIGHT["valid"])
        draw_dots(axes, [1.0], [1.0], [Dot("here")], color=LIGHT["valid"])
        picture = render(Plot("dots", "Dots", "", figure))
    assert re.findall(r"<g><title>(.*?)</title><use", picture.inline) == ["here"]


def test_wide_figures_are_known() -> None:
    with drawing():
        figure, _ = canvas(600, 200)
        assert render(Plot("wide", "Wide", "", figure)).is_wide
