"""What must be true of a paper account at any moment, worked out anew from what is stored of it."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from lives import NAMES, QUARTER, Life, Market

from opportunity.storage.books import PAPER, Book
from opportunity.storage.trading_tables import equity_mark, event, fill, paper_order, trade
from opportunity.trading.costs import Costs
from opportunity.trading.records import BREAKERS, STATES

REFUSED: Final = frozenset({
    "too small", "max_positions", "max_daily_loss", "max_drawdown", "max_losses", "gap",
    "stale_data", "half_open",
})  # fmt: skip
TURNS: Final = {("CLOSED", "OPEN"), ("OPEN", "HALF_OPEN"), ("OPEN", "CLOSED"),
                ("HALF_OPEN", "CLOSED"), ("HALF_OPEN", "OPEN")}  # fmt: skip
COSTS: Final = Costs()
ROOM: Final = 1.03
"""By how much the equity at a fill may differ from that at the decision before it."""


@dataclass
class Seen:
    """What is known of the time since the start, to judge what is stored by.

    `loud` are feed times of batches that might lead to entries, `heard` of those at which the
    agent was on; `limits` and `fills` are those that may still be in force.
    """

    loud: set[int] = field(default_factory=set)
    heard: set[int] = field(default_factory=set)
    limits: list[dict[str, Any]] = field(default_factory=list)
    fills: list[str] = field(default_factory=list)
    counted: tuple[int, int] = (0, 0)
    held: int = 0
    shown: int = 0

    def most(self, name: str) -> float:
        return max(values[name] for values in self.limits)


def rows_of(life: Life, table: sa.Table, *order: Any, **where: Any) -> list[Any]:
    with life.reader.connect() as connection:
        asked = sa.select(table).filter_by(**where).order_by(*order)
        return list(connection.execute(asked))


def check_money(life: Life, seen: Seen) -> Book:
    """Insist that cash, positions, trades and fills are one story."""
    book, identity = life.ledger.read_book(PAPER), life.ledger.identity(PAPER)
    assert identity.holds, identity
    account, mine = book.account[0], {"book": PAPER, "epoch": book.epoch}
    fills = rows_of(life, fill, fill.c.number, **mine)
    late = "close" in seen.fills  # filled after the mark of the same close
    slack = sum(f.fee + f.slippage for f in fills if late and f.time >= book.time)
    near(identity.equity, identity.worth, slack)
    for name in ("cash", "equity", "peak", "day_equity", "fees"):
        assert math.isfinite(account[name]), name
    trades = rows_of(life, trade, trade.c.number, **mine)
    orders = rows_of(life, paper_order, paper_order.c.number, **mine)
    for rows, n in ((fills, "n_fills"), (trades, "n_trades"), (orders, "n_orders")):
        assert [row.number for row in rows] == list(range(int(account[n]))), n
    flow = sum(p["flow"][0] + p["funding"][0] for p in book.positions.values() if p["side"][0])
    near(float(account["cash"]), book.cash + math.fsum(t.pnl for t in trades) + flow)
    entries = Counter(f.symbol for f in fills if f.reason == "ENTRY")
    filled = Counter(o.symbol for o in orders if (o.reason, o.status) == ("ENTRY", "filled"))
    assert entries == filled
    for order in orders:
        if order.reason == "ENTRY":
            asked = seen.heard if order.status in REFUSED else seen.loud
            assert order.time in asked, f"{order} was decided while it must not"
    _check_fills(life, seen, book.epoch, fills)
    return book


def near(a: float, b: float, slack: float = 0.0) -> None:
    assert abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b)) + slack, (a, b, slack)


def _check_fills(life: Life, seen: Seen, epoch: int, fills: list[Any]) -> None:
    """Check price and costs of what is new, and entries by the limits."""
    first = seen.counted[1] if seen.counted[0] == epoch else 0
    seen.counted = epoch, len(fills)
    held: dict[str, float] = defaultdict(float)
    marks = None
    for f in fills:
        before = {symbol: abs(quantity) for symbol, quantity in held.items()}
        held[f.symbol] += f.side * f.quantity
        if f.number < first:
            continue
        assert life.market.within(NAMES.index(f.symbol), f.time, f.reference), f
        near(f.price, f.reference * (1 + f.side * COSTS.slip))
        near(f.fee, COSTS.fee * f.quantity * f.price)
        near(f.slippage, f.quantity * abs(f.price - f.reference), 1e-9 * f.price)
        if f.reason == "ENTRY":
            marks = marks or rows_of(life, equity_mark, equity_mark.c.time, book=PAPER, epoch=epoch)
            near_by = [m.equity for m in marks if abs(m.time - f.time) <= 2 * QUARTER]
            if near_by:
                _check_entry(life.market, seen, f, before, max(near_by))


def _check_entry(
    market: Market, seen: Seen, f: Any, before: dict[str, float], equity: float
) -> None:
    notional = f.quantity * f.price
    assert notional <= seen.most("max_position") * equity * ROOM, f
    bar = (f.time - market.opened(0)) // QUARTER - 1
    gross = sum(q * market.values[NAMES.index(s), bar, 3] for s, q in before.items())
    assert gross + notional <= seen.most("max_leverage") * equity * ROOM, f


def check_breakers(life: Life, book: Book) -> None:
    """Insist that breakers only ever turned as they may."""
    now: dict[tuple[str, str], str] = {}
    for row in rows_of(life, event, event.c.id, kind="breaker"):
        body, epoch = row.body, row.key.split(":")[1]
        place = epoch, body["name"]
        before, after = body["before"], body["state"]
        assert now.get(place, "CLOSED") == before, row
        again = body["name"] == "daily_loss" and before == after == "OPEN"
        assert again or (before, after) in TURNS, row
        if body["name"] == "daily_loss":
            assert "HALF_OPEN" not in (before, after), row
        elif (before, after) == ("OPEN", "CLOSED") and body["name"] != "stale_data":
            assert "by hand (test)" in body["reason"], f"only a hand closes it: {row}"
        now[place] = after
    for i, name in enumerate(BREAKERS):
        state = STATES[int(book.account["breaker"][0][i])]
        assert state == now.get((str(book.epoch), name), "CLOSED"), name


def check_shown(life: Life, seen: Seen, book: Book) -> None:
    """Insist that what people see is what is stored, and that it kept `max_positions`."""
    state, account = life.services.paper.state(), book.account[0]
    assert state.storage == "ok"
    told = (state.epoch, state.cash, state.fees, state.n_trades, state.losses_in_row)
    assert told == (
        book.epoch, account["cash"], account["fees"], account["n_trades"], account["losses"]
    )  # fmt: skip
    assert state.time >= book.time
    lines = {p.symbol: (p.side, p.quantity, p.entry, p.targets_reached) for p in state.positions}
    assert lines == {
        symbol: (p["side"][0], p["quantity"][0], p["entry"][0], p["targets"][0])
        for symbol, p in book.positions.items() if p["side"][0]
    }  # fmt: skip
    assert [b.state for b in state.breakers] == [STATES[int(b)] for b in account["breaker"]]
    for one in life.shown[seen.shown :]:
        waiting = {line.symbol for line in one.waiting if line.reason == "ENTRY"}
        held = len({line.symbol for line in one.positions} | waiting)
        assert held <= max(seen.held, seen.most("max_positions")), one
        seen.held = held
        worth = math.fsum([one.cash, *(p.side * p.quantity * p.mark for p in one.positions)])
        if "close" not in seen.fills:
            near(one.equity, worth)
    seen.shown = len(life.shown)


def check_promises(life: Life) -> None:
    """Insist that what was told is stored, once."""
    kept = Counter(row.key for row in rows_of(life, event))
    lost = [told.key for told in life.heard if kept[told.key] != 1]
    assert not lost, f"{len(lost)} promises are not kept once, e.g. {lost[:3]}"


def check_survived(life: Life) -> None:
    """Insist that no state of the account was shown that is not there any more."""
    shown = list(life.shown)  # before the book is read: the new life goes on meanwhile
    book = life.ledger.read_book(PAPER)
    for state in shown:
        if state.storage == "ok":
            assert state.epoch <= book.epoch
            if state.epoch == book.epoch:
                assert state.n_trades <= book.account["n_trades"][0], "a trade that was shown"
                assert state.fees <= book.account["fees"][0] + 1e-9, "a fill that was shown"
