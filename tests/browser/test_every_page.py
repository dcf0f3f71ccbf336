"""What holds for every page: nothing from outside, no error, usable by keyboard, in all themes.

One server for the whole file, one load for each page; three widths and all languages are slow.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import axe
import pytest
import tabs
from browsed import Server
from playwright.sync_api import Browser, Locator, Page, Route, expect

from app.pages import PAGES

pytestmark = pytest.mark.browser

SLOW_MS = 60_000
PATHS = {page.TITLE: page.PATH for page in PAGES}
WIDTHS = {"phone": (360, 780), "tablet": (820, 1180), "wall": (2560, 1440)}
TOUR_SEEN = "localStorage.setItem('opportunity-tour', 'seen')"
HOST = "127.0.0.1"

SETTLED = "() => !document.querySelector('[aria-busy=true]')"
NEWER = """async version => {
  const answer = await fetch("api/config/weights", {cache: "no-store"});
  return Number(answer.headers.get("etag").replace(/\\D/g, "")) > version;
}"""
FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (!at || at === document.body) return null;
  const box = at.getBoundingClientRect();
  const name = at.getAttribute("aria-label") ?? at.textContent.trim();
  return {
    name: name.slice(0, 60), href: at.getAttribute("href"),
    weight: at.closest("[data-weight]") !== null,
    row: at.closest("tr, [role=row], table") !== null || at.querySelector("tr") !== null,
    ring: getComputedStyle(at).outlineStyle !== "none" || at.matches(":focus-visible"),
    seen: box.width > 0 && box.height > 0};
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("every"))
    made.start()
    yield made
    made.stop()


class Tab(tabs.Tab):
    """A tab that records and refuses whatever would leave this machine."""

    def __init__(self, browser: Browser, **context: Any) -> None:
        super().__init__(browser, **({"viewport": {"width": 1440, "height": 900}} | context))
        self.refused: list[str] = []
        self.context.add_init_script(TOUR_SEEN)
        self.context.route("**/*", self._guard)

    def _guard(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname == HOST:
            route.continue_()
        else:
            self.refused.append(route.request.url)
            route.abort()

    def open(self, address: str, path: str = "/") -> Page:
        """Load a page and wait until it is live and has drawn what it knows."""
        self.page.goto(address + path)
        expect(self.page.locator("html")).to_have_attribute(
            "data-line", "connected", timeout=SLOW_MS)
        expect(self.page.locator("main")).to_be_visible()
        self.page.wait_for_function(SETTLED, timeout=SLOW_MS)
        return self.page

    def check(self) -> None:
        """Nothing was asked of others, and nothing complained."""
        assert self.refused == self.outside() == []
        assert self.errors == []


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    made: list[Tab] = []

    def make(**context: Any) -> Tab:
        made.append(Tab(browser, **context))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def fits(page: Page) -> bool:
    """Tell whether nothing has to be scrolled sideways."""
    found = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return bool(found[0] <= found[1])


def speak(one: Tab, address: str, language: str) -> None:
    one.context.add_cookies([{"name": "opportunity-language", "value": language, "url": address}])


def apply_of(page: Page) -> Locator:
    """The button that makes a draft the shared weights; it says so when it normalises first."""
    return page.get_by_role("button", name=re.compile("^(Apply|Normalise & apply)$"))


def weights_version(page: Page) -> int:
    """The version of the weights in force."""
    return int(page.evaluate("fetch('api/config/weights').then(r => r.headers.get('etag'))")
               .strip('W/"'))


def wear(page: Page, theme: str) -> None:
    """Put on a theme as its switch does, without its transitions."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)


@pytest.mark.parametrize("title", PATHS)
def test_page_stays_at_home_and_can_be_used_by_everybody(server, tab, title) -> None:
    one = tab()
    page = one.open(server.address, PATHS[title])
    expect(page.locator("[aria-current=page]").first).to_contain_text(title)
    expect(page.get_by_text("SIMULATED MARKET")).to_be_visible()
    assert fits(page)
    wear(page, "dark")
    assert axe.grave(page) == []
    wear(page, "light")  # what else is the same in both
    assert axe.grave(page, "color-contrast") == []
    one.check()


def test_main_job_by_keyboard_alone(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    expect(page.locator("tr[data-symbol]").first).to_be_visible(timeout=SLOW_MS)
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate(FOCUSED)["name"]
    reached: list[dict[str, Any]] = []
    for _ in range(220):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            break
        reached.append(at)
    names = [at["name"] for at in reached]
    assert {at["href"] for at in reached if at["href"]} >= {
        PATHS[title].lstrip("/") or "./" for title in PATHS}
    assert any(name.startswith("Agent: ON") for name in names)
    assert any(at["row"] for at in reached), "the table"
    assert sum(at["weight"] for at in reached) >= 9, "the sliders"
    assert [at["name"] for at in reached if not at["ring"]] == []
    assert [at["name"] for at in reached if not at["seen"]] == []

    # Turn a weight, apply it, switch the agent: each by keys.
    page.locator("[data-weight=sar] input").first.focus()
    page.keyboard.press("ArrowRight")
    apply = apply_of(page)
    expect(apply).to_be_enabled()
    apply.press("Enter")
    expect(apply).to_be_disabled(timeout=SLOW_MS)
    toggle = page.get_by_role("button", name="Agent: ON")
    toggle.press("Space")
    expect(page.get_by_role("button", name="Agent: OFF")).to_be_visible()
    page.get_by_role("button", name="Agent: OFF").press("Enter")
    expect(page.get_by_role("button", name="Agent: ON")).to_be_visible()
    page.locator("body").press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/system")
    one.check()


def test_one_browser_sees_what_another_does(server, tab) -> None:
    one, two = tab(), tab()
    first, second = one.open(server.address), two.open(server.address, PATHS["Risk"])
    first.get_by_role("button", name="Agent: ON").click()
    expect(second.get_by_role("button", name="Agent: OFF")).to_have_attribute(
        "aria-pressed", "false", timeout=SLOW_MS)
    second.get_by_role("button", name="Agent: OFF").click()
    expect(first.get_by_role("button", name="Agent: ON")).to_be_visible(timeout=SLOW_MS)

    # Both turn a weight; the second to apply is shown both versions and asked.
    two.open(server.address)
    for page in (first, second):
        page.locator("[data-weight=sar] input").first.focus()
        page.keyboard.press("ArrowRight")
    second.keyboard.press("ArrowRight")
    drafted = second.locator(".what-if .draft-line")  # drawn once the server knows of the draft
    expect(drafted).to_have_attribute("d", re.compile("^M"), timeout=SLOW_MS)
    version = weights_version(first)
    apply_of(first).click()
    first.wait_for_function(NEWER, arg=version, timeout=SLOW_MS)
    alert = second.get_by_role("alert").filter(has_text=re.compile("."))
    expect(alert.first).to_be_visible(timeout=SLOW_MS)  # it has heard of it, and keeps its draft
    apply_of(second).click()
    dialog = second.get_by_role("dialog", name="Whose weights shall hold?")
    expect(dialog).to_be_visible(timeout=SLOW_MS)
    for version in ("Before", "Theirs", "Mine"):
        expect(dialog.get_by_role("columnheader", name=version)).to_be_visible()
    dialog.get_by_role("button", name="Apply mine").click()
    expect(dialog).to_be_hidden()
    expect(apply_of(second)).to_be_disabled(timeout=SLOW_MS)
    one.check()
    two.check()


def test_right_to_left_on_a_narrow_screen(server, tab) -> None:
    one = tab(viewport={"width": 360, "height": 780})
    speak(one, server.address, "fa")
    for path in PATHS.values():
        page = one.open(server.address, path)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        assert fits(page), path
    one.check()


def test_page_comes_back_by_itself_after_a_restart(server, tab) -> None:
    one = tab()
    page = one.open(server.address, PATHS["System"])
    server.stop()
    expect(page.locator("html")).not_to_have_attribute("data-line", "connected", timeout=SLOW_MS)
    expect(page.get_by_role("button", name="WS: RECONNECTING")).to_be_visible(timeout=SLOW_MS)
    server.start()
    expect(page.get_by_text("● All is well")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("html")).to_have_attribute("data-line", "connected", timeout=SLOW_MS)
    assert one.refused == one.outside() == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("title", PATHS)
def test_page_at_three_widths_in_all_themes(server, tab, title, width) -> None:
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
    one = tab(viewport=size, has_touch=width == "phone")
    page = one.open(server.address, PATHS[title])
    assert fits(page)
    for theme in ("dark", "light", "contrast"):
        wear(page, theme)
        assert axe.grave(page) == [], theme
    if "SHOTS" in os.environ:
        page.screenshot(path=f"{os.environ['SHOTS']}/{title}-{width}.png", full_page=True)
    one.check()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fa", "ar"])
def test_every_page_in_every_language(server, tab, language) -> None:
    one = tab()
    speak(one, server.address, language)
    for path in PATHS.values():
        page = one.open(server.address, path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert fits(page), path
        assert axe.grave(page) == [], path
    one.check()
