import numpy as np
import pytest
from sessions import QUARTER, WARM, StepFeed

from opportunity.live import missed
from opportunity.live.account import Account, Decided
from opportunity.live.missed import walk
from opportunity.market.timeframe import HOUR_MS
from opportunity.storage.books import Book
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(
    TradeRecord(stop_atr=3.0, trail_atr=0.0, time_stop=0, targets_r=(1.0,), shares=(1.0,)),
    Costs(), Sizing.fixed(0.2), UNLIMITED,
)  # fmt: skip


def lived(feed: StepFeed, first: int, last: int, rows=(0, 1, 2), enter_at=None) -> Account:
    """Return an account that saw each batch, and entered some symbols at one of them."""
    one = Account(feed.symbols, SETUP, "1h")
    one.begin(feed.opened(first))
    for bar in range(first, last):
        event = feed.batch(bar, (0, 1, 2))
        one.take_batch(event.rows, event.times, event.time, event.values, event.time)
        if bar == enter_at:
            order(one, event.time, rows)
        elif event.time % HOUR_MS == 0:
            age(one, event.time)
        one.settle(Decided.none())
    return one


def order(one: Account, time: int, rows) -> None:
    found = np.zeros(len(rows), DECISION)
    found["symbol"], found["side"], found["time"] = rows, 1, time
    found["atr"] = 0.01 * one.broker.positions["mark"][list(rows)]
    found["confidence"] = found["volume"] = np.nan
    one.broker.decide(found)


def age(one: Account, time: int) -> None:
    found = np.zeros(one.active.size, DECISION)
    found["symbol"], found["time"] = one.active, time
    for name in ("atr", "key", "score", "confidence", "volume"):
        found[name] = np.nan
    one.broker.decide(found)


def again(one: Account, feed: StepFeed) -> Account:
    """Return another account that goes on with what is stored of the first."""
    posting = one.note()
    other = Account(feed.symbols, SETUP, "1h")
    held = {s: p for s, p in posting.positions.items() if p is not None}
    other.resume(Book(
        "paper", "m", 0, one.start_cash, one.begun, posting.time, posting.version,
        posting.account, posting.tally, held, posting.seen,
    ))  # fmt: skip
    return other


def same(one: Account, other: Account) -> None:
    assert one.broker.account.tobytes() == other.broker.account.tobytes()
    assert one.broker.tally.tobytes() == other.broker.tally.tobytes()
    rows = one.active.tolist()
    assert rows == other.active.tolist()
    assert one.broker.positions[rows].tobytes() == other.broker.positions[rows].tobytes()
    assert one.time == other.time


@pytest.mark.parametrize("cut", [4, 5, 9, 14, 40])
async def test_missed_bars_come_to_what_lived_ones_do(cut, monkeypatch) -> None:
    monkeypatch.setattr(missed, "PIECE", 7)
    feed, first = StepFeed(), WARM
    whole = lived(feed, first, first + 60, enter_at=first + 3)
    part = again(lived(feed, first, first + cut, enter_at=first + 3), feed)
    put = []
    n = await walk(feed, [part], feed.opened(first + 60), put.extend)
    assert n == 60 - cut
    same(whole, part)
    versions = [p.version for p in put]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert put[-1].time == part.time == feed.opened(first + 60)


async def test_nothing_is_entered_in_the_past() -> None:
    feed = StepFeed()
    part = again(lived(feed, WARM, WARM + 2, enter_at=WARM + 3), feed)
    await walk(feed, [part], feed.opened(WARM + 60), lambda postings: None)
    assert part.broker.account["n_orders"][0] == 0
    whole = lived(feed, WARM, WARM + 60)
    same(whole, part)


async def test_only_what_is_held_is_read(monkeypatch) -> None:
    feed = StepFeed()
    part = again(lived(feed, WARM, WARM + 5, rows=(1,), enter_at=WARM + 3), feed)
    asked = []
    history = feed.history

    async def spy(symbol, *args):
        asked.append(symbol)
        return await history(symbol, *args)

    monkeypatch.setattr(feed, "history", spy)
    await walk(feed, [part], feed.opened(WARM + 30), lambda postings: None)
    assert asked == [feed.symbols[1]]
    same(lived(feed, WARM, WARM + 30, rows=(1,), enter_at=WARM + 3), part)


async def test_two_accounts_are_walked_together() -> None:
    feed = StepFeed()
    one = again(lived(feed, WARM, WARM + 6, rows=(0,), enter_at=WARM + 3), feed)
    two = again(lived(feed, WARM, WARM + 11, rows=(1, 2), enter_at=WARM + 7), feed)
    put = []
    await walk(feed, [one, two], feed.opened(WARM + 50), put.append)
    same(lived(feed, WARM, WARM + 50, rows=(0,), enter_at=WARM + 3), one)
    same(lived(feed, WARM, WARM + 50, rows=(1, 2), enter_at=WARM + 7), two)


async def test_nothing_missed_is_nothing_read() -> None:
    feed = StepFeed()
    part = again(lived(feed, WARM, WARM + 5), feed)
    assert await walk(feed, [part], part.time, lambda postings: None) == 0
    assert await walk(feed, [part], part.time - QUARTER, lambda postings: None) == 0


async def test_idle_account_is_marked_once_after_very_long(monkeypatch) -> None:
    monkeypatch.setattr(missed, "MOST_IDLE", 10)
    feed = StepFeed()
    part = again(lived(feed, WARM, WARM + 5), feed)
    put = []
    assert await walk(feed, [part], feed.opened(WARM + 100), put.extend) == 1
    assert (part.time, len(put)) == (feed.opened(WARM + 100), 1)


async def test_symbol_without_history_is_held_on_to() -> None:
    from opportunity.errors import CoverageError

    feed = StepFeed()
    part = again(lived(feed, WARM, WARM + 5, rows=(1,), enter_at=WARM + 3), feed)

    async def none(*_):
        raise CoverageError("no bars")

    feed.history = none
    await walk(feed, [part], feed.opened(WARM + 30), lambda postings: None)
    assert part.active.tolist() == [1]
    assert part.time == feed.opened(WARM + 30)
