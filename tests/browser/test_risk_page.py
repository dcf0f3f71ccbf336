"""The Risk page as a trader uses it, in a real browser against a real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tabs
from browsed import SYMBOLS, Server
from playwright.sync_api import Browser, Locator, Page, expect

from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory
from opportunity.storage.turned import Why
from opportunity.trading.rules import TradeRules

pytestmark = pytest.mark.browser

SLOW_MS = 60_000
WIDE = {"width": 1440, "height": 1000}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds positions soon: its rules let nearly everything through."""
    home: Path = tmp_path_factory.mktemp("risk")
    memory = Memory(open_database(f"sqlite:///{home / 'opportunity.sqlite'}"), lambda: 1)
    rules = TradeRules(min_score=0.5, min_confidence=0.0, stop_atr=3.0, max_disagreement=1.0)
    memory.turned.write("trade_rules", rules.as_dict(), {}, Why("rules", "python", "", 0))
    memory.close()
    made = Server(home, "--speed", "1800", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def one(browser: Browser) -> Iterator[tabs.Tab]:
    made = tabs.Tab(browser, viewport=WIDE, color_scheme="dark")
    yield made
    made.context.close()


def opened(tab: tabs.Tab, server: Server, query: str = "") -> Page:
    tab.page.goto(f"{server.address}/risk{query}")
    expect(tab.page.locator("[data-tile=var95]")).to_be_visible(timeout=SLOW_MS)
    return tab.page


def field(page: Page, name: str) -> Locator:
    """Return a field by its label."""
    return page.get_by_role("textbox", name=name, exact=True)


def test_limits_are_turned_and_a_second_reader_who_is_late_sees_both(busy, one, browser) -> None:
    page, other = opened(one, busy), tabs.Tab(browser, viewport=WIDE)
    second = opened(other, busy)
    apply = page.get_by_role("button", name="Apply", exact=True)
    drawdown = field(page, "Drawdown")
    expect(drawdown).to_have_value("15")

    drawdown.fill("150")  # beyond the rule that stands beside it
    expect(page.get_by_text("✗ breaks the rule")).to_be_visible()
    expect(apply).to_be_disabled()
    drawdown.fill("20")
    expect(page.get_by_text("was 15 %")).to_be_visible()
    field(second, "Drawdown").fill("25")  # a draft of the same version
    page.get_by_role("textbox", name="why, for the audit").last.fill("a calmer month")
    drawdown.press("Enter")
    expect(page.get_by_text("The limits are in force.")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[data-tile=drawdown]")).to_contain_text("limit 20 %", timeout=SLOW_MS)

    # What the second one typed stays; applying it asks first, with both versions side by side.
    mine = field(second, "Drawdown")
    expect(second.get_by_text("was 20 %")).to_be_visible(timeout=SLOW_MS)
    expect(mine).to_have_value("25")
    second.get_by_role("button", name="Apply", exact=True).click()
    asked = second.get_by_role("dialog")
    expect(asked).to_contain_text("Somebody else changed the limits", timeout=SLOW_MS)
    expect(asked.get_by_role("row", name="Drawdown")).to_contain_text("25 %20 %")
    asked.get_by_role("button", name="Apply mine").click()
    expect(drawdown).to_have_value("25", timeout=SLOW_MS)  # and the first one follows
    second.get_by_text("Last changes").click()
    expect(second.get_by_text("“a calmer month”")).to_be_visible()
    assert one.errors == other.errors == []
    other.context.close()


def test_a_size_follows_what_is_typed_and_marks_what_binds(busy, one) -> None:
    page = opened(one, busy, "?symbol=ETH/USDT")
    expect(page.get_by_role("combobox", name="Symbol")).to_have_value("ETH/USDT")
    binds = page.locator(".bound.binds")
    expect(binds).to_have_count(1, timeout=SLOW_MS)
    field(page, "Account").fill("10000")
    field(page, "Entry").fill("100")
    field(page, "Stop").fill("50")
    field(page, "Risk, %").fill("1")
    expect(binds).to_contain_text("◆ Risk at the stop")
    expect(page.get_by_text("100.00 · 1.00 %")).to_be_visible()  # 1 % of 10,000 is lost
    page.get_by_role("button", name="▲ long").click()
    field(page, "Stop").fill("120")
    expect(page.get_by_text("stop of a long must be below the entry")).to_be_visible()
    assert one.errors == []


def test_positions_fill_the_page_and_choices_stay_in_the_address(busy, one) -> None:
    page = opened(one, busy, "?level=0.99&map=watched")
    expect(page.get_by_role("button", name="99 %")).to_have_attribute("aria-pressed", "true")
    cells = page.get_by_role("region", name="Correlations").locator("tbody td")
    expect(cells).to_have_count(64, timeout=SLOW_MS)
    page.get_by_label("Horizon, days").select_option("10")
    expect(page).to_have_url(re.compile(r"days=10"))
    rows = page.get_by_role("region", name="Value at risk by method").locator("tbody tr")
    expect(rows).to_have_count(4, timeout=SLOW_MS)
    expect(page.get_by_text(re.compile(r"^gross .* of the equity"))).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="All fall 30 %")).to_be_visible()
    for width in (390, 768, 1180, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert one.outside() == []
    assert one.errors == []
