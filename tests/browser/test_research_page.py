"""The Research page as a researcher uses it, in a real browser against a real server."""

from collections.abc import Callable, Iterator

import orjson
import pytest
import tabs
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SLOW_MS = 30_000

FIGURES = """() => {
  const held = Bokeh.documents.flatMap((d) => [...d._all_models.values()]);
  return held.filter((m) => m.type === "Figure").map((f) => ({
    range: f.x_range.id, start: f.x_range.start, end: f.x_range.end,
    low: f.y_range.start, high: f.y_range.end, ground: f.background_fill_color,
    points: f.renderers.filter((r) => r.glyph?.type === "Line")
      .map((r) => r.data_source.get_length()),
  }));
}"""
"""Read the figures of the page: four, on one time axis."""

ZOOM = """(share) => {
  const held = Bokeh.documents.flatMap((d) => [...d._all_models.values()]);
  const { x_range } = held.find((m) => m.type === "Figure");
  const { start, end } = x_range;
  x_range.setv({ start: end - share * (end - start), end });
}"""


class Tab(tabs.Tab):
    """A tab of this page."""

    def __init__(self, browser: Browser) -> None:
        super().__init__(browser, viewport={"width": 1440, "height": 1000}, color_scheme="dark")

    def open(self, address: str) -> Page:
        self.page.goto(f"{address}/research")
        symbol = self.page.get_by_label("Symbol", exact=True)
        expect(symbol).not_to_have_value("", timeout=SLOW_MS)
        return self.page


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[[], Tab]]:
    made: list[Tab] = []

    def make() -> Tab:
        made.append(Tab(browser))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def _wait(page: Page, told: Callable[[], bool]) -> None:
    for _ in range(SLOW_MS // 100):
        if told():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited in vain")


def _run(page: Page) -> list[dict]:
    """Run what the form says, by the keyboard alone, and return the figures once they are there."""
    page.get_by_label("Symbol", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".summary .tile").first).to_be_visible(timeout=SLOW_MS)
    _wait(page, lambda: len(page.evaluate(FIGURES)) == 4)
    return page.evaluate(FIGURES)


def test_backtest_from_the_form_to_the_files(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    expect(page.get_by_role("link", name="Research")).to_have_attribute("aria-current", "page")
    expect(page.locator(".picture")).to_be_hidden()
    figures = _run(page)
    assert len({f["range"] for f in figures}) == 1
    assert all(n <= 1_500 for f in figures for n in f["points"])
    expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
    expect(page.locator(".warnings li").first).to_contain_text("simulated")
    page.locator(".summary .tile").first.focus()
    expect(page.get_by_role("tooltip")).to_have_text(
        "Fraction of the initial equity, >= -1 without leverage."
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("link", name="trades.csv").click()
    assert download.value.suggested_filename.endswith(".csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="capsule.json").click()
    assert orjson.loads(download.value.path().read_bytes())["data"]

    page.evaluate(ZOOM, 0.05)
    _wait(page, lambda: page.evaluate(FIGURES)[0]["low"] != figures[0]["low"])
    zoomed = page.evaluate(FIGURES)
    assert len({(f["start"], f["end"]) for f in zoomed}) == 1
    assert max(zoomed[0]["points"]) < 200  # all the bars of that part

    page.get_by_role("button", name="Theme: dark. Switch to light").click()
    _wait(page, lambda: {f["ground"] for f in page.evaluate(FIGURES)} == {"#ffffff"})
    again = page.evaluate(FIGURES)
    assert [f["start"] for f in again] == [f["start"] for f in zoomed]  # the view is kept
    assert one.outside() == []
    assert one.errors == []


def test_result_survives_a_reload_and_a_trade_moves_the_charts(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    _run(page)
    assert "job=" in page.url
    page.reload()
    _wait(page, lambda: len(page.evaluate(FIGURES)) == 4)
    before = page.evaluate(FIGURES)[0]
    row = page.locator("tr[aria-label^='Trade']").first
    row.focus()
    page.keyboard.press("Enter")
    _wait(page, lambda: page.evaluate(FIGURES)[0]["start"] != before["start"])
    assert one.errors == []


def test_nonsense_is_refused_beside_the_button(server, tab) -> None:
    page = tab().open(server.address)
    page.get_by_label("Symbol", exact=True).fill("BTC/NOTHING")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="BTC/NOTHING")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def test_narrow_screen_needs_no_sideways_scrolling(server, tab) -> None:
    one = tab()
    one.page.set_viewport_size({"width": 390, "height": 844})
    page = one.open(server.address)
    _run(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert one.errors == []


def test_sweep_to_a_vector_alone_to_the_guards_and_past_them(server, tab) -> None:
    one = tab()
    page = one.open(server.address)
    page.get_by_role("radio", name="Backtest").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Sweep")).to_be_focused()
    page.get_by_label("Vectors").fill("120")
    page.get_by_label("Least trades").fill("0")
    page.get_by_role("button", name="Run", exact=True).click()
    sweep = page.locator(".card.sweep")
    expect(sweep.get_by_role("table").first).to_be_visible(timeout=3 * SLOW_MS)
    expect(page.locator(".card.summary")).to_be_hidden()
    heads = sweep.get_by_role("region", name="Sharpe over two weights")
    expect(heads.get_by_role("columnheader")).to_have_count(8)
    sweep.get_by_role("button", name="Test vector 1 alone").click()
    expect(page.locator(".card.guards")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Ask the guards").click()
    expect(page.locator(".guards tbody tr")).to_have_count(6, timeout=3 * SLOW_MS)
    page.get_by_role("button", name="Promote anyway").click()
    dialog = page.get_by_role("dialog", name="Put them to use against the guards")
    dialog.get_by_role("button", name="Force").click()
    expect(dialog.get_by_role("alert")).to_have_text("Say why: it is kept for good.")
    dialog.get_by_label("Name of the preset").fill("researched")
    dialog.get_by_label("Reason").fill("to see it")
    dialog.get_by_role("button", name="Force").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Saved as the preset researched.")).to_be_visible()
    page.locator(".card.runs").get_by_role("button", name="Sweep").click()
    expect(sweep).to_be_visible()
    assert one.errors == []
