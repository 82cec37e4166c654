"""The page in a real browser: quiet, narrow, light and dark. Chromium is driven over the WebDriver protocol."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

import harness
from metaopt.report.pages.run import write_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs Debian's packages chromium and chromium-driver",
    ),
]

ARGUMENTS = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "hide-scrollbars",
)


class Browser:
    """One tab of headless Chromium."""

    def __init__(self, profile: Path) -> None:
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if port := re.search(r"started successfully on port (\d+)", line):
                break
        assert port, "chromedriver did not start"
        self._root = f"http://127.0.0.1:{port[1]}"
        options = {"args": [f"user-data-dir={profile}", *ARGUMENTS]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        self._session = ""
        found = self._post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{found['sessionId']}"

    def _post(self, path: str, content: dict[str, Any]) -> Any:
        data = json.dumps(content).encode()
        request = urllib.request.Request(self._root + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the browser refuses {path}: {error.read().decode()[:500]}") from None

    def _command(self, path: str, **content: Any) -> Any:
        return self._post(self._session + path, content)

    def _devtools(self, command: str, **parameters: Any) -> Any:
        return self._command("/goog/cdp/execute", cmd=command, params=parameters)

    def open(self, page: Path, width: int = 1200, scheme: str = "light") -> None:
        """Loads a page at a width in CSS pixels and in a colour scheme."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500
        )
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._command("/url", url=page.as_uri())
        # On a busy machine the driver comes back from a page that it has had before while it is still being read.
        harness.wait_until(lambda: self.run("return document.readyState") == "complete", "the whole page")

    def run(self, script: str) -> Any:
        """Runs JavaScript in the page and returns what it returns."""
        return self._command("/execute/sync", script=script, args=[])

    def png(self) -> bytes:
        """Returns the whole page as a picture."""
        shot = self._devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Returns what the browser has logged since the last call: ``browser`` or ``performance``."""
        return list(self._command("/se/log", type=kind))

    def close(self) -> None:
        """Ends the browser and its driver."""
        if self._session:
            end = urllib.request.Request(self._root + self._session, method="DELETE")
            urllib.request.urlopen(end, timeout=60).close()
        self._driver.terminate()
        self._driver.communicate(timeout=harness.HANG_S)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def page(make_run: Callable[..., Path]) -> Path:
    return write_report([make_run("a-run-with-a-long-name-" + "x" * 60)])


def pixels(png: bytes) -> np.ndarray:
    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


def test_page_is_quiet_and_asks_the_network_for_nothing(browser: Browser, page: Path) -> None:
    browser.log("performance")
    browser.log("browser")
    browser.open(page)
    events = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert page.as_uri() in asked
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert browser.log("browser") == []


def test_the_policy_stops_a_script(browser: Browser, page: Path, tmp_path: Path) -> None:
    changed = tmp_path / "page.html"
    changed.write_text(page.read_text().replace("</body>", "<script>document.title = 'ran'</script></body>"))
    browser.open(changed)
    assert browser.run("return document.title") != "ran"
    assert any("Content Security Policy" in entry["message"] for entry in browser.log("browser"))


def test_hostile_names_stay_text(browser: Browser, write_run: Callable[..., Path], answer: Callable[..., Any]) -> None:
    evil = "\"><img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
    name = "<svg/onload=document.title='ran'>"  # short enough for a label in a figure
    space = {"hyperparameters": [{"type": "categorical", "name": name, "choices": [name, "b"], "default_value": name}]}
    answers = [answer(i, 0.1 + i / 100, config={name: (name, "b")[i % 2]}) for i in range(4)]
    answers.append(answer(4, None, reason=evil))
    plain = write_run(answers, run={"tuner": evil, "benchmark": evil}, command=[evil], space=space)
    page = write_report([plain.rename(plain.with_name(evil.replace("/", "-")))])
    browser.log("browser")
    browser.open(page)
    assert browser.run("return document.querySelectorAll('script, img').length") == 1, "the one that sorts tables"
    assert browser.run("return document.title") != "ran"
    assert "<script>" in browser.run("return document.body.textContent")
    assert browser.log("browser") == [], "nothing that the policy would have to stop"


def test_tables_are_sorted_by_a_click_as_numbers_with_gaps_last(browser: Browser, page: Path) -> None:
    browser.open(page)
    column = (
        "const table = document.querySelector('#trials table.sortable');"
        "const place = [...table.querySelectorAll('th')].findIndex(th => th.textContent === 'validation');"
    )
    cells = f"{column} return [...table.tBodies[0].rows].map(row => row.cells[place].textContent)"
    for direction in (1, -1):
        browser.run(f"{column} table.querySelectorAll('th')[place].querySelector('button').click()")
        shown = browser.run(cells)
        numbers = [float(text) for text in shown if text != "–"]
        assert numbers == sorted(numbers, reverse=direction < 0)
        assert shown[len(numbers) :] == ["–"] * (len(shown) - len(numbers))
        assert len(shown) > len(numbers) > 20


def test_a_dot_leads_to_the_row_of_its_trial(browser: Browser, page: Path) -> None:
    browser.open(page)
    place, text = browser.run(
        "const dot = document.querySelector('#progress svg a'); location.hash = dot.getAttribute('href');"
        "return [dot.getAttribute('href'), dot.querySelector('title').textContent]"
    )
    assert text.startswith(f"trial {place.removeprefix('#trial-')}, ")
    assert browser.run(f"return document.querySelector('{place}').closest('details').open")


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_sticks_out_of_the_page(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert browser.run("return window.innerWidth") == width
    assert browser.run("return document.documentElement.scrollWidth") <= width
    outside = browser.run(
        "return [...document.querySelectorAll('body *:not(.scroll *):not(svg *)')]"
        ".filter(e => e.getBoundingClientRect().right > window.innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


def test_text_in_figures_stays_readable_on_a_phone(browser: Browser, page: Path) -> None:
    browser.open(page, width=360)
    heights = browser.run(
        "return [...document.querySelectorAll('figure svg text')].filter(t => t.textContent.trim()).map(t => {"
        "const m = t.getScreenCTM(); return parseFloat(getComputedStyle(t).fontSize) * Math.hypot(m.a, m.b) })"
    )
    assert len(heights) > 50
    assert min(heights) >= 8.5


def test_no_figure_is_blank_and_no_label_is_cut_off(browser: Browser, page: Path) -> None:
    browser.open(page)
    figures = browser.run(
        "return [...document.querySelectorAll('figure svg')].map(svg => {"
        " const r = svg.getBoundingClientRect();"
        " const sticksOut = text => { const b = text.getBoundingClientRect(); return b.width > 0"
        "  && (b.left < r.left - 4 || b.right > r.right + 4 || b.top < r.top - 4 || b.bottom > r.bottom + 4) };"
        " const cut = [...svg.querySelectorAll('text')].filter(sticksOut).map(text => text.textContent);"
        " return [svg.getAttribute('aria-label'), r.width, r.height, svg.querySelectorAll('path, use').length, cut] })"
    )
    assert len(figures) >= 14
    for label, width, height, marks, cut_off in figures:
        assert width > 250, label
        assert height > 120, label
        assert marks > 5, label
        assert cut_off == [], label


def test_light_and_dark_are_two_pictures_of_one_page(browser: Browser, page: Path) -> None:
    shots = {}
    for scheme in ("light", "dark"):
        browser.open(page, scheme=scheme)
        shots[scheme] = pixels(browser.png())
        ink, surface = browser.run(
            "const f = document.querySelector('figure'); return [getComputedStyle(f.querySelector('svg text')).fill,"
            "getComputedStyle(f).backgroundColor]"
        )
        assert ink != surface
    light, dark = shots["light"], shots["dark"]
    assert light.shape == dark.shape
    assert light.mean() > 0.85
    assert dark.mean() < 0.2
    assert all(len(np.unique(shot @ [65536.0, 256.0, 1.0])) > 50 for shot in shots.values())
