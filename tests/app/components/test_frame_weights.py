from app.components.frame_weights import frames_state
from opportunity.scoring.consensus import TIMEFRAME_WEIGHTS


def test_weights_that_were_not_changed_are_the_usual_ones() -> None:
    state = frames_state(("1h", "4h"), {"4h": 0.9, "1d": 0.1})
    assert state["frames"] == [
        {"frame": "1h", "weight": TIMEFRAME_WEIGHTS["1h"], "usual": TIMEFRAME_WEIGHTS["1h"]},
        {"frame": "4h", "weight": 0.9, "usual": TIMEFRAME_WEIGHTS["4h"]},
    ]
    assert state["changed"] == {"4h": 0.9, "1d": 0.1}
