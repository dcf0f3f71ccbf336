from app.components.scan_bar import Progress, ScanBar, scan_state


def test_state_tells_the_time_and_the_progress() -> None:
    assert scan_state(None, ("1h",)) == {
        "time": None, "frames": ["1h"], "kind": "", "running": None,
    }
    state = scan_state(5, ("1h", "1d"), Progress("Deep", 3, 8), "Deep")
    assert state["running"] == {"kind": "Deep", "done": 3, "total": 8}
    assert (state["time"], state["kind"]) == (5, "Deep")


def test_presses_are_asked_of_the_server() -> None:
    heard = []
    bar = ScanBar(on_ask=lambda asked: heard.append(asked["what"]))
    for what in ("quick", "deep", "stop", "live"):
        bar._handle_msg({"what": what, "n": 1})
    assert heard == ["quick", "deep", "stop", "live"]
