"""A recorded session run again through the backtest: the same bars, decisions and fills."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.decisions import Decisions, decide_all
from opportunity.backtest.execution import NO_PAYMENTS, no_finer
from opportunity.backtest.history import History
from opportunity.backtest.run import run_many
from opportunity.backtest.session_history import history_of
from opportunity.backtest.session_input import BEFORE, Config, Hand, Session
from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import DECISION, END, FILL, ORDER, TRADE, columns_of
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally

SAID = ("final", "net", "confidence", "consensus", "disagreement", "trust")


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What the backtest makes of a session.

    Parameters
    ----------
    history : History
    decisions : ndarray of DECISION
        By batch, then symbol.
    said : ndarray, shape (n_decisions, 6)
        What was thought of each, by `SAID`.
    orders, fills, trades : structured arrays
    equity : ndarray, shape (n_batches,)
    """

    history: History
    decisions: NDArray[Any]
    said: FloatArray
    orders: NDArray[Any]
    fills: NDArray[Any]
    trades: NDArray[Any]
    equity: FloatArray


def replay(session: Session) -> Replayed:
    """Run a session through the backtest, from what came in alone.

    Raises
    ------
    BarError, ValueError
        If what came in breaks a rule.
    """
    history = history_of(session)
    decisions, said = _decide(session, history)
    setups = _setups(session)
    if plain(session, setups):
        return Replayed(history, decisions, said, *_run_whole(decisions, setups[0], history))
    return Replayed(history, decisions, said, *_run_in_turn(session, decisions, setups, history))


def plain(session: Session, setups: list[TradeSetup]) -> bool:
    """Tell whether a session is what a backtest is: one setup, from nothing on, by itself."""
    told = session.account is not None or session.hands
    return len(set(setups)) == 1 and not told and not any(o.stale for o in session.outcomes)


def _decide(session: Session, history: History) -> tuple[NDArray[Any], FloatArray]:
    """Judge all decisions, each under the config that held then."""
    batch = history.joined.batch
    versions = np.array([o.config for o in session.outcomes])[batch]
    table, said = None, np.empty((batch.size, len(SAID)))
    for version in np.unique(versions).tolist():
        config, mine = session.configs[version], versions == version
        found = _judged(history, config)
        if table is None:
            table = found.table.copy()
        table[mine] = found.table[mine]
        if not config.enabled:  # no entries and no signals, but stops and time go on
            table["side"][mine] = 0
        said[mine] = np.stack([getattr(found, n)[mine] for n in SAID], axis=1)
    return (np.empty(0, DECISION) if table is None else table), said


def _judged(history: History, config: Config) -> Decisions:
    return decide_all(
        history, config.weights, config.setup.rules, config.timeframe_weights or None
    )


def _setups(session: Session) -> list[TradeSetup]:
    """Return what each batch was traded under: what was judged under in the one before it."""
    held, setups = session.configs[session.first_config].setup, []
    for outcome in session.outcomes:
        setups.append(held)
        if outcome.config >= 0:
            held = session.configs[outcome.config].setup
    return setups


Ran = tuple[NDArray[Any], NDArray[Any], NDArray[Any], FloatArray]


def _run_whole(decisions: NDArray[Any], setup: TradeSetup, history: History) -> Ran:
    """Run all batches in the compiled loop.

    It closes what is held in its last batch. A session does not: so one more is added, without
    bars, and what ends in it is left out.
    """
    batches = history.batches
    last = batches.time[-1]
    more = replace(
        batches, time=np.append(batches.time, last), opened=np.append(batches.opened, last),
        first=np.append(batches.first, batches.first[-1]),
    )  # fmt: skip
    terms = setup.terms()
    account, tally = new_account(setup.cash), new_tally(setup.cash)
    size = decisions.size + len(history.symbols)
    fills = np.zeros(size * (int(terms["n_targets"][0]) + 3), FILL)
    trades, orders = np.zeros(2 * size, TRADE), np.zeros(2 * size, ORDER)
    equity, held = np.empty((2, len(more)))
    due, parts = NO_PAYMENTS, no_finer(more.n_rows)
    run_many(
        account[0], new_positions(len(history.symbols)), terms[0], (fills, trades), orders,
        tally[0],
        (more.time, more.opened, more.first, more.symbol, more.open_time, more.values),
        columns_of(decisions), (due.time, due.symbol, due.rate),
        (parts.first, parts.opened, parts.closed, parts.values), equity, held,
    )  # fmt: skip
    row = account[0]
    fills, trades = fills[: int(row["n_fills"])], trades[: int(row["n_trades"])]
    return (
        orders[: int(row["n_orders"])], fills[fills["reason"] != END],
        trades[trades["reason"] != END], equity[:-1],
    )  # fmt: skip


def _run_in_turn(
    session: Session, decisions: NDArray[Any], setups: list[TradeSetup], history: History
) -> Ran:
    """Run batch by batch, each under its own setup, with what was done by hand."""
    batches = history.batches
    broker = PaperBroker(history.symbols, setups[0].terms(), setups[0].cash)
    if session.account is not None:
        broker.restore(*(session.account[n] for n in ("account", "tally", "positions")))
    hands: dict[int, list[Hand]] = {}
    for hand in session.hands:
        hands.setdefault(hand.batch, []).append(hand)
    _do(broker, hands.get(BEFORE, []), session.start)
    equity = np.empty(len(batches))
    edges = np.searchsorted(decisions["batch"], np.arange(len(batches) + 1))
    for b, setup in enumerate(setups):
        if b and setup != setups[b - 1]:
            broker.terms = setup.terms()
        part = slice(int(batches.first[b]), int(batches.first[b + 1]))
        broker.batch(
            batches.symbol[part], batches.open_time[part], int(batches.time[b]),
            batches.values[part],
        )  # fmt: skip
        equity[b] = broker.equity
        broker.set_stale(session.outcomes[b].stale, int(batches.time[b]))
        broker.decide(decisions[edges[b] : edges[b + 1]])
        _do(broker, hands.get(b, []), int(batches.time[b]))
    new = np.arange(session.first_order, int(broker.account["n_orders"][0]))
    return broker.orders_of(new), broker.fills, broker.trades, equity


def _do(broker: PaperBroker, hands: list[Hand], time: int) -> None:
    """Do what was done by hand."""
    for hand in hands:
        match hand.what:
            case "leave":
                broker.leave(hand.rows, time, hand.reason)
            case "forget":
                for row in hand.rows.tolist():
                    broker.forget(row, time)
            case "reset_breaker":
                broker.reset_breaker(hand.index, time)
            case _:
                raise ValueError(unknown("hand", hand.what, ["leave", "forget", "reset_breaker"]))
