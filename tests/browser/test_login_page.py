"""Logging in and out by a real browser, against a real server where everybody must log in."""

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from app.auth.passwords import hash_of
from app.auth.users import opened
from opportunity.config import load_settings

PASSWORD = "a quiet harbour at dawn"
SHOTS = os.environ.get("SHOTS")
"""A folder, to keep pictures of what is seen."""

WRITING = {
    "/": ("Agent: ON", "Apply", "Save…"),
    "/portfolio": ("Agent: ON", "Flatten all …", "Reset account …"),
    "/research": ("Run", "Agent: ON"),
}
"""Buttons that change something for others, by page."""

KEPT = {"weights": "/api/config/weights", "presets": "/api/config/weight-presets"}


def shot(page: Page, name: str) -> None:
    if SHOTS is not None:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def watched(page: Page, seen: list[str]) -> None:
    page.on("request", lambda request: seen.append(request.url))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("console", lambda said: seen.append(f"console: {said.text}")
            if "Content Security Policy" in said.text else None)  # fmt: skip


def test_first_start_login_page_and_logout(closed, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 900, "height": 700})
        page = context.new_page()
        page.goto(closed.address + "/research?x=1")
        assert page.url.startswith(f"{closed.address}/login?next=")
        shot(page, f"login-{scheme}")
        context.close()

    context = browser.new_context(viewport={"width": 1600, "height": 950})
    page, seen = context.new_page(), []
    watched(page, seen)
    assert closed.link.startswith(closed.address)
    page.goto(closed.link)
    shot(page, "first")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Once more").fill("something else entirely")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("must be the same")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_role("button", name="WS: CONNECTED")).to_be_visible(timeout=30_000)
    expect(page.locator("form.who")).to_contain_text("admin")
    expect(page.get_by_role("row").nth(3)).to_be_visible(timeout=30_000)
    shot(page, "live")
    page.get_by_role("button", name="Agent: ON").click()
    expect(page.get_by_role("button", name="Agent: OFF")).to_be_visible()

    for name in ("Portfolio", "Research"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("button", name="WS: CONNECTED")).to_be_visible(timeout=30_000)
        shot(page, name.lower())

    other = browser.new_context().new_page()
    other.goto(closed.link)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_label("Once more").fill(PASSWORD)
    other.get_by_role("button").click()
    expect(other.get_by_role("alert")).to_contain_text("used already")
    shot(other, "used")

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading")).to_have_text("You are logged out")
    shot(page, "logged-out")
    page.goto(closed.address + "/portfolio")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("not the password at all")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    shot(page, "wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page).to_have_url(closed.address + "/portfolio")
    expect(page.get_by_role("button", name="WS: CONNECTED")).to_be_visible(timeout=30_000)

    ours = (closed.address, closed.address.replace("http", "ws"), "data:", "blob:")
    assert [one for one in seen if not one.startswith(ours)] == []


def test_a_viewer_looks_and_what_is_forced_is_refused(closed, browser: Browser) -> None:
    closed.stop()
    with opened(load_settings({"home": closed.home})) as (_, users):
        users.add("vera", "viewer", hash_of(PASSWORD, "vera"), "test")
    closed.start()
    page = browser.new_context(viewport={"width": 1600, "height": 950}).new_page()
    page.goto(closed.address + "/login")
    page.get_by_label("Name").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    told = {name: page.request.get(closed.address + path).text() for name, path in KEPT.items()}
    for path, names in WRITING.items():
        page.goto(closed.address + path)
        expect(page.get_by_role("button", name="WS: CONNECTED")).to_be_visible(timeout=30_000)
        for name in names:
            button = page.get_by_role("button", name=name, exact=True)
            expect(button).to_be_disabled()
            button.evaluate("e => { e.disabled = false; e.click(); }")
    # The last one that was forced has come to the server, and been refused there, in words.
    page.get_by_role("button", name="Agent: ON").evaluate("e => { e.disabled = false; e.click(); }")
    expect(page.get_by_text("role must be trader, was viewer").first).to_be_visible()
    after = {name: page.request.get(closed.address + path).text() for name, path in KEPT.items()}
    assert after == told
    assert page.request.get(closed.address + "/api/agent/status").json()["enabled"] is True
