"""The Live page as a trader uses it, in a real browser against a real server."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator

import pytest
import tabs
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SLOW_MS = 15_000


class Tab(tabs.Tab):
    """A tab of this page."""

    def __init__(self, browser: Browser) -> None:
        super().__init__(browser, viewport={"width": 1720, "height": 960})

    def open(self, address: str) -> Page:
        self.page.goto(address)
        expect(self.page.locator("tr[data-symbol]").first).to_be_visible(timeout=SLOW_MS)
        return self.page


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[[], Tab]]:
    """Open tabs, each with its own cookies."""
    made: list[Tab] = []

    def make() -> Tab:
        made.append(Tab(browser))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def _received(page: Page) -> int:
    found = re.search(r"([\d,]+) received", page.locator(".feed .head").inner_text())
    return int(found[1].replace(",", "")) if found else -1


def _scores(page: Page) -> dict[str, str]:
    read = "rows => rows.map(r => [r.dataset.symbol, r.querySelector('.value').textContent])"
    return dict(page.eval_on_selector_all("tr[data-symbol]", read))


def _wait(page: Page, told: Callable[[], bool]) -> None:
    """Wait until something is so; the page's own clock turns meanwhile."""
    for _ in range(SLOW_MS // 100):
        if told():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited in vain")


def _press_sar(page: Page, times: int) -> None:
    page.locator("[data-weight=sar] input").focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def test_page_is_live_and_stays_at_home(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    expect(page.get_by_text("SIMULATED MARKET")).to_be_visible()
    expect(page.locator("button.badge")).to_have_attribute("data-state", "connected")
    expect(page.get_by_role("button", name="Agent: ON")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".score canvas, .price canvas").first).to_be_attached(timeout=SLOW_MS)
    before = page.locator(".bar .last").inner_text()
    _wait(page, lambda: page.locator(".bar .last").inner_text() != before)
    count = _received(page)
    _wait(page, lambda: _received(page) > count)
    steps = page.locator("[data-step]")
    expect(steps.last).to_have_attribute("data-step", "net")
    assert one.outside() == []
    assert one.errors == []


def test_reasons_are_readable_in_full(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
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


def test_agent_off_stops_signals_and_on_resumes(server, tab) -> None:
    page = tab().open(server.address)
    _wait(page, lambda: _received(page) > 0)
    page.get_by_role("button", name="Agent: ON").click()
    expect(page.get_by_role("button", name="Agent: OFF")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".feed .head")).to_contain_text("paused")
    newest = page.locator(".signals li").first.inner_text().split("\n")[:2]
    page.wait_for_timeout(2_000)  # four 5m bars of the market close meanwhile
    assert page.locator(".signals li").first.inner_text().split("\n")[:2] == newest
    page.get_by_role("button", name="Agent: OFF").click()
    expect(page.locator(".feed .head")).to_contain_text("received")
    count = _received(page)
    _wait(page, lambda: _received(page) > count)


def test_slider_moves_its_own_session_and_apply_moves_all(server, tab) -> None:
    mine, other = tab().open(server.address), tab().open(server.address)
    _wait(mine, lambda: _scores(mine) == _scores(other))
    _press_sar(mine, 40)
    expect(mine.locator(".count")).to_contain_text("draft")
    assert "draft" not in other.locator(".count").inner_text()
    assert other.locator("[data-weight=sar] output").inner_text() == "0.10"
    _wait(mine, lambda: _scores(mine) != _scores(other))

    mine.get_by_role("button", name="Normalise & apply").click()
    expect(mine.get_by_text("Applied for everybody.")).to_be_visible()
    expect(other.locator("[data-weight=sar] output")).to_have_text("0.36", timeout=SLOW_MS)
    expect(other.get_by_text("New weights (page).")).to_be_attached(timeout=SLOW_MS)
    expect(mine.locator(".count")).not_to_contain_text("draft")
    _wait(mine, lambda: _scores(mine) == _scores(other))


def test_weights_set_by_rest_reach_the_page_and_ask_for_a_turned_draft(server, tab) -> None:
    turned, calm = tab().open(server.address), tab().open(server.address)
    _press_sar(turned, 5)
    expect(turned.locator(".count")).to_contain_text("draft")
    weights = {
        "harmonic": 0.1, "elliott": 0.1, "smc": 0.2, "fibonacci": 0.2, "price_action": 0.2,
        "sar": 0.1, "sentiment": 0.05, "news": 0.03, "whales": 0.02,
    }
    request = urllib.request.Request(
        f"{server.address}/api/config/weights", json.dumps(weights).encode(), method="PUT",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    expect(calm.locator("[data-weight=fibonacci] output")).to_have_text("0.20", timeout=SLOW_MS)
    expect(turned.get_by_role("alert").filter(has_text="changed (api)")).to_be_visible()
    assert turned.locator("[data-weight=sar] output").inner_text() == "0.15"
    turned.get_by_role("button", name="take theirs").click()
    expect(turned.locator("[data-weight=sar] output")).to_have_text("0.10")


def test_badge_shows_a_stopped_server_and_the_page_recovers(server, tab) -> None:
    page = tab().open(f"{server.address}/?symbol=ETH-USDT&timeframe=15m")
    badge = page.locator("button.badge")
    expect(badge).to_have_attribute("data-state", "connected")
    page.get_by_role("button", name=re.compile("Theme: ")).click()
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.evaluate("window.before = true")
    server.stop()
    expect(badge).to_have_attribute("data-state", "reconnecting", timeout=SLOW_MS)
    expect(badge).to_contain_text("attempt")
    server.start()
    page.wait_for_function("window.before === undefined", timeout=60_000)
    expect(badge).to_have_attribute("data-state", "connected", timeout=SLOW_MS)
    expect(page.locator(".bar h2")).to_have_text("ETH/USDT", timeout=SLOW_MS)
    expect(page.locator(".bar [aria-checked=true]")).to_have_text("15m")
    assert page.evaluate("document.documentElement.dataset.theme") == theme


def test_keyboard_alone_is_enough(server, tab) -> None:
    page = tab().open(server.address)
    page.locator("table[role=grid]").focus()
    page.keyboard.press("End")
    last = page.locator("tr[data-symbol]").last.get_attribute("data-symbol")
    expect(page.locator("tr[aria-selected=true]")).to_have_attribute("data-symbol", str(last))
    expect(page.locator(".bar h2")).to_have_text(str(last))
    page.keyboard.press("2")
    expect(page.locator(".bar [aria-checked=true]")).to_have_text("15m")
    page.keyboard.press("/")
    page.keyboard.type("btc")
    expect(page.locator("tr[data-symbol]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("tr[data-symbol]")).to_have_count(8)
    assert "timeframe=15m" in page.url


def _pressed(page: Page, layer: str) -> str | None:
    return page.locator(f"[data-layer={layer}]").get_attribute("aria-pressed")


def test_overlays_are_switched_by_keyboard_and_keep_the_focus(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    expect(page.locator(".price canvas").first).to_be_attached(timeout=SLOW_MS)
    assert page.locator("[data-layer]").count() == 9
    before = _pressed(page, "sar")
    page.locator("[data-layer=sar]").focus()
    page.keyboard.press("Space")
    _wait(page, lambda: _pressed(page, "sar") != before)
    focused = "document.activeElement?.shadowRoot?.activeElement?.dataset.layer"
    assert page.evaluate(focused) == "sar"
    page.keyboard.press("Space")
    _wait(page, lambda: _pressed(page, "sar") == before)
    page.locator("table[role=grid]").focus()
    for key, layer in (("Shift+Digit2", "elliott"), ("Shift+Digit9", "whales")):
        before = _pressed(page, layer)
        page.keyboard.press(key)
        _wait(page, lambda: _pressed(page, layer) != before)  # noqa: B023 - called at once
    expect(page.locator(".bar [aria-checked=true]")).to_have_text("1h")  # digits alone do that
    for layer in ("structure", "levels", "news", "harmonic"):
        if _pressed(page, layer) == "true":
            page.locator(f"[data-layer={layer}]").click()
    assert one.errors == []


def test_toggles_fit_the_chart_bar_at_every_width(server, tab) -> None:
    page = tab().open(server.address)
    for width, height in ((1720, 960), (1280, 800), (1000, 700), (390, 844), (360, 780)):
        page.set_viewport_size({"width": width, "height": height})
        card = page.locator(".card.chart").bounding_box()
        for pill in page.locator(".bar .pill").all():
            box = pill.bounding_box()
            assert box["x"] >= card["x"]
            assert box["x"] + box["width"] <= card["x"] + card["width"]


def test_success_is_told_with_its_reason_or_the_number_of_symbols(server, tab) -> None:
    page = tab().open(server.address)
    row = page.locator("tr[data-symbol]:not(.stopped)").first
    row.click()
    line = page.locator(".success")
    told = re.compile(r"^Success (uncalibrated: .+|.*\d+ %.*calibrated on \d+ symbols\))$")
    expect(line).to_have_text(told, timeout=SLOW_MS)
    expect(line).to_have_text(re.compile("calibrated on"), timeout=60_000)  # learned meanwhile
    _wait(page, lambda: "Success" in str(row.get_attribute("title")))
    assert "ICT" in str(row.get_attribute("title"))


def test_context_tells_mood_and_headlines_of_a_simulated_market(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
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
    with urllib.request.urlopen(f"{server.address}/api/news?symbol={query}&limit=5") as answer:
        said = json.load(answer)
    assert said["symbol"] == symbol
    assert said["source"] == "simulated"
    assert one.outside() == []
    assert one.errors == []


def test_narrow_screen_stacks_without_sideways_scrolling(server, tab) -> None:
    one = tab()
    one.page.set_viewport_size({"width": 360, "height": 780})
    page = one.open(server.address)
    expect(page.locator(".price canvas").first).to_be_attached(timeout=SLOW_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tops = [page.locator(f".live > .{n}").bounding_box()["y"] for n in ("table", "chart", "why")]
    assert tops == sorted(tops)
    assert one.errors == []


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
