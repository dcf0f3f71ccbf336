import pytest
from alerting import BREAKER, DAY, HOUR, POSITION, SIGNAL, TIME, TRADE, account, happened
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.judge import EVENTS, Judge
from app.alerts.rules import KINDS, AlertRules
from opportunity.feeds.status import FeedStatus
from opportunity.storage.events import KINDS as EVENT_KINDS

NOW = TIME + DAY


def judge(source="simulated", **rules) -> Judge:
    made = AlertRules(**rules)
    return Judge(lambda: made, source, "simulated-7")


def test_events_map_to_alerts_that_exist():
    assert set(EVENTS) <= set(EVENT_KINDS)
    assert {kind for kind, _ in EVENTS.values()} <= set(KINDS)
    assert all(isinstance(getattr(AlertRules(), switch), bool) for _, switch in EVENTS.values())


def test_breakers_are_told_with_the_stamp():
    note = judge().event(happened("breaker", **BREAKER))
    assert (note.key, note.kind) == ("event:k1", "breaker")
    assert note.title == "[simulated] Breaker daily loss open, was closed"
    assert judge("binance").event(happened("breaker", **BREAKER)).title.startswith("Breaker")
    assert judge(risk_alerts=False).event(happened("breaker", **BREAKER)) is None


def test_trades_only_when_asked_for_and_only_ours():
    assert judge().event(happened("trade", **TRADE)) is None
    assert judge(trade_alerts=True).event(happened("trade", **TRADE)).kind == "trade"
    other = happened("trade", **(TRADE | {"book": "shadow:x"}))
    assert judge(trade_alerts=True).event(other) is None
    assert judge().event(happened("hand")) is None


def test_a_signal_is_told_on_a_change_only():
    one = judge(signal_pause_s=60)
    assert one.signal("BTC/USDT", SIGNAL, NOW).key == f"signal:BTC/USDT:BULLISH:{TIME}"
    assert one.signal("BTC/USDT", SIGNAL, NOW + DAY) is None
    bear = SIGNAL | {"direction": "BEARISH", "score": 0.2}
    assert one.signal("BTC/USDT", bear, NOW + 59_000) is None  # the pause
    assert one.signal("BTC/USDT", bear, NOW + 60_000).title == "[simulated] BTC/USDT bearish"
    assert one.signal("ETH/USDT", SIGNAL, NOW + 60_000)  # each symbol for itself


def test_neutral_in_between_is_a_change():
    one = judge(signal_pause_s=60)
    one.signal("BTC/USDT", SIGNAL, NOW)
    assert one.signal("BTC/USDT", SIGNAL | {"direction": "NEUTRAL", "score": 0.5}, NOW) is None
    assert one.signal("BTC/USDT", SIGNAL, NOW + 10_000) is None
    assert one.signal("BTC/USDT", SIGNAL, NOW + 60_000)


@pytest.mark.parametrize(
    "weak",
    [{"confidence": 0.69}, {"score": 0.59}, {"direction": "BEARISH", "score": 0.41},
     {"score": None}, {"confidence": None}],
)  # fmt: skip
def test_weak_signals_are_nothing(weak):
    assert judge().signal("BTC/USDT", SIGNAL | weak, NOW) is None


def test_rules_choose_signals():
    assert judge(direction="BEARISH").signal("BTC/USDT", SIGNAL, NOW) is None
    assert judge(signal_alerts=False).signal("BTC/USDT", SIGNAL, NOW) is None
    assert judge(min_confidence_threshold=0.9).signal("BTC/USDT", SIGNAL, NOW) is None


def test_what_was_told_before_a_restart_is_not_told_again():
    one = judge()
    one.remember(["signal:BTC/USDT:USDT:BULLISH:5@ops", "other", "signal:X:BEARISH:1@a"], NOW)
    assert one.signal("BTC/USDT:USDT", SIGNAL, NOW + DAY) is None
    assert one.signal("X", SIGNAL, NOW + DAY)


@given(st.lists(st.tuples(st.sampled_from(["BULLISH", "BEARISH", "NEUTRAL"]),
                          st.integers(0, 2_000_000)), max_size=40))  # fmt: skip
def test_never_twice_within_the_pause_nor_the_same_in_a_row(steps):
    one, now, last_at, last, since = judge(), NOW, None, "", set()
    for direction, wait in steps:
        now += wait
        score = {"BULLISH": 0.9, "BEARISH": 0.1, "NEUTRAL": 0.5}[direction]
        since.add(direction)
        if one.signal("A", SIGNAL | {"direction": direction, "score": score}, now):
            assert last_at is None or now - last_at >= 900_000
            assert last_at is None or len(since) > 1 or last != direction
            last_at, last, since = now, direction, {direction}


def status(state: str, since: int = NOW, text: str = "as it is") -> FeedStatus:
    return FeedStatus(state, text, since)


def test_a_line_that_is_down_for_long_and_back():
    one = judge("binance", feed_down_s=120)
    assert one.feed(status("live"), NOW) is None
    assert one.feed(status("down"), NOW + 119_000) is None
    note = one.feed(status("down"), NOW + 120_000)
    assert note.title == "Market data down for 2 min"
    assert one.feed(status("down", NOW + 200_000), NOW + 900_000) is None  # told once
    assert one.feed(status("recovering", NOW + 910_000), NOW + 910_000) is None
    back = one.feed(status("live", NOW + 920_000), NOW + 920_000)
    assert (back.title, back.key) == ("Market data back after 15 min", f"{note.key}:back")
    assert one.feed(status("live", NOW + 920_000), NOW + DAY) is None


def test_a_short_loss_is_nothing():
    one = judge(feed_down_s=120)
    for state, at in (("down", NOW), ("live", NOW + 60_000), ("banned", NOW + 90_000)):
        assert one.feed(status(state, at), at) is None
    assert one.feed(status("banned", NOW + 90_000), NOW + 200_000) is None
    assert one.feed(status("banned", NOW + 90_000), NOW + 210_000).kind == "feed"
    assert judge(api_health_alerts=False).feed(status("down"), NOW + DAY) is None
    assert judge().feed(None, NOW) is None


def test_a_good_or_bad_day_is_told_once():
    one = judge()
    state = account(equity=9_400.0, day_pnl=-600.0)
    kinds = [note.kind for note in one.portfolio(state, NOW)]
    assert kinds == ["return", "drawdown"]
    assert one.portfolio(state, NOW + 2 * HOUR) == []
    (note,) = judge(drawdown_steps_pct=()).portfolio(account(equity=10_600.0, day_pnl=600.0), NOW)
    assert note.title == "[simulated] Paper account +6.0 % today"
    assert judge().portfolio(account(equity=10_400.0, day_pnl=400.0), NOW) == []


def test_fast_days_are_told_once_an_hour():
    one, told = judge(drawdown_steps_pct=()), 0
    for day in range(60):  # a day every 24 s
        state = account(equity=9_000.0, day_pnl=-1_000.0, time=TIME + day * DAY)
        told += len(one.portfolio(state, NOW + day * 24_000))
    assert told == 1


def test_open_losses_and_steps_of_a_drawdown():
    one = judge(return_pct=100)
    state = account(equity=8_400.0, positions=(POSITION,))
    titles = [note.title for note in one.portfolio(state, NOW)]
    assert titles == ["[simulated] Open positions at -1,500.00",
                      "[simulated] Drawdown 16.0 %, over 15 %"]  # fmt: skip
    keys = [n.key for n in one.portfolio(account(equity=7_900.0), NOW)]
    assert keys == ["drawdown:simulated-7:1:10000.0:20"]
    assert one.portfolio(account(equity=8_900.0), NOW) == []  # 11 %, on the way up
    assert one.portfolio(account(equity=7_900.0), NOW) == []
    (again,) = one.portfolio(account(equity=9_800.0, peak=11_000.0), NOW)
    assert again.key == "drawdown:simulated-7:1:11000.0:10"


def test_storage_in_trouble_and_well_again():
    one = judge(portfolio_alerts=False)
    (bad,) = one.portfolio(account(storage="no room"), NOW)
    assert (bad.kind, bad.body) == ("storage", "no room")
    assert one.portfolio(account(storage="still none"), NOW) == []
    (good,) = one.portfolio(account(), NOW + 1)
    assert good.title == "[simulated] Storage is well again"
    assert judge(storage_alerts=False).portfolio(account(storage="no room"), NOW) == []


def test_other_books_are_not_ours():
    assert judge().portfolio(account(book="shadow:x", equity=1.0, day_pnl=-9.0), NOW) == []
