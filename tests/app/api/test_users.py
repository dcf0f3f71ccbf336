import pytest
from logins import PASSWORD

from app.auth.users import NewKey
from opportunity.storage import accounts as stored

USERS = "/api/users"
OTHER = "another quiet harbour"


@pytest.fixture
async def admin(doors):
    """Keyword arguments of a call with an admin's key."""
    text, _ = await doors.services.accounts.people.create_key(NewKey("boss", "admin"), "test")
    return {"headers": {"Authorization": f"Bearer {text}"}}


async def test_users_are_listed_without_passwords(doors, admin):
    status, answer, _ = await doors.call("GET", USERS, **admin)
    assert status == 200
    assert [(one["name"], one["role"]) for one in answer["users"]] == [
        ("anna", "admin"), ("tom", "trader"), ("vera", "viewer"),
    ]  # fmt: skip
    assert set(answer["users"][0]) == {
        "name", "role", "has_password", "logins", "created_at", "changed_at",
    }  # fmt: skip
    assert "argon2" not in str(answer)


async def test_a_user_comes_changes_and_goes(doors, admin):
    people = doors.services.accounts.people
    body = {"name": "Ben", "role": "viewer", "password": PASSWORD}
    status, answer, _ = await doors.call("POST", USERS, json=body, **admin)
    assert (status, answer["user"]["name"], answer["user"]["logins"]) == (201, "ben", 0)
    problem = await doors.refused(409, "POST", USERS, json=body, **admin)
    assert problem["code"] == "user_exists"
    granted = await doors.services.accounts.login("ben", PASSWORD)
    _, answer, _ = await doors.call("PUT", f"{USERS}/ben", json={"role": "trader"}, **admin)
    assert (answer["user"]["role"], answer["user"]["logins"]) == ("trader", 1)
    assert doors.services.accounts.verify_bearer(granted.access).role.label == "trader"
    _, answer, _ = await doors.call("PUT", f"{USERS}/Ben", json={"password": OTHER}, **admin)
    assert (answer["user"]["role"], answer["user"]["logins"]) == ("trader", 0)
    assert doors.services.accounts.verify_bearer(granted.access) is None
    assert (await doors.services.accounts.check("ben", OTHER)).name == "ben"
    assert (await doors.call("DELETE", f"{USERS}/ben", **admin))[0] == 200
    assert "ben" not in {one.name for one in people.users()}
    for method in ("PUT", "DELETE"):
        body = {"json": {"role": "viewer"}} if method == "PUT" else {}
        problem = await doors.refused(404, method, f"{USERS}/ben", **body, **admin)
        assert problem["code"] == "unknown_user"


async def test_an_admin_is_left(doors, admin):
    for method, body in (("DELETE", None), ("PUT", {"role": "viewer"})):
        problem = await doors.refused(409, method, f"{USERS}/anna", json=body, **admin)
        assert problem["code"] == "last_admin"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "b b", "role": "viewer", "password": PASSWORD}, "name"),
        ({"name": "api", "role": "viewer", "password": PASSWORD}, "name"),
        ({"name": "ben", "role": "emperor", "password": PASSWORD}, "role"),
        ({"name": "ben", "role": "viewer", "password": "short one"}, "password"),
        ({"name": "ben", "role": "viewer"}, "password"),
        ({"name": "ben", "role": "viewer", "password": PASSWORD, "logins": 3}, "logins"),
    ],
)
async def test_rules_of_a_new_user(doors, admin, body, field):
    problem = await doors.refused(422, "POST", USERS, json=body, **admin)
    assert problem["field"] == field
    assert body.get("password", "?") not in str(problem)


@pytest.mark.parametrize("body", [{}, {"role": None}, {"password": "short"}, {"name": "x"}])
async def test_rules_of_a_change(doors, admin, body):
    await doors.refused(422, "PUT", f"{USERS}/tom", json=body, **admin)


async def test_there_is_room_for_so_many(doors, admin, monkeypatch):
    monkeypatch.setattr(stored, "MOST_ACCOUNTS", 3)
    body = {"name": "ben", "role": "viewer", "password": PASSWORD}
    problem = await doors.refused(409, "POST", USERS, json=body, **admin)
    assert problem["code"] == "too_many"


@pytest.mark.parametrize("role", ["viewer", "trader", None])
async def test_nobody_else_sees_to_users(doors, role):
    headers = {}
    if role:
        text, _ = await doors.services.accounts.people.create_key(NewKey("k", role), "test")
        headers = {"Authorization": f"Bearer {text}"}
    for method, path in (("GET", USERS), ("POST", USERS), ("PUT", f"{USERS}/tom"),
                         ("DELETE", f"{USERS}/tom")):  # fmt: skip
        problem = await doors.refused(403, method, path, headers=headers)
        assert problem["code"] == "role"


async def test_changes_are_in_the_audit_by_their_admin(doors, admin):
    await doors.call("PUT", f"{USERS}/tom", json={"role": "viewer", "password": OTHER}, **admin)
    known = doors.services.accounts._store
    with known._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM event").scalars().all()
    assert '"by": "key:boss"' in rows[-1]
    assert OTHER not in str(rows)
