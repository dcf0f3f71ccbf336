import numpy as np
import pytest

from opportunity.live.account import Account, Decided
from opportunity.storage.books import Book
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, ENTRY, OPEN, STREAK
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

HOUR = 3_600_000
QUARTER = HOUR // 4
SYMBOLS = ("A/USDT", "B/USDT", "C/USDT")
SETUP = TradeSetup(
    TradeRecord(stop_atr=2.0, trail_atr=1.0, time_stop=3), Costs(0.0, 0.0),
    Sizing.fixed(0.1), UNLIMITED,
)  # fmt: skip
T0 = 480_000 * HOUR


def account(symbols=SYMBOLS, setup=SETUP) -> Account:
    made = Account(symbols, setup, "1h", source="simulated")
    made.begin(T0)
    return made


def bars(price: float, n: int = 3, low: float | None = None) -> np.ndarray:
    low = price - 0.5 if low is None else low
    return np.tile([price, price + 0.5, low, price, 1e6], (n, 1))


def batch(one: Account, time: int, price: float = 100.0, low: float | None = None) -> None:
    rows = np.arange(len(one.broker.symbols))
    opened = np.full(rows.size, time - QUARTER)
    one.take_batch(rows, opened, time, bars(price, rows.size, low), time)


def enter(one: Account, time: int, *rows: int) -> Decided:
    found = np.zeros(len(rows), DECISION)
    found["symbol"], found["side"], found["atr"], found["time"] = rows, 1, 2.0, time
    found["confidence"], found["volume"] = np.nan, np.nan
    one.broker.decide(found)
    return one.settle(Decided(found, np.zeros((len(rows), 6))))


def stored(one: Account) -> Book:
    posting = one.note()
    return Book(
        one.name, "m", one.epoch, one.start_cash, one.begun, posting.time, posting.version,
        posting.account, posting.tally,
        {s: p for s, p in posting.positions.items() if p is not None}, posting.seen,
    )  # fmt: skip


def held() -> Account:
    """All three are held: ordered at T0, filled a quarter later."""
    one = account()
    batch(one, T0)
    enter(one, T0, 0, 1, 2)
    batch(one, T0 + QUARTER)
    one.settle(Decided.none())
    return one


def test_nothing_new_is_no_posting() -> None:
    one = account()
    batch(one, T0)
    assert one.settle(Decided.none()).posting is None
    assert one.version == 0


def test_posting_tells_all_that_changed() -> None:
    one = account()
    batch(one, T0)
    ordered = enter(one, T0, 1).posting
    assert (ordered.version, ordered.after, ordered.time, ordered.marked) == (1, 0, T0, True)
    assert [e.key for e in ordered.events] == ["paper:0:order:0:placed"]
    assert set(ordered.positions) == {SYMBOLS[1]}
    batch(one, T0 + QUARTER)
    filled = one.settle(Decided.none()).posting
    assert not filled.marked
    assert [e.key for e in filled.events] == ["paper:0:fill:0"]
    assert filled.events[0].body["source"] == "simulated"
    assert filled.orders[1]["status"].tolist() == [1]
    assert filled.gross == pytest.approx(filled.positions[SYMBOLS[1]]["quantity"][0] * 100.0)
    batch(one, T0 + 2 * QUARTER, 90.0)
    stopped = one.settle(Decided.none()).posting
    assert stopped.positions == {SYMBOLS[1]: None}
    assert [e.kind for e in stopped.events] == ["fill", "trade"]
    assert not one.active.size


def test_posting_does_not_change_later() -> None:
    one = account()
    batch(one, T0)
    posting = enter(one, T0, 0, 1).posting
    before = posting.account.tobytes(), [p.tobytes() for p in posting.positions.values()]
    batch(one, T0 + QUARTER, 105.0)
    after = posting.account.tobytes(), [p.tobytes() for p in posting.positions.values()]
    assert before == after


def test_breaker_that_turns_is_told() -> None:
    one = account()
    one.broker.account["breaker"][0, STREAK] = OPEN
    one.broker.account["until"][0, STREAK] = T0
    (event,) = one.settle(Decided.none(), reason="test").posting.events
    assert event.kind == "breaker"
    assert event.body == {
        "book": "paper", "source": "simulated", "name": "losing_streak", "state": "OPEN",
        "before": "CLOSED", "until": T0, "reason": "test",
    }  # fmt: skip
    assert one.settle(Decided.none()).posting is None


def test_resumed_account_goes_on_bit_for_bit() -> None:
    one = held()
    enter(one, T0 + QUARTER, 0)
    other = account()
    assert other.resume(stored(one)) is None
    assert (other.time, other.version, other.resumed) == (one.time, one.version, one.time)
    for b in range(2, 9):
        batch(one, T0 + b * QUARTER, 100.0 - b)
        batch(other, T0 + b * QUARTER, 100.0 - b)
        mine, its = one.settle(Decided.none()).posting, other.settle(Decided.none()).posting
        assert (mine is None) == (its is None)
        if mine is not None:
            assert mine.events == its.events
            assert mine.orders[1].tobytes() == its.orders[1].tobytes()
            assert mine.version == its.version
    assert one.broker.account.tobytes() == other.broker.account.tobytes()
    assert one.broker.tally.tobytes() == other.broker.tally.tobytes()
    assert one.broker.account["n_trades"][0] == 3


def test_symbol_that_is_not_watched_any_more_is_closed_at_its_mark() -> None:
    one = held()
    book = stored(one)
    fewer = account(SYMBOLS[::2])
    posting = fewer.resume(book)
    assert posting.positions[SYMBOLS[1]] is None
    assert [e.body["reason"] for e in posting.events] == ["GONE", "GONE"]
    assert {posting.symbols[i] for i in posting.fills[1]["symbol"]} == {SYMBOLS[1]}
    assert posting.fills[1]["price"].tolist() == [100.0]
    assert (posting.after, posting.version) == (book.version, book.version + 1)
    assert [fewer.broker.symbols[i] for i in fewer.active] == [SYMBOLS[0], SYMBOLS[2]]
    batch(fewer, T0 + 2 * QUARTER, 90.0)
    after = fewer.settle(Decided.none()).posting
    assert {after.symbols[i] for i in after.fills[1]["symbol"]} == set(SYMBOLS[::2])
    assert after.fills[0] == posting.fills[0] + 1
    again = account()  # and with another symbol in front
    assert again.resume(book) is None


def test_missed_bars_fill_stops_and_age_but_never_trail() -> None:
    one = held()
    stop = one.broker.positions["stop"].copy()
    moved = 110.0
    rows = np.arange(3)
    values = bars(moved)
    for b in range(2, 5):
        time = T0 + b * QUARTER
        one.miss(rows, np.full(3, time - QUARTER), time, values)
    assert one.broker.positions["bars"].tolist() == [1, 1, 1]  # one decision close was missed
    np.testing.assert_array_equal(one.broker.positions["stop"], stop)
    assert one.time == T0 + HOUR
    time = T0 + 5 * QUARTER
    posting = one.miss(rows, np.full(3, time - QUARTER), time, bars(100.0, low=90.0))
    assert posting.trades[1].size == 3
    assert not one.active.size


def test_missed_bar_is_worked_in_once() -> None:
    one = held()
    before = one.broker.account.tobytes()
    time = T0 + QUARTER
    assert one.miss(np.arange(3), np.full(3, T0), time, bars(1.0)) is None
    assert one.broker.account.tobytes() == before


def test_late_bar_that_was_missed_is_worked_in_at_the_time_that_is_known() -> None:
    one = held()
    one._seen[1] = T0  # its newest bar had not come
    posting = one.miss(np.arange(3), np.full(3, T0), T0 + QUARTER, bars(100.0, low=50.0))
    assert [posting.symbols[i] for i in posting.trades[1]["symbol"]] == [SYMBOLS[1]]
    assert posting.time == T0 + QUARTER


def test_undone_command_leaves_no_trace() -> None:
    one, other = held(), held()
    kept = one.keep()
    one.broker.leave(np.arange(3), one.time)
    one.settle(Decided.none())
    assert one.version == other.version + 1
    one.undo(kept)
    for b in range(2, 12):
        for each in (one, other):
            batch(each, T0 + b * QUARTER, 100.0 - b)
        mine, its = (each.settle(Decided.none()).posting for each in (one, other))
        assert (mine is None) == (its is None)
        if mine is not None:
            assert (mine.version, mine.events) == (its.version, its.events)
    assert one.broker.account.tobytes() == other.broker.account.tobytes()


def test_rows_are_let_go_once_told() -> None:
    one = held()
    for b in range(2, 400):
        time = T0 + b * QUARTER
        batch(one, time, 100.0 + 20 * (b % 2))
        if b % 4 == 0:
            enter(one, time, 0, 1, 2)
        one.settle(Decided.none())
    assert one.broker.account["n_fills"][0] > 300
    assert one.broker.fills.size == 0
    assert one.broker.orders.size <= 6


def test_new_account_in_memory() -> None:
    one = held()
    one.restart(55.0)
    assert (one.epoch, one.start_cash, one.broker.equity) == (1, 55.0, 55.0)
    assert not one.active.size


def test_marks_are_given_only_to_what_has_none_and_is_flat() -> None:
    one = account()
    one.mark(np.array([1.0, 2.0, np.nan]))
    np.testing.assert_array_equal(one.broker.positions["mark"], [1.0, 2.0, np.nan])
    other = held()
    other.mark(np.full(3, 5.0))
    assert (other.broker.positions["mark"] == 100.0).all()
    assert ENTRY == 0
