"""The Portfolio page as a trader uses it, in a real browser against a real server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tabs
from browsed import SYMBOLS, Server
from playwright.sync_api import Browser, Page, expect

from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory
from opportunity.storage.turned import Why
from opportunity.trading.rules import TradeRules

pytestmark = pytest.mark.browser

SLOW_MS = 60_000


class Tab(tabs.Tab):
    """A tab of this page."""

    def __init__(self, browser: Browser) -> None:
        super().__init__(browser, viewport={"width": 1440, "height": 1000}, color_scheme="dark")

    def open(self, address: str) -> Page:
        self.page.goto(f"{address}/portfolio")
        line = self.page.get_by_text("no order ever leaves this machine")
        expect(line).to_be_visible(timeout=SLOW_MS)
        return self.page


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the file; the walks leave it as the next one needs it."""
    home: Path = tmp_path_factory.mktemp("portfolio")
    memory = Memory(open_database(f"sqlite:///{home / 'opportunity.sqlite'}"), lambda: 1)
    rules = TradeRules(min_score=0.5, min_confidence=0.0, stop_atr=3.0, max_disagreement=1.0)
    memory.turned.write("trade_rules", rules.as_dict(), {}, Why("rules", "python", "", 0))
    memory.close()
    made = Server(home, "--speed", "1800", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[[], Tab]]:
    made: list[Tab] = []

    def make() -> Tab:
        made.append(Tab(browser))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def test_narrow_screens_and_both_themes(trading, tab) -> None:
    one = tab()
    page = one.page
    page.set_viewport_size({"width": 390, "height": 844})
    one.open(trading.address)
    expect(page.get_by_text("Equity", exact=True).first).to_be_visible(timeout=SLOW_MS)
    close = page.get_by_role("button", name=re.compile("^Close [A-Z]+.USDT")).first
    expect(close).to_be_visible(timeout=SLOW_MS)
    assert close.bounding_box()["x"] < 390 - 24  # without scrolling sideways
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for width in (768, 1180, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name="Theme: dark. Switch to light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == (
        "rgb(255, 255, 255)")
    assert one.errors == []


def test_server_that_restarts_keeps_the_account(trading, tab) -> None:
    one = tab()
    page = one.open(trading.address)
    expect(page.get_by_role("button", name=re.compile("^Close [A-Z]+.USDT")).first).to_be_visible(
        timeout=SLOW_MS)
    page.get_by_role("tab", name="Fills").click()
    fills = page.get_by_role("tabpanel").locator("tbody tr")
    expect(fills.first).to_contain_text("/USDT", timeout=SLOW_MS)
    n = fills.count()
    trading.stop()
    trading.start()
    page.goto(f"{trading.address}/portfolio")
    page.get_by_role("tab", name="Fills").click(timeout=SLOW_MS)
    expect(fills.nth(n - 1)).to_be_visible(timeout=SLOW_MS)


def test_account_from_the_first_position_to_a_reset(trading, tab) -> None:
    one = tab()
    page = one.open(trading.address)
    expect(page.get_by_role("link", name="Portfolio")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
    close = page.get_by_role("button", name=re.compile("^Close [A-Z]+.USDT")).first
    expect(close).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("img", name=re.compile("Equity from"))).to_be_visible(timeout=SLOW_MS)

    # A position is left by hand with the keyboard alone, and only after a second press.
    symbol = close.get_attribute("aria-label").removeprefix("Close ")
    close.focus()
    page.keyboard.press("Enter")
    sure = page.get_by_role("button", name=f"Yes, close {symbol} at the next open")
    expect(sure).to_be_focused()
    page.keyboard.press("Escape")
    expect(sure).to_be_hidden()
    page.get_by_role("button", name=f"Close {symbol}", exact=True).press("Enter")
    sure.press("Enter")
    expect(page.get_by_text(f"{symbol} is left at its next open.")).to_be_visible(timeout=SLOW_MS)

    page.get_by_role("tab", name="Fills").click()
    fills = page.get_by_role("tabpanel")
    expect(fills).to_contain_text("closed by hand", timeout=SLOW_MS)
    expect(fills).to_contain_text("entry on a signal")

    # Off means no entries; what is held stays managed, and the page says so.
    page.get_by_role("button", name="Agent: ON").click()
    expect(page.get_by_text("Agent OFF: no entries; open positions stay managed")).to_be_visible()
    expect(page.get_by_role("button", name="Agent: OFF")).to_have_attribute(
        "title", re.compile("open paper positions stay managed"))

    _flatten(page)
    expect(page.get_by_text("none open")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("The agent is OFF: it enters nothing.")).to_be_visible()
    _reset(page)
    assert one.outside() == []
    assert one.errors == []


def _flatten(page: Page) -> None:
    button = page.get_by_role("button", name="Flatten all …")
    if button.is_disabled():
        return  # the stops were quicker
    button.click()
    go = page.get_by_role("button", name="Leave every position")
    expect(go).to_be_disabled()
    page.keyboard.type("flatten")
    expect(go).to_be_disabled()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    button.press("Enter")
    page.keyboard.type("FLATTEN")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"positions? left at the next open"))).to_be_visible(
        timeout=SLOW_MS)


def _reset(page: Page) -> None:
    page.get_by_role("button", name="Reset account …").click()
    go = page.get_by_role("button", name="Begin anew")
    page.get_by_label("Start cash, quote currency").fill("2500")
    expect(go).to_be_disabled()
    page.get_by_label("Type RESET to go on").fill("RESET")
    go.click()
    expect(page.get_by_text("The paper account has begun anew.")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("of 2,500.00")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("tab", name="Trades").click()
    expect(page.get_by_text("No trade has ended yet.")).to_be_visible(timeout=SLOW_MS)
