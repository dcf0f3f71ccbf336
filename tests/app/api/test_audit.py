import accounts

from app.paper import AUDITED
from opportunity.storage.events import StoredEvent


async def test_audit_newest_first_by_pages(world):
    paper = world.services.paper = accounts.FakePaper()
    body = {"by": "api", "why": "calmer", "before": {"a": 1}, "after": {"a": 2}, "what": "risk"}
    paper.events = tuple(StoredEvent(n, f"k{n}", 10, 5, "limits", body) for n in (9, 8))
    status, told, _ = await world.call("GET", "/api/audit?kind=limits&limit=2&after=10")
    assert (status, told["next"]) == (200, 8)
    assert paper.asked == [("limits", 2, 10)]
    assert told["entries"][0] == body | {
        "id": 9, "at": 10, "time": 5, "kind": "limits", "more": {},
    }
    _, told, _ = await world.call("GET", "/api/audit?limit=3")
    assert told["next"] is None
    for kind in AUDITED:  # whatever is written down can be asked for
        status, *_ = await world.call("GET", f"/api/audit?kind={kind}")
        assert status == 200
    for bad in ("kind=fill", "limit=0", "after=-1"):
        await world.refused(422, "GET", f"/api/audit?{bad}")
