import pytest
from logins import PASSWORD, START

from app.auth.users import NewKey
from opportunity.errors import ConflictError
from opportunity.storage.accounts import LastAdminError


async def test_users_are_added_changed_and_removed(accounts):
    people = accounts.people
    await people.add("Anna", "admin", PASSWORD, "x")
    await people.add("ben", "viewer", None, "x")
    assert [(one.name, one.role, bool(one.password)) for one in people.users()] == [
        ("anna", "admin", True), ("ben", "viewer", False)
    ]  # fmt: skip
    changed = await people.change("ben", "trader", "another quiet harbour", "x")
    assert (changed.role, bool(changed.password)) == ("trader", True)
    assert (await accounts.check("ben", "another quiet harbour")).name == "ben"
    await people.remove("ben", "x")
    assert [one.name for one in people.users()] == ["anna"]


async def test_rules_hold(accounts):
    people = accounts.people
    with pytest.raises(ValueError, match="password must have"):
        await people.add("anna", "admin", "short", "x")
    with pytest.raises(ValueError, match="must not be the user's name"):
        await people.add("Anna.Of.The.Harbour", "admin", "anna.of.the.harbour", "x")
    with pytest.raises(ValueError, match="name must"):
        await people.add("an na", "admin", PASSWORD, "x")
    assert people.users() == ()
    await people.add("anna", "admin", PASSWORD, "x")
    with pytest.raises(ConflictError):
        await people.add("anna", "viewer", PASSWORD, "x")
    with pytest.raises(LastAdminError):
        await people.change("anna", "viewer", None, "x")
    with pytest.raises(LastAdminError):
        await people.remove("anna", "x")
    with pytest.raises(KeyError):
        await people.remove("ana", "x")


async def test_another_password_ends_all_logins(accounts):
    await accounts.people.add("anna", "admin", PASSWORD, "x")
    granted = await accounts.login("anna", PASSWORD)
    cookie = await accounts.open_session("anna")
    assert accounts.people.logins()["anna"] == 2
    await accounts.people.change("anna", None, "another quiet harbour", "x")
    assert accounts.people.logins()["anna"] == 0
    assert accounts.verify_bearer(granted.access) is None
    assert accounts.verify_session(cookie) is None


async def test_keys_are_listed_with_their_use(accounts, clock):
    text, key = await accounts.people.create_key(NewKey("notebook", "trader", 1), "anna")
    assert accounts.people.keys() == (key,)
    assert key.last_used is None
    clock.now += 5
    accounts.verify_bearer(text)
    (seen,) = accounts.people.keys()
    assert seen.last_used == START + 5
    await accounts.people.revoke_key(key.id, "anna")
    assert accounts.people.keys() == ()
    with pytest.raises(KeyError):
        await accounts.people.revoke_key(key.id, "anna")
