"""The shell of every page in a real browser: rail, keys, languages, themes, bell, tour, layout."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tabs
from browsed import Server
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SLOW_MS = 60_000
TRADE = """document.dispatchEvent(new CustomEvent("opportunity:message", {detail: {
  type: "trade", event: "trade", seq: 1e9, symbol: "SOL/USDT", source: "simulated",
  time: Date.now(), ts: Date.now(),
  data: {side: -1, pnl: 12.5, entry: 70, exit: 68, reason: "TP"},
}}))"""

KEYS = """() => {
  window.heard = [];
  let what = null;
  document.addEventListener("opportunity:do", (event) => {
    if (event.detail.what !== "scan_deep") return;
    what = event.detail.what;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.ctrlKey || event.key === "Control") return;
    window.heard.push(`${what ?? event.key} ${event.defaultPrevented}`);
    what = null;
  });
  const field = Object.assign(document.createElement("input"), { id: "probe" });
  document.querySelector("main").prepend(field);
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home: Path = tmp_path_factory.mktemp("shell")
    made = Server(home, "--speed", "600", "--symbols", "BTC/USDT,ETH/USDT")
    made.start()
    yield made
    made.stop()


class Tab(tabs.Tab):
    """A tab of any page."""

    def __init__(self, browser: Browser, toured: bool = True) -> None:
        size = {"width": 1280, "height": 800}
        super().__init__(browser, toured, viewport=size, color_scheme="dark")

    def open(self, server: Server, path: str = "/risk") -> Page:
        self.page.goto(server.address + path)
        badge = self.page.locator("button.badge")
        expect(badge).to_have_attribute("data-state", "connected", timeout=SLOW_MS)
        return self.page


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    made: list[Tab] = []

    def make(toured: bool = True) -> Tab:
        made.append(Tab(browser, toured))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def _html(page: Page, name: str) -> str:
    return str(page.evaluate(f"document.documentElement.{name}"))


def test_rail_and_keys_lead_to_every_page(served, tab) -> None:
    one = tab()
    page = one.open(served)
    rail = page.get_by_role("navigation", name="Pages")
    expect(rail.get_by_role("link")).to_have_count(7)
    expect(rail.get_by_role("link", name="Risk")).to_have_attribute("aria-current", "page")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_contain_text("Journal")
    page.keyboard.press("g")  # rests while a dialog holds the page
    page.keyboard.press("j")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.evaluate(KEYS)  # a component takes the deep scan, also while somebody types
    page.keyboard.press("Control+s")
    page.locator("#probe").press("g")
    page.locator("#probe").press("j")
    page.locator("#probe").press("Control+s")
    page.locator("#probe").press("Control+e")  # rests while somebody types
    assert page.evaluate("window.heard") == ["scan_deep true", "scan_deep true", "e false"]
    assert "/risk" in page.url
    page.evaluate("document.querySelector('#probe').remove()")
    for letter, code in (("ل", "KeyG"), ("ت", "KeyJ")):  # a Persian keyboard
        page.evaluate(
            "([key, code]) => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', {key, code, bubbles: true}))", [letter, code],
        )
    page.wait_for_url(re.compile("/journal"))
    page.set_viewport_size({"width": 360, "height": 740})
    bar = page.locator("nav.rail").bounding_box()
    assert bar is not None
    assert (bar["x"], bar["width"], bar["y"] + bar["height"]) == (0, 360, 740)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert one.outside() == []
    assert one.errors == []


def test_theme_and_language_are_chosen_and_stay(served, tab) -> None:
    one = tab()
    page = one.open(served, "/system?x=1")
    for theme in ("light", "contrast"):
        page.get_by_role("button", name=re.compile("^Theme: ")).click()
        assert _html(page, "dataset.theme") == theme
    page.get_by_role("button", name=re.compile("^Preferences")).click()
    chosen = page.get_by_role("radio", name="High contrast")
    expect(chosen).to_have_attribute("aria-checked", "true")
    page.get_by_role("radio", name="فارسی").click()
    expect(page.locator("html")).to_have_attribute("lang", "fa")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert page.url.endswith("/system?x=1")
    assert _html(page, "dataset.theme") == "contrast"
    expect(page.get_by_role("link", name="سامانه")).to_have_attribute("aria-current", "page")
    rail, main = page.locator("nav.rail").bounding_box(), page.locator("main").bounding_box()
    assert rail is not None
    assert main is not None
    assert rail["x"] >= main["x"] + main["width"] - 1
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    assert one.errors == []


def test_bell_counts_what_was_not_read_and_remembers(served, tab) -> None:
    one = tab()
    page = one.open(served)
    bell = page.get_by_role("button", name=re.compile("^Alerts and trades"))
    page.wait_for_function("localStorage.getItem('opportunity-read') !== null", timeout=SLOW_MS)
    before = bell.inner_text()
    page.evaluate(TRADE)
    page.evaluate(TRADE)  # told twice, counted once
    expect(bell).to_have_text(str(int(before) + 1))
    bell.click()
    panel = page.get_by_role("dialog", name="Alerts and trades")
    expect(panel.locator("li").first).to_contain_text("SOL/USDT short ended +12.50")
    expect(panel).to_contain_text("Simulated")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_have_text("0")
    assert '"trade":1000000000' in page.evaluate("localStorage.getItem('opportunity-read')")
    assert one.errors == []


def test_tour_comes_once_and_the_layout_stays(served, tab) -> None:
    one = tab(toured=False)
    page = one.open(served, "/")
    tour = page.locator("dialog.tour")
    expect(tour).to_contain_text("1 of 4", timeout=SLOW_MS)
    for step in ("2 of 4", "3 of 4", "4 of 4"):
        page.keyboard.press("Enter")
        expect(tour).to_contain_text(step)
    page.keyboard.press("Enter")
    expect(tour).to_have_count(0)

    line = page.get_by_role("separator", name="Width of the weights")
    before = page.locator(".live > .side").bounding_box()
    line.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    one.open(served, "/")
    after = page.locator(".live > .side").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == before["width"] + 32
    expect(tour).to_have_count(0)
    line.dblclick()
    expect(page.locator(".live > .side")).to_have_css("width", f"{before['width']:g}px")
    page.get_by_role("button", name=re.compile("^Preferences")).click()
    page.get_by_role("button", name="Show the tour").click()
    expect(tour).to_contain_text("1 of 4")
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    assert one.errors == []
