"""The weights editor as a trader uses it, in a real browser against a real server."""

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
THEIRS = {
    "harmonic": 0.1, "elliott": 0.1, "smc": 0.2, "fibonacci": 0.2, "price_action": 0.2,
    "sar": 0.1, "sentiment": 0.05, "news": 0.03, "whales": 0.02,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("weights"), "--speed", "600", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def opened(browser: Browser, server: Server) -> Iterator[Callable[[], tabs.Tab]]:
    made: list[tabs.Tab] = []

    def make() -> tabs.Tab:
        one = tabs.Tab(browser, viewport={"width": 1440, "height": 1000}, accept_downloads=True)
        made.append(one)
        one.page.goto(server.address)
        expect(_weight(one.page, "sar")).to_be_visible(timeout=SLOW_MS)
        return one

    yield make
    for one in made:
        one.context.close()


def _weight(page: Page, name: str):
    return page.locator(f"[data-weight={name}] output")


def _press(page: Page, name: str, times: int) -> None:
    page.locator(f"[data-weight={name}] input").focus()
    for _ in range(abs(times)):
        page.keyboard.press("ArrowRight" if times > 0 else "ArrowLeft")


def _put(server: Server, weights: dict[str, float]) -> None:
    request = urllib.request.Request(
        f"{server.address}/api/config/weights", json.dumps(weights).encode(), method="PUT",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def test_draft_is_turned_locked_undone_and_followed_by_what_if(opened) -> None:
    one = opened()
    page = one.page
    picture = page.locator(".what-if")
    expect(picture.locator(".now-line")).to_have_attribute("d", re.compile("^M"), timeout=SLOW_MS)
    page.get_by_role("button", name="Lock Elliott").click()
    expect(page.get_by_role("slider", name="Weight of Elliott")).to_be_disabled()
    _press(page, "sar", 10)
    expect(_weight(page, "sar")).to_have_text("0.20")
    drafted = picture.locator(".draft-line")
    expect(drafted).to_have_attribute("d", re.compile("^M"), timeout=SLOW_MS)
    first = drafted.get_attribute("d")
    expect(picture).to_contain_text("1 weight set tried.", timeout=SLOW_MS)
    _press(page, "smc", -10)
    expect(drafted).not_to_have_attribute("d", first or "", timeout=SLOW_MS)
    expect(page.get_by_text("2 changed")).to_be_visible()

    _press(page, "news", 7)
    page.get_by_role("button", name="normalise", exact=True).click()
    expect(page.locator(".editor .total")).to_have_text("Total 1.00 ✓")
    expect(_weight(page, "elliott")).to_have_text("0.15")  # locked
    page.keyboard.press("Control+z")
    expect(_weight(page, "news")).to_have_text("0.10")
    page.get_by_role("button", name="Redo").click()
    expect(_weight(page, "news")).to_have_text("0.09")
    page.get_by_role("button", name="Reset").click()
    expect(_weight(page, "sar")).to_have_text("0.10")
    expect(drafted).to_have_attribute("d", "", timeout=SLOW_MS)
    assert one.errors == []
    assert one.outside() == []


def test_file_goes_out_and_comes_back_and_a_wrong_one_is_told(opened, tmp_path: Path) -> None:
    one = opened()
    page = one.page
    _press(page, "sar", 5)
    with page.expect_download() as download:
        page.get_by_label("More", exact=True).click()
        page.get_by_role("menuitem", name="Export").click()
    file = tmp_path / "weights.json"
    download.value.save_as(file)
    held = json.loads(file.read_text())
    assert held["weights"]["sar"] == 0.15
    page.get_by_role("button", name="Reset").click()
    page.locator(".editor .menu input").set_input_files(file)
    expect(_weight(page, "sar")).to_have_text("0.15")
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(held["weights"] | {"smcc": 0.1}))
    page.locator(".editor .menu input").set_input_files(wrong)
    expect(page.get_by_text("Did you mean 'smc'?")).to_be_visible()
    assert one.errors == []


def test_conflict_shows_both_versions_and_overwrites_nothing_unasked(server, opened) -> None:
    one = opened()
    page = one.page
    _press(page, "sar", 5)
    drafted = page.locator(".what-if .draft-line")  # drawn once the server knows of the draft
    expect(drafted).to_have_attribute("d", re.compile("^M"), timeout=SLOW_MS)
    _put(server, THEIRS)
    expect(page.get_by_role("alert").filter(has_text="changed (api)")).to_be_visible(
        timeout=SLOW_MS
    )
    page.get_by_role("button", name="Normalise & apply").click()
    asked = page.get_by_role("dialog", name="Whose weights shall hold?")
    expect(asked).to_be_visible(timeout=SLOW_MS)
    row = asked.get_by_role("row", name=re.compile("^Fibonacci"))
    expect(row).to_contain_text("0.20")  # theirs
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    page.get_by_role("button", name="compare").click()
    asked.get_by_role("button", name="Apply mine").click()
    expect(page.get_by_text("Applied for everybody.")).to_be_visible(timeout=SLOW_MS)

    page.get_by_label("More", exact=True).click()
    page.get_by_role("menuitem", name="History…").click()
    history = page.get_by_role("dialog", name="History of the weights")
    history.get_by_role("listitem").filter(has_text="api").get_by_role("button").click()
    expect(_weight(page, "fibonacci")).to_have_text("0.20")
    assert one.errors == []
