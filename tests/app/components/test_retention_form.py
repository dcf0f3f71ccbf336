from app.components.retention_form import retention_state
from opportunity.config_lists import RETENTION_DAYS
from opportunity.storage.extents import Extent


def test_each_table_says_its_days_and_what_it_holds() -> None:
    days = dict(RETENTION_DAYS) | {"event": 30}
    state = retention_state(days, 2, [Extent("event", 12, 7, False)], 9)
    assert [one["name"] for one in state["tables"]] == list(RETENTION_DAYS)
    assert state["tables"][0] == {
        "name": "event", "days": 30, "usual": 365, "rows": 12, "oldest": 7}
    assert state["tables"][1]["rows"] is None  # not counted is not 0
    assert (state["version"], state["counted"]) == (2, True)
