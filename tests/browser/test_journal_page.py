"""The Context and Journal pages in a real browser against a real server: filters, keys, address."""

import re
from collections.abc import Iterator

import pytest
import tabs
from browsed import SYMBOLS, Server
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SLOW_MS = 60_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all walks, at ten minutes of the market a second."""
    made = Server(
        tmp_path_factory.mktemp("home"), "--speed", "600", "--symbols", SYMBOLS
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def tab(browser: Browser) -> Iterator[tabs.Tab]:
    made = tabs.Tab(browser, viewport={"width": 1440, "height": 1000}, color_scheme="dark")
    yield made
    made.context.close()


def _open(tab: tabs.Tab, address: str) -> Page:
    page = tab.page
    page.goto(address)
    if page.locator("dialog[open]").count():
        page.keyboard.press("Escape")
    return page


def test_one_symbol_for_all_of_the_context(running, tab) -> None:
    page = _open(tab, f"{running.address}/context?impact=all")
    dial = page.get_by_role("img", name=re.compile(r"Fear & Greed \d+ of 100"))
    expect(dial).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text(re.compile(r"old · simulated")).first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Net large flow by hour"))).to_be_visible()
    row = page.get_by_role("button", name="ETH/USDT")
    row.focus()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("aria-pressed", "true")
    for part in page.get_by_label("Symbol", exact=True).all():
        expect(part).to_have_value("ETH/USDT")
    page.get_by_role("button", name="≥ 5 M").click()
    assert "least=5000000" in page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    assert tab.outside() == []
    assert tab.errors == []


def test_signals_are_filtered_opened_and_shared(running, tab) -> None:
    page = _open(tab, f"{running.address}/journal")
    newest = page.get_by_text(re.compile(r"^newest \d+"))
    expect(newest).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="12 bars").click()
    page.get_by_label("What was done").select_option("untraded")
    table = page.locator("section[aria-label='Signals and outcomes']")
    table.get_by_role("button", name="Bullish").click()
    expect(table.get_by_text("▼ short")).to_have_count(0, timeout=SLOW_MS)
    kept = set(page.url.partition("?")[2].split("&"))
    assert {"horizon=12", "made=untraded", "side=bullish"} <= kept

    # Its parts sum to the net, which an open row shows; the keyboard alone opens it.
    name = table.locator("button[aria-expanded]").first
    name.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Net, their sum")).to_be_visible()

    page.reload()
    expect(page.get_by_label("What was done")).to_have_value("untraded", timeout=SLOW_MS)
    expect(newest).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("button", name="12 bars")).to_have_attribute("aria-pressed", "true")
    with page.expect_download() as file:
        page.get_by_role("link", name="Signals CSV").click()
    assert file.value.suggested_filename == "decisions.csv"
    assert tab.outside() == []
    assert tab.errors == []


def test_a_challenger_begins_and_ends(running, tab) -> None:
    page = _open(tab, f"{running.address}/journal")
    name = "bold"
    page.get_by_label("Name, new").fill(name)
    page.get_by_label("Weights").select_option("aggressive")
    page.get_by_role("button", name="Run beside the champion").click()
    expect(page.get_by_text(f"Challenger {name} runs.")).to_be_visible(timeout=SLOW_MS)
    end = page.get_by_role("button", name=f"End {name}")
    expect(end).to_be_visible(timeout=SLOW_MS)
    end.click()
    expect(end).to_have_text("Really end it?")
    end.click()
    expect(page.get_by_text("has ended; its history stays")).to_be_visible(timeout=SLOW_MS)
    expect(end).to_have_count(0, timeout=SLOW_MS)
    assert tab.errors == []
