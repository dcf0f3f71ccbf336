"""The System page as an admin and a viewer use it, in a real browser against a real server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tabs
from browsed import SYMBOLS, Server
from playwright.sync_api import Browser, Locator, Page, expect

from app.auth.passwords import hash_of
from app.auth.users import opened
from opportunity.config import load_settings

pytestmark = pytest.mark.browser

SLOW_MS = 60_000
PASSWORD = "a quiet harbour at dawn"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for logins, with an admin and a viewer."""
    home: Path = tmp_path_factory.mktemp("system")
    with opened(load_settings({"home": home})) as (_, users):
        users.add("anna", "admin", hash_of(PASSWORD, "anna"), "test")
        users.add("vera", "viewer", hash_of(PASSWORD, "vera"), "test")
    made = Server(home, "--auth", "--speed", "600", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def come_in(browser: Browser, server: Server) -> Iterator[Callable[[str], tabs.Tab]]:
    made: list[tabs.Tab] = []

    def open_as(name: str) -> tabs.Tab:
        tab = tabs.Tab(browser, viewport={"width": 1440, "height": 1000})
        tab.context.add_init_script("localStorage.setItem('opportunity-tour', 'done')")
        made.append(tab)
        tab.page.goto(f"{server.address}/login?next=system")
        tab.page.get_by_label("Name").fill(name)
        tab.page.get_by_label("Password").fill(PASSWORD)
        tab.page.get_by_role("button").click()
        tab.page.goto(f"{server.address}/system")
        expect(tab.page.get_by_text("● All is well")).to_be_visible(timeout=SLOW_MS)
        return tab

    yield open_as
    for one in made:
        one.context.close()


def region(page: Page, name: str) -> Locator:
    return page.locator(f"section[aria-label='{name}']")


def test_an_admin_sees_to_keys_users_copies_and_retention(server, come_in) -> None:
    tab = come_in("anna")
    page = tab.page

    # A key is shown once, works, and is worth nothing once it is revoked.
    keys = region(page, "API keys")
    keys.get_by_label("Name").fill("notebook")
    keys.get_by_role("button", name="Make a key").click()
    secret = keys.locator("code")
    expect(secret).to_contain_text("opp_")
    token = secret.text_content()
    asked = {"headers": {"Authorization": f"Bearer {token}"}}
    assert page.request.get(f"{server.address}/api/system/status", **asked).ok
    keys.get_by_role("button", name="I have it").click()
    expect(secret).to_be_hidden()
    assert token not in page.content()
    revoke = keys.get_by_role("button", name="Revoke notebook")
    revoke.press("Enter")
    page.keyboard.press("Escape")  # not meant
    expect(revoke).to_be_focused()
    revoke.press("Enter")
    keys.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(keys.get_by_text("No API key yet")).to_be_visible()
    bare = page.context.browser.new_context()
    assert bare.request.get(f"{server.address}/api/system/status", **asked).status == 401
    bare.close()

    users = region(page, "Users")
    users.get_by_label("Name", exact=True).fill("ben")
    users.locator("form.row select").select_option("trader")
    users.get_by_label("Password", exact=True).fill("short")
    users.get_by_role("button", name="Add", exact=True).click()
    expect(users.get_by_role("alert")).to_contain_text("Not done")
    users.get_by_label("Password", exact=True).fill(PASSWORD)
    users.get_by_role("button", name="Add", exact=True).click()
    expect(users.get_by_label("Role of ben")).to_have_value("trader")

    copies = region(page, "Backups")
    copies.get_by_role("button", name="Back up now").click()
    expect(copies.get_by_role("status")).to_contain_text("Made and checked", timeout=SLOW_MS)
    expect(copies.get_by_role("row")).to_have_count(2)

    # To keep less is asked twice; to keep more is not.
    kept = region(page, "Retention")
    days = kept.get_by_label("Days kept: Events and audit")
    days.fill("30")
    kept.get_by_role("button", name="Apply").click()
    kept.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(days).to_have_value("30")
    days.fill("400")
    kept.get_by_role("button", name="Apply").click()
    expect(kept.get_by_role("status")).to_contain_text("Applied")

    # All of it is in the audit, which is narrowed by words and by kind, in the address.
    audit = region(page, "Audit")
    expect(audit.get_by_role("row", name=re.compile("backup"))).to_be_visible(timeout=SLOW_MS)
    audit.get_by_role("searchbox").fill("retention")
    expect(audit.get_by_role("row")).to_have_count(2)
    audit.get_by_label("Kind of change").select_option("weights")
    expect(page).to_have_url(re.compile("audit=weights"))
    expect(audit.get_by_text("Nothing of what is loaded fits")).to_be_visible()
    assert tab.outside() == []
    assert [one for one in tab.errors if "401" not in one] == []


def test_a_viewer_is_sent_nothing_of_it(come_in) -> None:
    tab = come_in("vera")
    page = tab.page
    expect(page.get_by_text("An admin sees to users, roles and API keys")).to_be_visible()
    for name in ("API keys", "Users", "Last problems"):
        expect(region(page, name)).to_have_count(0)
    expect(page.get_by_role("button", name="Back up now")).to_be_disabled()
    expect(page.get_by_label("Days kept: Sent notices")).to_be_disabled()
    assert tab.errors == []
