import pytest

from app.auth.users import DAY_MS, NewKey
from opportunity.storage import accounts as stored

TOKENS = "/api/tokens"


@pytest.fixture
async def admin(doors):
    """Keyword arguments of a call with an admin's key."""
    text, _ = await doors.services.accounts.people.create_key(NewKey("boss", "admin"), "test")
    return {"headers": {"Authorization": f"Bearer {text}"}}


async def test_a_key_is_shown_once_works_and_is_revoked(doors, admin):
    body = {"name": "notebook", "role": "viewer", "days": 2}
    status, made, headers = await doors.call("POST", TOKENS, json=body, **admin)
    assert status == 201
    assert headers["Cache-Control"] == "no-store"
    key = made["key"]
    assert (key["name"], key["role"], key["made_by"]) == ("notebook", "viewer", "key:boss")
    assert key["expires"] - key["created_at"] == 2 * DAY_MS
    mine = {"headers": {"Authorization": f"Bearer {made['token']}"}}
    _, me, _ = await doors.call("GET", "/api/auth/me", **mine)
    assert (me["name"], me["role"], me["token"]) == ("key:notebook", "viewer", key["id"])
    _, listed, _ = await doors.call("GET", TOKENS, **admin)
    assert [one["name"] for one in listed["tokens"]] == ["boss", "notebook"]
    assert all(one["last_used"] for one in listed["tokens"])
    assert made["token"][-43:] not in str(listed)
    assert (await doors.call("DELETE", f"{TOKENS}/{key['id']}", **admin))[0] == 200
    await doors.refused(401, "GET", "/api/auth/me", **mine)
    problem = await doors.refused(404, "DELETE", f"{TOKENS}/{key['id']}", **admin)
    assert problem["code"] == "unknown_token"


@pytest.mark.parametrize(
    ("body", "days"), [({}, 90), ({"days": None}, None), ({"days": 0.5}, 0.5)]
)
async def test_a_key_lives_90_days_unless_said_otherwise(doors, admin, body, days):
    given = {"name": "n", "role": "viewer"} | body
    _, made, _ = await doors.call("POST", TOKENS, json=given, **admin)
    key = made["key"]
    lives = None if key["expires"] is None else (key["expires"] - key["created_at"]) / DAY_MS
    assert lives == days


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "n"}, {"name": "", "role": "viewer"}, {"name": "a:b", "role": "viewer"},
     {"name": "n", "role": "anybody"}, {"name": "n", "role": "viewer", "days": 0},
     {"name": "n", "role": "viewer", "days": 3_651}, {"name": "n", "role": "viewer", "id": "x"}],
)  # fmt: skip
async def test_rules_of_a_key(doors, admin, body):
    await doors.refused(422, "POST", TOKENS, json=body, **admin)


async def test_an_id_has_a_form(doors, admin):
    await doors.refused(422, "DELETE", f"{TOKENS}/boss", **admin)


async def test_there_is_room_for_so_many(doors, admin, monkeypatch):
    monkeypatch.setattr(stored, "MOST_KEYS", 1)
    body = {"name": "n", "role": "viewer"}
    problem = await doors.refused(409, "POST", TOKENS, json=body, **admin)
    assert problem["code"] == "too_many"


async def test_nobody_else_sees_to_keys(doors):
    text, _ = await doors.services.accounts.people.create_key(NewKey("k", "trader"), "test")
    for headers in ({}, {"Authorization": f"Bearer {text}"}):
        for method, path in (("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/{'0' * 16}")):
            problem = await doors.refused(403, method, path, headers=headers)
            assert problem["code"] == "role"
