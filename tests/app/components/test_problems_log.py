from app.components.problems_log import problems_state
from app.observing.problems import Problems


def test_problems_are_told_newest_first() -> None:
    kept = Problems(lambda: 5)
    kept.add("warning", "bar late", "late_s=3")
    kept.add("error", "not stored")
    state = problems_state(kept.all(), kept.n_seen, 9)
    assert (state["now"], state["seen"]) == (9, 2)
    assert [(r["level"], r["text"], r["n"]) for r in state["rows"]] == [
        ("error", "not stored", 1), ("warning", "bar late", 1)]
