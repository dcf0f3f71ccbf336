"""The viewer of the API in a real browser: complete, without the internet, light and dark."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect
from tabs import Tab

from app.api import resources
from app.api.operations import operations_of

pytestmark = pytest.mark.browser

SLOW_MS = 30_000
N_OPERATIONS = sum(1 for _, handler in resources() for _ in operations_of(handler))


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[[str], Tab]]:
    """Open tabs by colour scheme; what goes anywhere but to this machine fails."""
    made: list[Tab] = []

    def make(scheme: str) -> Tab:
        made.append(Tab(browser, color_scheme=scheme, viewport={"width": 1280, "height": 900}))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def brightness(colour: str) -> float:
    red, green, blue = (float(part) for part in colour.strip("rgba()").split(",")[:3])
    return (red + green + blue) / 765


def test_all_operations_are_shown_and_can_be_tried(server, tab):
    for scheme in ("light", "dark"):
        one = tab(scheme)
        one.page.goto(f"{server.address}/api/docs")
        blocks = one.page.locator(".opblock")
        expect(blocks).to_have_count(N_OPERATIONS, timeout=SLOW_MS)
        colour = one.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        dark = colour != "rgba(0, 0, 0, 0)" and brightness(colour) < 0.2
        assert dark == (scheme == "dark")
        status = one.page.locator("#operations-agent-getAgentStatus")
        status.locator(".opblock-summary-control").click()
        status.get_by_role("button", name="Try it out").click()
        status.get_by_role("button", name="Execute").click()
        answer = status.locator(".live-responses-table .highlight-code").first
        expect(answer).to_contain_text("scan_interval_ms", timeout=SLOW_MS)
        assert one.outside() == []
        assert one.errors == []
