from app.components.watchlists import watchlists_state
from opportunity.storage.watchlists import Watchlist


def test_lists_tell_what_is_not_watched_now() -> None:
    kept = (Watchlist("mine", ("BTC/USDT", "OLD/USDT"), 1), Watchlist("none", (), 2))
    state = watchlists_state(kept, ("BTC/USDT", "ETH/USDT"))
    assert [one["name"] for one in state["lists"]] == ["mine", "none"]
    assert state["lists"][0]["unwatched"] == ["OLD/USDT"]
    assert state["symbols"] == ["BTC/USDT", "ETH/USDT"]
