"""Users and keys: what an admin does, and that nobody else does it."""

import logins
import orjson
import pytest

from app.auth.roles import Caller, Role
from app.pages.head import Head
from app.pages.system_people import People


class Seat:
    """An open page of somebody with a login."""

    def __init__(self, services, doc, who: Caller) -> None:
        self.head = Head(services, doc, "dark")
        self.head.who = who
        self.people = People(services, self.head)
        self.sent: list = []
        for part in (self.people.keys, self.people.users):
            part._send_msg = self.sent.append

    async def ask(self, turn, what: str, **detail) -> dict:
        part = self.people.keys if what.endswith("key") else self.people.users
        part._handle_msg({"what": what, "n": 1, **detail})
        while not self.sent:
            await turn(self.head.doc)
        await turn(self.head.doc)
        return self.sent.pop()


@pytest.fixture
async def services(services, tmp_path):
    (tmp_path / "logins").mkdir()
    own, services.accounts = services.accounts, logins.accounts_at(tmp_path / "logins")
    await services.accounts.people.add("anna", "admin", logins.PASSWORD, "start")
    await services.accounts.people.add("ben", "trader", logins.PASSWORD, "start")
    yield services
    await services.accounts.close()
    services.accounts = own


async def seat(services, doc, name: str) -> Seat:
    cookie = await services.accounts.open_session(name)
    who = services.accounts.verify_session(cookie)
    assert who is not None
    return Seat(services, doc, who)


async def test_a_key_is_told_once_works_and_is_revoked(services, doc, turn) -> None:
    one = await seat(services, doc, "anna")
    answer = await one.ask(turn, "make_key", name="notebook", role="viewer", days=3)
    token = answer["found"]["token"]
    assert services.accounts.verify_bearer(token).role is Role.VIEWER
    state = one.people.keys.state
    assert token not in state
    (key,) = orjson.loads(state)["keys"]
    assert (key["name"], key["made_by"]) == ("notebook", "anna")
    await one.ask(turn, "revoke_key", id=key["id"])
    assert services.accounts.verify_bearer(token) is None
    assert orjson.loads(one.people.keys.state)["keys"] == []


async def test_users_are_added_changed_and_removed(services, doc, turn) -> None:
    one = await seat(services, doc, "anna")
    await one.ask(turn, "add_user", name="cleo", role="viewer", password=logins.PASSWORD)
    await one.ask(turn, "change_user", name="cleo", role="trader")
    users = {u["name"]: u for u in orjson.loads(one.people.users.state)["users"]}
    assert users["cleo"]["role"] == "trader"
    assert orjson.loads(one.people.users.state)["me"] == "anna"
    await one.ask(turn, "remove_user", name="cleo")
    assert "cleo" not in one.people.users.state
    assert "admin" in (await one.ask(turn, "remove_user", name="anna"))["error"]
    short = await one.ask(turn, "change_user", name="ben", password="short")
    assert "password" in short["error"]


async def test_a_trader_is_refused_and_sees_nothing(services, doc, turn) -> None:
    one = await seat(services, doc, "ben")
    for what in ("make_key", "add_user", "remove_user"):
        answer = await one.ask(turn, what, name="x", role="viewer")
        assert answer["error"] == "role must be admin, was trader"
    one.people.draw()
    assert one.people.users.state == one.people.keys.state == "{}"


async def test_an_admin_who_is_one_no_more_loses_sight(services, doc, turn) -> None:
    one = await seat(services, doc, "anna")
    one.people.draw()
    assert "ben" in one.people.users.state
    await services.accounts.people.change("ben", "admin", None, "anna")
    await services.accounts.people.change("anna", "viewer", None, "ben")
    one.people.draw()
    assert one.people.users.state == "{}"
    assert (await one.ask(turn, "make_key", name="x", role="viewer"))["error"]


@pytest.mark.parametrize("what", ["nonsense", "make_key"])
async def test_nonsense_is_refused(services, doc, turn, what) -> None:
    one = await seat(services, doc, "anna")
    answer = await one.ask(turn, what, name=["x"])
    assert answer["error"]
