"""Secrets that are planted everywhere and must come out nowhere."""

import logging

import pytest
import structlog
from guarded import cookie_of, guarded

from app.api import resources
from app.api.operations import HTTP_METHODS, operation_of
from app.auth.credentials import SESSION
from app.auth.roles import Role
from app.auth.users import NewKey
from app.pages import PAGES
from opportunity.config import Settings, SettingsError, load_settings

PASSWORD = "CANARY password of a user"
PLANTED = {
    "redis_url": "redis://:CANARY-redis@127.0.0.1:1/0",
    "alerts": "phone=json://CANARY-alert:CANARY-alert@127.0.0.1:1/x",
    "alerts_private": True,
    "news_sources": "desk=http://127.0.0.1:1/feed?key=CANARY-news",
    "oauth_secret": "CANARY-oauth",
    "edge_secret": "CANARY-edge",
}  # fmt: skip


@pytest.fixture
def heard(caplog):
    """Every line that is logged, by structlog and by libraries."""
    lines = []

    def keep(logger, method, event):
        lines.append(repr(event))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.processors.format_exc_info, keep])
    with caplog.at_level(logging.DEBUG):
        yield lambda: "\n".join(lines) + caplog.text
    structlog.reset_defaults()


def secrets_of(site, browser, granted):
    """What nobody but who got it may ever see again."""
    return [
        "CANARY", site.site._doors.secret, granted.access.rpartition(".")[2],
        *(text.split("_", 2)[2] for text in (
            *site.keys.values(), granted.refresh, cookie_of(browser, SESSION),
        )),
    ]  # fmt: skip


async def asked(site, browser, headers):
    """Everything that the server answers, on all of its paths, right and wrong."""
    told = []
    places = [(path, method) for path, handler in resources() for method in HTTP_METHODS
              if operation_of(handler, method) is not None]  # fmt: skip
    for path, method in places:
        for body in (None, b'{"x": "' + b"\\", b'{"unknown": 1}'):
            if method == "get" and body is not None:
                continue
            url = path.replace("{symbol}", "BTC-USDT").replace("{", "").replace("}", "")
            sent = {**headers, "Content-Type": "application/json"}
            if "shutdown" in url:
                continue
            async with browser.request(method, url, data=body, headers=sent) as answer:
                told.append(f"{method} {url} {answer.status} {dict(answer.headers)}")
                told.append(await answer.text())
    return told


async def test_what_is_secret_comes_out_nowhere(tmp_path, heard):
    async with guarded(tmp_path, requests_per_minute=0, **PLANTED) as site, site.browser() as one:
        people, accounts = site.services.accounts.people, site.services.accounts
        await people.add("cora", "admin", PASSWORD, by="test")
        text, _ = await people.create_key(NewKey("canary", "admin"), by="test")
        site.keys["admin"] = text
        granted = await accounts.login("cora", PASSWORD)
        for wrong in ("CANARY wrong password", PASSWORD + "x"):
            await site.log_in(one, "cora", wrong)
        assert (await site.log_in(one, "cora", PASSWORD)).status == 303
        told = await asked(site, one, site.bearer("admin"))
        told += await asked(site, one, {"Authorization": f"Bearer {granted.access}x"})
        for page in PAGES:
            async with one.get(page.PATH) as answer:
                told.append(await answer.text())
        for path in ("/?token=CANARY-url", "/api/health?access_token=CANARY-url"):
            async with one.get(path) as answer:
                told.append(await answer.text())
        found = secrets_of(site, one, granted)
        assert len(told) > 150
    said = heard()
    assert "login refused" in said
    for secret in found:
        assert len(secret) >= 6
        for place in told:
            assert secret not in place, place[:300]
        assert secret not in said


def test_settings_and_their_errors_show_none():
    assert "CANARY" not in repr(Settings(**PLANTED))
    url = "postgresql://me:CANARY-db@127.0.0.1/x"
    assert "CANARY" not in repr(Settings(database_url=url))
    for wrong in (
        {"database_url": "mysql://me:CANARY-db@127.0.0.1/x"}, {"redis_url": ["CANARY"]},
        {"alerts": "CANARY-alert"}, {"oauth_secret": {"a": "CANARY"}},
    ):  # fmt: skip
        with pytest.raises(SettingsError) as refused:
            load_settings(wrong, {})
        assert "CANARY" not in str(refused.value)


def test_a_database_that_does_not_answer_shows_no_password(tmp_path):
    from opportunity.errors import OpportunityError
    from opportunity.storage.database import open_database

    with pytest.raises(OpportunityError) as refused:
        open_database("postgresql://me:CANARY-db@127.0.0.1:1/x", tmp_path)
    assert "CANARY" not in str(refused.value)
    assert Role.ADMIN.label == "admin"
