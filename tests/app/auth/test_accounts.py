"""Who is let in, as whom, until when; and that nobody is once it has ended."""

import asyncio
from dataclasses import replace
from unittest.mock import AsyncMock, Mock

import jwt
import pytest
from logins import PASSWORD, START, accounts_at, cheap
from served import settings_of

from app.auth import keys
from app.auth.accounts import FIRST_ADMIN, IDLE_MS, Accounts
from app.auth.refusals import BusyError, LoginRefusedError
from app.auth.roles import LOCAL, Caller, Role
from app.auth.tickets import LINK_MS, TICKET_MS
from app.auth.tokens import LEEWAY_S, Keyring
from app.auth.users import NewKey
from opportunity.errors import DatabaseError
from opportunity.market.wall import wall_ms
from opportunity.storage.accounts import AccountRepository
from opportunity.storage.database import open_database

ACCESS, REFRESH, SESSION = 15 * 60_000, 30 * 86_400_000, 12 * 3_600_000
LEEWAY = LEEWAY_S * 1_000


@pytest.fixture
async def anna(accounts):
    """Accounts that know anna."""
    await accounts.people.add("anna", "trader", PASSWORD, "test")
    return accounts


async def key_of(accounts, role="viewer", days=None):
    return await accounts.people.create_key(NewKey("notebook", role, days), "test")


# -- bearers ------------------------------------------------------------------------------------


async def test_an_access_token_is_its_user_until_it_expires(anna):
    granted = await anna.login("Anna ", PASSWORD)
    ends = START + ACCESS + LEEWAY
    caller = anna.verify_bearer(granted.access, START)
    assert caller is not None
    assert (caller.name, caller.role, caller.how) == ("anna", Role.TRADER, "bearer")
    assert caller.expires == ends
    assert caller.token
    assert granted.expires_in == ACCESS // 1_000
    assert anna.verify_bearer(granted.access, ends - 1) == caller
    assert anna.verify_bearer(granted.access, ends) is None


async def test_an_api_key_is_itself_until_it_expires(accounts):
    text, key = await key_of(accounts, "admin", days=1)
    caller = Caller("key:notebook", Role.ADMIN, "bearer", START + 86_400_000, key.id)
    assert accounts.verify_bearer(text, START) == caller
    assert accounts.verify_bearer(text, START + 86_399_999) == caller
    assert accounts.verify_bearer(text, START + 86_400_000) is None
    assert accounts.user_of(caller) is None


async def test_what_looks_like_a_token_is_none(anna):
    text, _ = await key_of(anna)
    granted = await anna.login("anna", PASSWORD)
    cookie = await anna.open_session("anna")
    wrong = [
        "", "x", text[:-1], text + "a", text[:-1] + ("a" if text[-1] != "a" else "b"),
        "opp_" + "0" * 16 + text[20:], granted.refresh, cookie, PASSWORD, "a.b.c",
        text.replace("opp_", "opr_"),
    ]  # fmt: skip
    assert [one for one in wrong if anna.verify_bearer(one)] == []
    others = [
        text, granted.access, granted.refresh, cookie[:-1], cookie.replace("ops_", "opr_"),
        granted.refresh.replace("opr_", "ops_"), cookie[:-1] + ("a" if cookie[-1] != "a" else "b"),
    ]  # fmt: skip
    assert [one for one in others if anna.verify_session(one)] == []
    with pytest.raises(LoginRefusedError):
        await anna.refresh(cookie.replace("ops_", "opr_"))


async def test_a_token_of_another_server_is_none(anna, tmp_path, clock):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = accounts_at(elsewhere, clock)
    await other.people.add("anna", "admin", PASSWORD, "test")
    granted = await other.login("anna", PASSWORD)
    assert other.verify_bearer(granted.access) is not None
    assert anna.verify_bearer(granted.access) is None


async def test_a_signed_token_needs_its_login(anna):
    """Whoever has the key alone cannot make up logins."""
    granted = await anna.login("anna", PASSWORD)
    claims = jwt.decode(granted.access, options={"verify_signature": False})
    kid, key = anna._keyring._keys.newest
    cookie = await anna.open_session("anna")
    for wrong in ({"sid": "0" * 16}, {"sub": "ben"}, {"sid": cookie.split("_")[1]}):
        forged = jwt.encode({**claims, **wrong}, key, "HS256", {"kid": kid})
        assert anna.verify_bearer(forged) is None


async def test_roles_are_those_of_now(anna):
    granted = await anna.login("anna", PASSWORD)
    await anna.people.add("ben", "admin", PASSWORD, "test")
    await anna.people.change("anna", "viewer", None, "ben")
    assert anna.verify_bearer(granted.access).role is Role.VIEWER


# -- logins and renewals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "password"),
    [("anna", PASSWORD + "!"), ("anna", ""), ("ben", PASSWORD), ("", ""), ("ghost", "")],
)
async def test_wrong_names_and_passwords_are_refused_alike(anna, name, password):
    await anna.people.add("ghost", "viewer", None, "test")  # has no password
    with pytest.raises(LoginRefusedError, match="name or password must be right, was not"):
        await anna.login(name, password)
    assert anna.refused == 1


async def test_a_password_that_was_changed_meanwhile_is_not_good_any_more(anna, monkeypatch):
    real = anna._passwords.verify

    async def slow(kept, password):
        right = await real(kept, password)
        await anna.people.change("anna", None, "another quiet harbour", "test")
        return right

    monkeypatch.setattr(anna._passwords, "verify", slow)
    with pytest.raises(LoginRefusedError):
        await anna.check("anna", PASSWORD)


async def test_tokens_are_renewed_in_turn(anna, clock):
    granted = await anna.login("anna", PASSWORD)
    for _ in range(3):
        clock.now += ACCESS
        fresh = await anna.refresh(granted.refresh)
        assert fresh.refresh != granted.refresh
        assert anna.verify_bearer(fresh.access).name == "anna"
        granted = fresh


async def test_a_refresh_token_that_comes_twice_ends_the_login(anna):
    told = []
    anna.on_revoked(told.append)
    first = await anna.login("anna", PASSWORD)
    other = await anna.login("anna", PASSWORD)
    second = await anna.refresh(first.refresh)
    caller = anna.verify_bearer(second.access)
    with pytest.raises(LoginRefusedError):
        await anna.refresh(first.refresh)  # in whosever hands it is
    assert told == [caller.token]
    assert anna.verify_bearer(first.access) is None
    assert anna.verify_bearer(second.access) is None
    with pytest.raises(LoginRefusedError):
        await anna.refresh(second.refresh)
    assert anna.verify_bearer(other.access) is not None  # another login of the same user


async def test_a_token_that_never_was_good_ends_no_login(anna):
    told = []
    anna.on_revoked(told.append)
    granted = await anna.login("anna", PASSWORD)
    login = anna.verify_bearer(granted.access).token  # as the claim `sid` shows it
    for family in (login, login * 2):
        with pytest.raises(LoginRefusedError):
            await anna.refresh(f"opr_{family}_{'a' * 43}")
    assert told == []
    assert (await anna.refresh(granted.refresh)).user.name == "anna"


@pytest.mark.parametrize("kind", ["access", "cookie", "key", "nothing"])
async def test_other_tokens_renew_nothing(anna, kind):
    granted = await anna.login("anna", PASSWORD)
    texts = {
        "access": granted.access, "cookie": await anna.open_session("anna"),
        "key": (await key_of(anna))[0], "nothing": "",
    }  # fmt: skip
    with pytest.raises(LoginRefusedError):
        await anna.refresh(texts[kind])
    assert anna.verify_bearer(granted.access) is not None


async def test_a_login_ends_for_good_after_its_days(anna, clock):
    granted = await anna.login("anna", PASSWORD)
    clock.now = START + REFRESH - 60_000
    fresh = await anna.refresh(granted.refresh)
    assert fresh.expires_in == 60
    clock.now = START + REFRESH
    assert anna.verify_bearer(fresh.access) is None
    with pytest.raises(LoginRefusedError):
        await anna.refresh(fresh.refresh)


async def test_logging_out_ends_the_login_at_once(anna):
    told = []
    anna.on_revoked(told.append)
    granted = await anna.login("anna", PASSWORD)
    caller = anna.verify_bearer(granted.access)
    assert await anna.logout(caller)
    assert told == [caller.token]
    assert anna.verify_bearer(granted.access) is None
    with pytest.raises(LoginRefusedError):
        await anna.refresh(granted.refresh)
    assert not await anna.logout(caller)
    assert not await anna.logout(LOCAL)


# -- sessions of the page -------------------------------------------------------------------------


async def test_a_session_is_its_user(anna):
    cookie = await anna.open_session("anna")
    caller = anna.verify_session(cookie)
    assert (caller.name, caller.role, caller.how) == ("anna", Role.TRADER, "cookie")
    assert caller.expires == START + SESSION
    with pytest.raises(KeyError):
        await anna.open_session("ben")


async def test_a_session_ends_unused_and_anyhow(anna, clock):
    cookie, unused = await anna.open_session("anna"), await anna.open_session("anna")
    for _ in range(SESSION // IDLE_MS - 1):
        clock.now += IDLE_MS
        assert anna.verify_session(cookie) is not None
    assert anna.verify_session(unused) is None
    clock.now = START + SESSION - 1
    assert anna.verify_session(cookie) is not None
    clock.now = START + SESSION
    assert anna.verify_session(cookie) is None


async def test_an_open_page_is_not_idle(anna, clock):
    cookie = await anna.open_session("anna")
    caller = anna.verify_session(cookie)
    clock.now += IDLE_MS
    anna.seen(caller)
    clock.now += IDLE_MS
    assert anna.verify_session(cookie) is not None


async def test_a_new_session_takes_the_place_of_the_old_one(anna):
    old = await anna.open_session("anna")
    new = await anna.open_session("anna", old)
    assert anna.verify_session(old) is None
    assert anna.verify_session(new) is not None
    other = await anna.open_session("anna", "nonsense")
    await anna.end_session(new[:-1] + ("a" if new[-1] != "a" else "b"))  # its id is no secret
    assert anna.verify_session(new) is not None
    await anna.end_session(new)
    assert anna.verify_session(new) is None
    assert anna.verify_session(other) is not None


# -- tickets and what becomes of a caller --------------------------------------------------------


async def test_a_ticket_is_its_caller_once(anna, clock):
    granted = await anna.login("anna", PASSWORD)
    caller = anna.verify_bearer(granted.access)
    ticket = anna.ticket(caller)
    assert anna.redeem("x") is None
    assert anna.redeem(ticket) == replace(caller, how="ticket")
    assert anna.redeem(ticket) is None
    late = anna.ticket(caller)
    clock.now += TICKET_MS
    assert anna.redeem(late) is None
    assert anna.redeem(anna.ticket(LOCAL)) == replace(LOCAL, how="ticket")


async def test_a_ticket_of_who_has_logged_out_is_none(anna):
    granted = await anna.login("anna", PASSWORD)
    caller = anna.verify_bearer(granted.access)
    ticket = anna.ticket(caller)
    await anna.logout(caller)
    assert anna.redeem(ticket) is None


async def test_what_a_caller_is_now(anna, clock):
    assert anna.still(LOCAL) is LOCAL
    text, key = await key_of(anna, "viewer", days=1)
    by_key = anna.verify_bearer(text)
    granted = await anna.login("anna", PASSWORD)
    user = anna.verify_bearer(granted.access)
    assert anna.still(by_key) == by_key
    assert anna.still(user) == user
    await anna.people.change("anna", "viewer", None, "x")
    assert anna.still(user) == replace(user, role=Role.VIEWER)
    await anna.people.revoke_key(key.id, "x")
    assert anna.still(by_key) is None
    clock.now = user.expires
    assert anna.still(user) is None


# -- passwords ------------------------------------------------------------------------------------


async def test_a_new_password_needs_the_current_one_and_keeps_this_login(anna):
    mine = await anna.login("anna", PASSWORD)
    other = await anna.login("anna", PASSWORD)
    caller = anna.verify_bearer(mine.access)
    for current in ("", "wrong one altogether"):
        with pytest.raises(LoginRefusedError):
            await anna.set_password(caller, current, "another quiet harbour")
    with pytest.raises(ValueError, match="password must have"):
        await anna.set_password(caller, PASSWORD, "short")
    await anna.set_password(caller, PASSWORD, "another quiet harbour")
    assert anna.verify_bearer(mine.access) is not None
    assert anna.verify_bearer(other.access) is None
    assert (await anna.check("anna", "another quiet harbour")).name == "anna"
    with pytest.raises(LoginRefusedError):
        await anna.check("anna", PASSWORD)


@pytest.mark.parametrize("kind", ["session", "refresh"])
async def test_a_password_that_is_changed_meanwhile_begins_no_login(anna, monkeypatch, kind):
    checked = await anna.check("anna", PASSWORD)
    await anna.people.change("anna", None, "another quiet harbour", "admin")
    monkeypatch.setattr(anna, "check", AsyncMock(return_value=checked))
    begin = {
        "session": lambda: anna.open_session("anna", "", checked.password),
        "refresh": lambda: anna.login("anna", PASSWORD),
    }
    with pytest.raises(LoginRefusedError):
        await begin[kind]()
    assert not anna.people.logins()


async def test_a_password_that_an_admin_sets_meanwhile_is_not_written_over(anna, monkeypatch):
    granted = await anna.login("anna", PASSWORD)
    caller, checked = anna.verify_bearer(granted.access), await anna.check("anna", PASSWORD)
    monkeypatch.setattr(anna, "user_of", lambda caller: checked)
    monkeypatch.setattr(anna, "check", AsyncMock(return_value=checked))
    await anna.people.change("anna", None, "another quiet harbour", "admin")
    with pytest.raises(LoginRefusedError):
        await anna.set_password(caller, PASSWORD, "of whoever had the old one")
    monkeypatch.undo()
    assert (await anna.check("anna", "another quiet harbour")).name == "anna"


async def test_a_refresh_token_that_nobody_has_costs_no_transaction(anna, monkeypatch):
    asked = Mock()
    monkeypatch.setattr(anna._store, "rotate", asked)
    with pytest.raises(LoginRefusedError):
        await anna.refresh(keys.make("opr").text)
    assert not asked.called


async def test_keys_and_this_machine_have_no_password(anna):
    text, _ = await key_of(anna, "admin")
    for caller in (anna.verify_bearer(text), LOCAL):
        with pytest.raises(LoginRefusedError):
            await anna.set_password(caller, PASSWORD, "another quiet harbour")


# -- the first start ------------------------------------------------------------------------------


async def test_the_first_link_makes_an_admin_with_a_password(accounts):
    assert accounts.empty
    link = accounts.first_link()
    with pytest.raises(LoginRefusedError):
        await accounts.redeem_link(link + "x", PASSWORD)
    cookie = await accounts.redeem_link(link, PASSWORD)
    caller = accounts.verify_session(cookie)
    assert (caller.name, caller.role) == (FIRST_ADMIN, Role.ADMIN)
    with pytest.raises(LoginRefusedError):
        await accounts.redeem_link(link, "another quiet harbour")
    assert not accounts.empty
    assert accounts.first_link() is None
    assert (await accounts.login(FIRST_ADMIN, PASSWORD)).user.role == "admin"


async def test_the_link_is_worth_nothing_later_or_once_somebody_can_log_in(accounts, clock):
    link = accounts.first_link()
    clock.now += LINK_MS
    with pytest.raises(LoginRefusedError):
        await accounts.redeem_link(link, PASSWORD)
    link = accounts.first_link()
    await accounts.people.add("anna", "viewer", PASSWORD, "command")
    with pytest.raises(LoginRefusedError):
        await accounts.redeem_link(link, PASSWORD)


@pytest.mark.parametrize("error", [BusyError("x"), DatabaseError("x")])
async def test_a_link_is_not_used_up_by_what_goes_wrong(accounts, monkeypatch, error):
    link = accounts.first_link()
    with monkeypatch.context() as broken:
        if isinstance(error, BusyError):
            broken.setattr(accounts._passwords, "hashed", Mock(side_effect=error))
        else:
            broken.setattr(accounts._store, "add", Mock(side_effect=error))
        with pytest.raises(type(error)):
            await accounts.redeem_link(link, PASSWORD)
    with pytest.raises(ValueError, match="password must have"):
        await accounts.redeem_link(link, "short")
    assert accounts.verify_session(await accounts.redeem_link(link, PASSWORD)) is not None


async def test_of_two_who_have_the_link_one_sets_the_password(accounts):
    link, words = accounts.first_link(), (PASSWORD, "another quiet harbour")
    done = await asyncio.gather(
        *(accounts.redeem_link(link, one) for one in words), return_exceptions=True
    )
    assert {type(one) for one in done} == {str, LoginRefusedError}
    right = words[0 if isinstance(done[0], str) else 1]
    assert (await accounts.check(FIRST_ADMIN, right)).role == "admin"


# -- what is left behind --------------------------------------------------------------------------


async def test_everything_is_there_after_a_restart(anna, tmp_path, clock):
    granted, cookie = await anna.login("anna", PASSWORD), await anna.open_session("anna")
    text, _ = await key_of(anna)
    await anna.close()
    again = accounts_at(tmp_path, clock)
    assert again.verify_bearer(granted.access).name == "anna"
    assert again.verify_bearer(text).name == "key:notebook"
    assert again.verify_session(cookie).name == "anna"
    assert (await again.refresh(granted.refresh)).user.name == "anna"


async def test_no_secret_is_in_the_database_or_in_a_repr(anna, tmp_path):
    granted, cookie = await anna.login("anna", PASSWORD), await anna.open_session("anna")
    text, _ = await key_of(anna)
    secrets = [
        PASSWORD, granted.access, text, text[21:], cookie[21:], granted.refresh[4:36],
        granted.refresh[37:],
    ]  # fmt: skip
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir() if "sqlite" in p.name)
    shown = repr(granted) + repr(anna.people.keys()) + repr(anna.verify_bearer(text))
    assert [one for one in secrets if one.encode() in kept or one in shown] == []


async def test_those_of_a_server_are_as_its_settings_say(tmp_path):
    settings = settings_of(tmp_path, access_minutes=2, session_hours=0.5)
    engine = open_database(settings.database)
    made = Accounts.of(settings, AccountRepository(engine, wall_ms))
    made._passwords = cheap()
    await made.people.add("anna", "viewer", None, "x")
    now = wall_ms()
    ends = made.verify_session(await made.open_session("anna")).expires - now
    assert 1_800_000 <= ends < 1_810_000
    assert Keyring(settings.home).read("x", 0) is None  # the file is in the data folder
    await made.close()
    engine.dispose()
