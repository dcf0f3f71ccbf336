"""Lines of the audit: what has changed of what, in a form that fits a page."""

from app.components.audit_log import KINDS, MOST_CHARS, audit_state, changes
from app.paper import AUDITED
from opportunity.storage.events import StoredEvent


def test_lines_say_who_changed_what() -> None:
    body = {"what": "scan rules", "by": "anna", "why": "calm", "before": {"a": 1, "b": 2.0},
            "after": {"a": 1, "b": 0.33333}}  # fmt: skip
    state = audit_state([StoredEvent(7, "k", 11, 12, "rules", body)], 7, "rules", True)
    assert (state["next"], state["kind"], state["simulated"]) == (7, "rules", True)
    assert state["rows"] == [{
        "id": 7, "at": 11, "kind": "rules", "what": "scan rules", "by": "anna", "why": "calm",
        "changes": [["b", "2", "0.3333"]],
    }]  # fmt: skip


def test_changes_of_any_form() -> None:
    assert changes(None, None) == []
    assert changes(None, {"id": "x", "list": [1]}) == [["id", "", "x"], ["list", "", "[1]"]]
    assert changes({"name": "x"}, None) == [["name", "x", ""]]
    assert changes(1, 2) == [["", "1", "2"]]
    ((_, _, text),) = changes(None, {"a": "x" * 900})
    assert len(text) == MOST_CHARS + 1


def test_kinds_are_all_that_are_audited() -> None:
    assert set(KINDS) == set(AUDITED)
