import pytest
from logins import PASSWORD

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.presets import PRESETS

PATH = "/api/config/weight-presets"
AGGRESSIVE = PRESETS["aggressive"]


async def test_list_starts_with_the_built_in_ones(world):
    status, body, _ = await world.call("GET", PATH)
    assert status == 200
    assert [p["name"] for p in body["presets"][:3]] == list(PRESETS)
    assert body["presets"][0]["weights"] == PRESETS["balanced"]
    assert all(p["protected"] for p in body["presets"])


@pytest.mark.parametrize("named_in", ["query", "body"])
async def test_preset_is_saved_replaced_and_deleted(world, named_in):
    for weights in (AGGRESSIVE, PRESETS["balanced"]):
        asked = (
            {"params": {"name": "my idea"}, "json": weights}
            if named_in == "query"
            else {"json": {"name": "my idea", "weights": weights}}
        )
        status, body, _ = await world.call("POST", PATH, **asked)
        assert (status, body["status"]) == (200, "success")
        assert body["preset"] == {"name": "my idea", "weights": weights, "protected": False}
        assert "my idea" in body["message"]
    status, body, _ = await world.call("DELETE", PATH + "/my%20idea")
    assert (status, body["status"]) == (200, "success")
    await world.refused(404, "DELETE", PATH + "/my%20idea")


async def test_presets_are_changed_in_the_name_of_the_caller(doors):
    for name, method in (("tom", "POST"), ("anna", "DELETE")):
        granted = await doors.services.accounts.login(name, PASSWORD)
        asked = {"params": {"name": "mine"}, "json": AGGRESSIVE} if method == "POST" else {}
        asked["headers"] = {"Authorization": f"Bearer {granted.access}"}
        path = PATH if method == "POST" else f"{PATH}/mine"
        status, *_ = await doors.call(method, path, **asked)
        assert (status, doors.services.preset_by) == (200, name)


@pytest.mark.parametrize("name", list(PRESETS))
async def test_built_in_preset_stays(world, name):
    problem = await world.refused(400, "DELETE", f"{PATH}/{name}")
    assert problem["code"] == "protected_preset"
    asked = {"params": {"name": name}, "json": AGGRESSIVE}
    await world.refused(400, "POST", PATH, **asked)


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "a/b", "..", ". .", "=HYPERLINK(1)", "a\nb", "<b>", "\u202egnp.exe"]
)
async def test_hostile_name_is_refused(world, name):
    asked = {"params": {"name": name}, "json": AGGRESSIVE}
    problem = await world.refused(422, "POST", PATH, **asked)
    assert problem["field"] == "name"


async def test_name_is_normalized(world):
    decomposed = "cafe\u0301"
    asked = {"params": {"name": decomposed}, "json": AGGRESSIVE}
    _, body, _ = await world.call("POST", PATH, **asked)
    assert body["preset"]["name"] == "caf\u00e9"


async def test_bad_weights_are_refused(world):
    runbook = AGGRESSIVE | {"smc": 0.3}
    asked = {"params": {"name": "x"}, "json": runbook}
    problem = await world.refused(400, "POST", PATH, **asked)
    assert problem["normalized"]
    status, _, _ = await world.call(
        "POST", PATH, params={"name": "x", "normalize": "true"}, json=runbook
    )
    assert status == 200
    broken = dict.fromkeys(DETECTOR_NAMES, 2.0)
    await world.refused(422, "POST", PATH, params={"name": "x"}, json=broken)
    await world.refused(422, "POST", PATH, json=AGGRESSIVE)


async def test_a_write_that_starts_from_older_presets_is_refused(world):
    mine = {"weights": AGGRESSIVE}
    _, _, headers = await world.call("GET", PATH)
    old = headers["ETag"]
    status, _, _ = await world.call("GET", PATH, headers={"If-None-Match": old})
    assert status == 304
    status, _, headers = await world.call(
        "POST", PATH, json=mine | {"name": "mine"}, headers={"If-Match": old}
    )
    assert (status, headers["ETag"] != old) == (200, True)
    for method, address, more in (
        ("POST", PATH, {"json": mine | {"name": "other"}}), ("DELETE", f"{PATH}/mine", {}),
    ):
        problem = await world.refused(412, method, address, headers={"If-Match": old}, **more)
        assert problem["code"] == "stale"
    new = {"If-Match": headers["ETag"]}
    status, _, headers = await world.call("DELETE", f"{PATH}/mine", headers=new)
    assert (status, headers["ETag"]) == (200, old)
