"""The Live page as a trader uses it, in a real browser against a real server."""

import csv
import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tabs
from browsed import SYMBOLS, Server
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SLOW_MS = 60_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("live"), "--speed", "600", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


class Tab(tabs.Tab):
    """A tab of this page."""

    def __init__(self, browser: Browser, width: int = 1720, height: int = 960) -> None:
        super().__init__(
            browser, viewport={"width": width, "height": height}, accept_downloads=True
        )

    def open(self, address: str) -> Page:
        self.page.goto(address)
        shown = "tr[data-symbol], .tile, .barline[data-symbol], .heattile, .comparison"
        expect(self.page.locator(shown).first).to_be_visible(timeout=SLOW_MS)
        return self.page


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Open tabs, each with its own cookies."""
    made: list[Tab] = []

    def make(**size: int) -> Tab:
        made.append(Tab(browser, **size))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def _wait(page: Page, told: Callable[[], bool]) -> None:
    """Wait until something is so; the page's own clock turns meanwhile."""
    for _ in range(SLOW_MS // 100):
        if told():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited in vain")


def _dialog(page: Page, name: str):
    return page.get_by_role("dialog", name=name)


def test_page_is_live_and_stays_at_home(shared, tab) -> None:
    one = tab()
    page = one.open(shared.address)
    expect(page.locator("tr[data-symbol]")).to_have_count(8)
    expect(page.locator(".score canvas, .price canvas").first).to_be_attached(timeout=SLOW_MS)
    prices = "rows => rows.map(r => r.textContent).join()"
    before = page.eval_on_selector_all("td.price", prices)
    _wait(page, lambda: page.eval_on_selector_all("td.price", prices) != before)
    expect(page.locator(".tiles .figure").first).not_to_have_text("\u2013", timeout=SLOW_MS)
    expect(page.locator(".scanbar .when")).to_contain_text("Live")
    assert one.outside() == []
    assert one.errors == []


def test_filters_views_and_order_are_worked_by_keys_and_kept_in_the_address(shared, tab) -> None:
    one = tab()
    page = one.open(shared.address)
    rows = page.locator("tr[data-symbol]")
    page.locator("table[role=grid]").focus()
    page.keyboard.press("End")
    chosen = page.locator("tr[aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(page.locator(".bar h2")).to_have_text(str(chosen.get_attribute("data-symbol")))
    page.keyboard.press("/")
    page.keyboard.type("btc")
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    expect(rows).to_have_count(8)
    page.keyboard.press("Escape")  # a second time leaves the field
    page.keyboard.press("f")
    page.locator("[data-filter=volume]").fill("900B")
    page.keyboard.press("Tab")
    expect(page.get_by_text("No symbol matches.")).to_be_visible()
    assert "volume=900000000000" in page.url
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Symbol", exact=True).click()
    names = [str(row.get_attribute("data-symbol")) for row in rows.all()]
    assert names == sorted(names)
    page.locator("table[role=grid]").focus()
    for key, part in (("2", ".tile"), ("3", ".barline[data-symbol]"), ("4", ".heattile")):
        page.keyboard.press(key)
        expect(page.locator(part)).to_have_count(8)
    page.keyboard.press("b")
    expect(page.get_by_role("radio", name="Bullish")).to_have_attribute("aria-checked", "true")
    assert {"sort=symbol", "view=heat", "side=bullish"} <= set(page.url.split("?")[1].split("&"))
    page.reload()
    expect(page.locator(".heat")).to_be_attached(timeout=SLOW_MS)
    expect(page.get_by_role("radio", name="Bullish")).to_have_attribute("aria-checked", "true")
    assert one.errors == []


def test_marked_symbols_are_compared_and_exported_safely(shared, tab) -> None:
    one = tab()
    page = one.open(f"{shared.address}/?sort=symbol")
    for symbol in ("BTC/USDT", "ETH/USDT"):
        page.locator(f"tr[data-symbol='{symbol}'] td.rank").click()
    expect(page.get_by_text("2 marked")).to_be_visible()
    page.get_by_role("button", name="Export what is shown").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV for spreadsheets").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("\ufeff")
    found = list(csv.DictReader(io.StringIO(text[1:])))
    assert [row["symbol"] for row in found] == ["BTC/USDT", "ETH/USDT"]
    assert {row["source"] for row in found} == {"simulated"}
    assert all(0 <= float(row["score"]) <= 1 for row in found)
    page.keyboard.press("5")
    expect(page.locator(".comparison thead .pick")).to_have_text(["BTC/USDT", "ETH/USDT"])
    page.get_by_role("button", name="Do not compare ETH/USDT").click()
    expect(page.locator(".comparison thead .pick")).to_have_count(1)
    assert "compare=BTC-USDT" in page.url
    assert one.errors == []


def test_alert_list_and_timeframe_weights_are_set_from_the_page(shared, tab) -> None:
    one = tab()
    page = one.open(f"{shared.address}/?sort=symbol")
    page.locator("tr[data-symbol='SOL/USDT']").hover()
    page.get_by_role("button", name="Price alert for SOL/USDT").click()
    dialog = _dialog(page, "Price alerts")
    dialog.get_by_label("Price", exact=True).fill("1000000")
    dialog.get_by_role("button", name="Set alert").click()
    expect(dialog.locator("li")).to_contain_text("SOL/USDT", timeout=SLOW_MS)
    page.keyboard.press("Escape")
    page.locator("tr[data-symbol='SOL/USDT']").hover()
    page.get_by_role("button", name="Watch SOL/USDT").click()
    dialog = _dialog(page, "Watchlists")
    dialog.get_by_label("Name of a new list").fill("mine")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.locator(".chip")).to_have_text(re.compile("SOL/USDT"), timeout=SLOW_MS)
    dialog.get_by_role("button", name="Show only these").click()
    expect(page.locator("tr[data-symbol]")).to_have_count(1)
    page.get_by_role("button", name="Timeframes").click()
    dialog = _dialog(page, "Weights of the timeframes")
    slider = dialog.get_by_label("Weight of 1h")
    slider.focus()
    page.keyboard.press("End")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.locator(".said")).to_have_text("Applied for everybody.", timeout=SLOW_MS)
    with urllib.request.urlopen(f"{shared.address}/api/agent/config") as answer:
        assert json.load(answer)["rules"]["timeframe_weights"]["1h"] == 1.0
    dialog.get_by_role("button", name="usual weights").click()
    expect(slider).to_have_value("0.25", timeout=SLOW_MS)
    assert one.errors == []


def test_narrow_screen_stacks_without_sideways_scrolling(shared, tab) -> None:
    one = tab(width=360, height=780)
    page = one.open(shared.address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    card = page.locator(".card.table").bounding_box()
    for head in page.locator("table[role=grid] th").all():
        box = head.bounding_box()
        assert box is None or box["x"] + box["width"] <= card["x"] + card["width"] + 1
    tops = [page.locator(f".live > .{n}").bounding_box()["y"] for n in ("table", "chart", "why")]
    assert tops == sorted(tops)
    assert one.errors == []


@pytest.mark.slow
def test_deep_scan_tells_its_progress_and_is_left_again(shared, tab) -> None:
    one = tab()
    page = one.open(shared.address)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("progressbar", name="Progress of the scan")).to_be_visible()
    back = page.get_by_role("button", name="Back to live")
    expect(back).to_be_visible(timeout=120_000)
    assert page.locator("th.frames button").count() > 6
    back.click()
    expect(page.locator("th.frames button")).to_have_count(6)
    page.keyboard.press("Control+q")
    expect(page.locator(".scanbar .said")).to_contain_text("symbols pass", timeout=SLOW_MS)
    assert one.errors == []


@pytest.mark.slow
def test_reasons_are_readable_in_full(shared, tab) -> None:
    one = tab()
    page = one.open(shared.address)
    step = page.locator("[data-step=price_action]")
    words = step.locator(".words")
    expect(words).not_to_be_empty(timeout=SLOW_MS)
    expect(words).to_have_css("white-space-collapse", "collapse")
    # Asked for at one moment: the card is drawn anew while the market moves.
    read = "row => [row, row.querySelector('.words')].map(e => [e.title, e.textContent])"
    (title, _), (own, text) = step.evaluate(read)
    assert title.startswith(text)
    assert own == title
    step.focus()
    expect(words).to_have_css("white-space-collapse", "preserve-breaks")
    page.wait_for_timeout(3_000)  # drawn anew several times, the row keeps the focus
    expect(step).to_be_focused()
    expect(page.locator("[data-step=net] .amount")).to_have_text(re.compile("^[▲▼●] "))
    told = re.compile("may differ from the mean")
    for place in ("th.score", "td.score"):
        expect(page.locator(place).first).to_have_attribute("title", told)
    assert one.errors == []


@pytest.mark.slow
def test_success_is_told_with_its_reason_or_the_number_of_symbols(shared, tab) -> None:
    page = tab().open(shared.address)
    row = page.locator("tr[data-symbol]:not(.stopped)").first
    row.click()
    line = page.locator(".success")
    told = re.compile(r"^Success (uncalibrated: .+|.*\d+ %.*calibrated on \d+ symbols)$")
    expect(line).to_have_text(told, timeout=SLOW_MS)
    expect(line).to_have_text(re.compile("calibrated on"), timeout=60_000)  # learned meanwhile
    _wait(page, lambda: "Success" in str(row.get_attribute("title")))
    assert "ICT" in str(row.get_attribute("title"))


@pytest.mark.slow
def test_context_tells_mood_and_headlines_of_a_simulated_market(shared, tab) -> None:
    one = tab()
    page = one.open(shared.address)
    page.get_by_role("tab", name="Reasons").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Context")).to_have_attribute("aria-selected", "true")
    card = page.get_by_role("tabpanel", name="Context")
    expect(card.get_by_text("Fear & Greed")).to_be_visible(timeout=SLOW_MS)
    expect(card.locator(".stamp")).to_have_text("simulated")
    expect(card.locator(".said li .title").first).not_to_be_empty()
    expect(page.locator(".steps")).to_be_hidden()
    page.get_by_role("tab", name="Reasons").click()
    expect(page.locator("[data-step]")).to_have_count(10)
    symbol = page.locator(".bar h2").inner_text()
    query = symbol.replace("/", "-")
    with urllib.request.urlopen(f"{shared.address}/api/news?symbol={query}&limit=5") as answer:
        said = json.load(answer)
    assert said["symbol"] == symbol
    assert said["source"] == "simulated"
    assert one.outside() == []
    assert one.errors == []


@pytest.mark.slow
def test_what_cannot_be_trusted_is_marked_in_header_row_and_card(holed, tab) -> None:
    one = tab()
    page = one.open(holed.address)
    header = page.locator("header .trust, .trust[data-level]").first
    expect(header).to_contain_text(re.compile(r"Data trust 0\.\d\d / \d\.\d\d · 1 vetoed"),
                                   timeout=SLOW_MS)
    marks = {s: page.locator(f"tr[data-symbol='{s}/USDT'] .trust") for s in ("BTC", "ETH", "SOL")}
    expect(marks["BTC"]).to_be_hidden()
    expect(marks["ETH"]).to_have_text(re.compile(r"^[◔◑○] 0\.[0-4]\d$"))
    expect(marks["SOL"]).to_have_text(re.compile(r"^[◕◑] 0\.[5-9]\d$"))
    expect(marks["ETH"]).to_have_attribute("title", re.compile(r"\d+ % of the 1h bars missing"))
    row = page.locator("tr[data-symbol='ETH/USDT']")
    expect(row).to_have_attribute("title", re.compile("its data cannot be trusted enough"))
    row.click()
    expect(page.locator("p.trust")).to_have_text(
        re.compile(r"^⚠ Trust in the data 0\.\d\d: \d+ % of the 1h bars missing lately$"),
        timeout=SLOW_MS,
    )
    with urllib.request.urlopen(f"{holed.address}/api/data/trust?symbol=ETHUSDT") as answer:
        told = json.load(answer)
    assert told["vetoed"] == 1
    assert told["streams"][0]["factors"]["gaps"] < 0.5
    page.locator("tr[data-symbol='BTC/USDT']").click()
    expect(page.locator("p.trust")).to_have_text("")
    assert one.outside() == []
    assert one.errors == []


@pytest.mark.slow
def test_page_over_an_exchange_shows_rows_and_the_line_to_it(exchanged, exchange, tab) -> None:
    one = tab()
    page = one.open(f"{exchanged.address}/?symbol=ETH-USDT&timeframe=5m")
    badge = page.locator(".chip.feed")
    expect(badge).to_have_text(re.compile("Feed: live"), timeout=SLOW_MS)
    expect(badge).to_have_attribute("data-tone", "good")
    expect(badge).to_have_attribute("title", re.compile("^binance streams\n"))
    expect(page.get_by_text("SIMULATED MARKET")).to_be_visible()
    expect(page.get_by_text("3 symbols · 2 timeframes")).to_be_visible()
    expect(page.locator("tr[data-symbol]")).to_have_count(3)
    expect(page.locator(".bar h2")).to_have_text("ETH/USDT")
    before = page.locator(".bar .last").inner_text()
    _wait(page, lambda: page.locator(".bar .last").inner_text() != before)
    order = {"kind": "rate_limit", "status": 418, "retry_after_s": 4, "times": 1}
    request = urllib.request.Request(
        f"{exchange.address}/control/faults", json.dumps(order).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    expect(badge).to_have_text(re.compile(r"Feed: banned until \d\d:\d\d:\d\d"), timeout=SLOW_MS)
    expect(badge).to_have_attribute("data-tone", "bad")
    expect(badge).to_have_text(re.compile("Feed: live"), timeout=SLOW_MS)
    with urllib.request.urlopen(f"{exchange.address}/control/state") as answer:
        assert json.load(answer)["calls_in_ban"] == 0
    assert one.outside() == []
    assert one.errors == []
