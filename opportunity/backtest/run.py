"""The loop of a backtest: batch after batch through the functions that trade live.

`run_many` takes any number of symbols with funding and finer bars; `run_one` one symbol, and
passes over the bars at which nothing is held and nothing is asked for. Where both can run they
give the same rows bit for bit.
"""

from typing import Any

import numpy as np

from opportunity.backtest.hold import hold
from opportunity.backtest.memory import fetch, lent
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS
from opportunity.trading.account import (
    exposure,
    mark,
    mark_bars,
    note_depth,
    note_equity,
    open_batch,
    walk_bar,
)
from opportunity.trading.breaking import begin_day, recover
from opportunity.trading.deciding import decide, decide_entry, decide_exit
from opportunity.trading.fills import finish, fund
from opportunity.trading.inlining import inlined
from opportunity.trading.records import END, ENTRY


@kernel
def run_many(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, batches: Any,
    decisions: Any, funding: Any, finer: Any, equity: Any, held: Any,
) -> None:
    """Run all batches; see `run_one` for what is changed.

    Parameters
    ----------
    account, terms, tally : records
    positions : POSITION (n_symbols,)
    logs : tuple of FILL and TRADE arrays
        Filled from their beginning; rows beyond their end are counted, not written.
    orders : ORDER (n,)
    batches : tuple
        Close (n_batches,), earliest open (n_batches,), first row of each (n_batches + 1,), and
        of every row its symbol, open and values (n_rows, 5).
    decisions : tuple of arrays
        `records.columns_of(...)`, by batch, then symbol.
    funding : tuple
        Time, symbol and rate of each payment, by time. One that falls due inside a bar is paid
        at the next open, or before the end of the run.
    finer : tuple
        First finer bar of each row (n_rows + 1,), and open, close and values of finer bars; a
        row without any is walked as it is.
    equity, held : float64 (n_batches,), float64 (n_batches,)
        Filled: equity and the notional that is held at each close, quote currency.
    """
    logs, orders, positions = lent(logs), lent(orders), lent(positions)
    equity, held, decisions = lent(equity), lent(held), lent(decisions)
    closes, opens, first, symbols, opened, values = lent(batches)
    due, payer, rate = lent(funding)
    part, part_opened, part_closed, part_values = lent(finer)
    at = decisions[0]
    n_decisions = at.size
    d = 0
    f = 0
    last = closes.size - 1
    for b in range(closes.size):
        a = first[b]
        z = first[b + 1]
        while f < due.size and due[f] <= opens[b]:
            if positions[payer[f]].side != 0:
                fund(account, positions[payer[f]], rate[f])
            f += 1
        open_batch(
            account, positions, terms, logs, orders, tally, symbols, opened, values, a, z
        )
        for i in range(a, z):
            if part[i] == part[i + 1]:
                walk_bar(
                    account, positions, terms, logs, orders, tally, symbols[i], opened[i],
                    closes[b], values[i, 0], values[i, 1], values[i, 2],
                )
            for j in range(part[i], part[i + 1]):
                walk_bar(
                    account, positions, terms, logs, orders, tally, symbols[i], part_opened[j],
                    part_closed[j], part_values[j, 0], part_values[j, 1], part_values[j, 2],
                )
        mark_bars(positions, symbols, values, a, z)
        if b == last:
            while f < due.size and due[f] < closes[b]:  # inside the last bars: no open follows
                if positions[payer[f]].side != 0:
                    fund(account, positions[payer[f]], rate[f])
                f += 1
            for s in range(positions.size):
                finish(account, positions[s], terms, logs, tally, s, closes[b], END)
        mark(account, positions, terms, tally, closes[b])
        gross = exposure(positions)[1]
        equity[b] = account.equity
        held[b] = gross
        until = d
        while until < n_decisions and at[until] <= b:
            until += 1
        if until > d and b != last:
            decide(account, positions, terms, logs, orders, tally, decisions, d, until)
        d = until


@inlined
def pass_over(account: Any, tally: Any, n: Any, time: Any) -> None:
    """Mark `n` bars of a flat account at once; `time` is the close of the last of them.

    The equity stays what it was at the mark before, so nothing trips; days begin, and breakers
    cool down at whichever of the bars it was, with the same equity.
    """
    if n <= 0:
        return
    day = (time - 1) // DAY_MS
    if day != account.day:
        begin_day(account, day)
    recover(account, time)
    tally.n += n
    note_depth(tally, account.equity, n)


@kernel
def run_one(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, closes: Any,
    opened: Any, values: Any, decisions: Any, equity: Any, held: Any,
) -> None:
    """Run the bars of one symbol.

    Parameters
    ----------
    account, terms, tally : records
    positions : POSITION (1,)
    logs : tuple of FILL and TRADE arrays
    orders : ORDER (n,)
    closes, opened : int64 (n_bars,)
    values : float64 (n_bars, 5)
    decisions : tuple of arrays
        `records.columns_of(...)`, by batch, which is the index of a bar; one for a bar at most.
    equity, held : float64 (n_bars,), or empty
        Filled as in `run_many`, where they are not empty.
    """
    logs, orders, positions, decisions = lent(logs), lent(orders), lent(positions), lent(decisions)
    closes, opened, values = lent(closes), lent(opened), lent(values)
    equity, held = lent(equity), lent(held)
    at, times, _, sides, flagged, keys, atrs, scores, confidences, volumes = decisions
    n = closes.size
    n_decisions = at.size
    last = n - 1
    position = positions[0]
    only = np.zeros(1, np.int64)
    market = (closes, opened, values, equity, held)
    decided = (at, sides, atrs)
    entry = next_entry(sides, 0)
    soon = next_entry(sides, entry + 1)
    after = next_entry(sides, soon + 1)
    d = 0
    b = 0
    while b < n:
        due = False
        # Costs of a fill at the close are in the cash at once, in the equity at the next mark.
        if position.side == 0 and position.wanted == 0 and account.cash == account.equity:
            while entry < d:
                entry, soon = soon, after
                after = next_entry(sides, after + 1)
                fetch_ahead(market, decisions, soon, after)
            d = entry  # nothing is held: nobody asks about the others
            due = d < n_decisions
            bar = at[d] if due else last
            pass_over(account, tally, bar - b + 1, closes[bar])
            if equity.size:
                flat = account.equity
                for i in range(b, bar + 1):
                    equity[i] = flat
                    held[i] = 0.0
            position.mark = values[bar, 3]
            b = bar
        else:
            if position.side != 0 and position.wanted == 0 and position.exit == ENTRY:
                b, d, due = hold(
                    account, position, terms, tally, market, decided, b, d, n_decisions, last - 1
                )
            if not due:
                _step(account, positions, terms, logs, orders, tally, market, only, b)
                due = d < n_decisions and at[d] == b
        if due:
            if b != last:
                decision = (times[d], 0, scores[d], confidences[d], volumes[d])
                if position.side != 0 or position.wanted != 0:
                    decide_exit(
                        account, position, terms, logs, orders, tally, decision, sides[d], atrs[d]
                    )
                if sides[d] != 0:
                    decide_entry(
                        account, positions, terms, logs, orders, tally, decision, sides[d],
                        atrs[d], keys[d], flagged[d],
                    )
            d += 1
        b += 1


@inlined
def next_entry(sides: Any, d: Any) -> Any:
    """Return the first decision from `d` on that names a side; their number where none does."""
    while d < sides.size and sides[d] == 0:
        d += 1
    return min(d, sides.size)


@inlined
def fetch_ahead(market: Any, decisions: Any, soon: Any, after: Any) -> None:
    """Have the bars loaded of the entry that comes `soon`, and the decision of the one `after`."""
    closes, opened, values, _, _ = market
    at, times, _, _, _, keys, atrs, scores, confidences, volumes = decisions
    if soon < at.size:
        b = at[soon]
        fetch(closes, b)
        fetch(opened, b)
        for i in range(b, b + 10, 2):  # a line of the cache is a bar and a half
            fetch(values, i)
    fetch(at, after)
    fetch(times, after)
    fetch(keys, after)
    fetch(atrs, after)
    fetch(scores, after)
    fetch(confidences, after)
    fetch(volumes, after)


@inlined
def _step(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, market: Any,
    only: Any, b: Any,
) -> None:
    """Take any bar: orders that wait, the range, the end of the run, the mark."""
    closes, opened, values, equity, held = market
    position = positions[0]
    if position.exit != ENTRY or position.wanted != 0:
        open_batch(
            account, positions, terms, logs, orders, tally, only, opened[b : b + 1],
            values[b : b + 1], 0, 1,
        )
    if position.side != 0 or position.wanted != 0:
        walk_bar(
            account, positions, terms, logs, orders, tally, 0, opened[b], closes[b],
            values[b, 0], values[b, 1], values[b, 2],
        )
    position.mark = values[b, 3]
    if b == closes.size - 1:
        finish(account, position, terms, logs, tally, 0, closes[b], END)
    notional = position.quantity * position.mark if position.side != 0 else 0.0
    note_equity(
        account, terms, tally, account.cash + position.side * notional, notional > 0.0, closes[b]
    )
    if equity.size:
        equity[b] = account.equity
        held[b] = notional
