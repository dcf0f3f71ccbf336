from drawn import drawn

from app.components.island import dumps
from app.components.watchlists import Watchlists, watchlists_state
from opportunity.storage.watchlists import Watchlist


def test_lists_tell_what_is_not_watched_now() -> None:
    kept = (Watchlist("mine", ("BTC/USDT", "OLD/USDT"), 1), Watchlist("none", (), 2))
    state = watchlists_state(kept, ("BTC/USDT", "ETH/USDT"))
    assert [one["name"] for one in state["lists"]] == ["mine", "none"]
    assert state["lists"][0]["unwatched"] == ["OLD/USDT"]
    assert state["symbols"] == ["BTC/USDT", "ETH/USDT"]


def test_what_is_sent_is_the_change_alone() -> None:
    kept = (Watchlist("mine", ("BTC/USDT", "ETH/USDT"), 1),)
    sent = drawn(Watchlists, """
        const off = (symbol) => root.querySelector(`[aria-label=Take ${symbol} off]`).click();
        off("BTC/USDT");  // the second press comes before the first is answered
        off("ETH/USDT");
        ask("watch", { symbols: ["SOL/USDT"] });
        root.querySelector("[role=radio]").click();
        return model.said.filter((one) => one.what === "change")
          .map(({ n, what, ...rest }) => rest);
        """, state=dumps(watchlists_state(kept, ("SOL/USDT",))))
    assert sent == [
        {"name": "mine", "remove": ["BTC/USDT"]}, {"name": "mine", "remove": ["ETH/USDT"]},
        {"name": "mine", "add": ["SOL/USDT"]},
    ]


def test_focus_stays_in_the_dialog_when_its_symbol_goes() -> None:
    states = [
        dumps(watchlists_state((Watchlist("mine", symbols, 1),), ()))
        for symbols in (("BTC/USDT", "ETH/USDT"), ("BTC/USDT",), ())
    ]
    seen = drawn(Watchlists, f"""
        const [first, second, third] = {dumps(states)}, seen = [];
        const told = () => seen.push(document.activeElement.getAttribute("aria-label"));
        model.set({{ state: first }});
        root.querySelector("[aria-label=Take ETH/USDT off]").focus();
        model.set({{ state: second }}); told();
        model.set({{ state: third }}); told();
        root.querySelector("[role=radio]").focus();
        model.set({{ state: first }});
        seen.push(document.activeElement.getAttribute("role"));
        return seen;""")
    assert seen == ["Take BTC/USDT off", "Symbol to add", "radio"]
