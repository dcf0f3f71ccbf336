"""Trading by hand: bars as rows of prices, decisions at bars, and what the engine makes of them.

Everything goes through `execute` and `PaperBroker`, so these cases hold whatever the kernels
below look like.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from builders import HOUR
from hypothesis import strategies as st
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches, batches_of
from opportunity.backtest.execution import Finer, Payments, Ran, execute
from opportunity.market.bars import Bars
from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, REASONS, STATUSES
from opportunity.trading.risk import UNLIMITED, RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

DAY = 24 * HOUR
MIDNIGHT = 1_600_000_000_000 // DAY * DAY
FREE = Costs(0.0, 0.0)
PLAIN = TradeRecord(
    stop_atr=1.0, targets_r=(), shares=(), trail_atr=0.0, time_stop=0, opposite=False
)
"""A stop one ATR away and nothing else."""
THIRDS = replace(PLAIN, targets_r=(1.0, 2.0, 3.0), shares=(1 / 3, 1 / 3, 1 / 3))

Rows = Sequence[Sequence[float]]


def setup_of(rules: TradeRecord = PLAIN, **parts: Any) -> TradeSetup:
    """Without costs and limits, 100 units of quote currency at risk of 10,000."""
    return TradeSetup(**{
        "rules": rules, "costs": FREE, "sizing": Sizing.risk(0.01), "risk": UNLIMITED, **parts
    })


def bars_of(rows: Rows, symbol: str = "A/USDT", first: int = 0, step: int = HOUR) -> Bars:
    """Bars from rows of open, high, low, close, from midnight on."""
    values = np.column_stack([np.asarray(rows, np.float64), np.full(len(rows), 1e6)])
    time = MIDNIGHT + step * np.arange(first, first + len(rows), dtype=np.int64)
    names = {HOUR: "1h", DAY: "1d", HOUR // 4: "15m", HOUR // 60: "1m"}
    return Bars(time, values, names[step], symbol, "simulated")


def flip(rows: Rows, about: float = 100.0) -> list[list[float]]:
    """The rows mirrored about a price: what was high is low."""
    return [[2 * about - o, 2 * about - low, 2 * about - h, 2 * about - c]
            for o, h, low, c in rows]  # fmt: skip


def decided(batches: Batches, *said: tuple[Any, ...]) -> NDArray[Any]:
    """Decisions from (batch, side[, fields]), by batch, then symbol."""
    table = np.zeros(len(said), DECISION)
    table["atr"], table["key"], table["score"], table["confidence"] = 10.0, 1.0, 0.7, 0.3
    table["volume"] = np.nan
    for row, (batch, side, *fields) in zip(table, said, strict=True):
        row["batch"], row["side"], row["time"] = batch, side, batches.time[batch]
        for name, value in (fields[0] if fields else {}).items():
            row[name] = value
    return table[np.lexsort((table["symbol"], table["batch"]))]


def trade(
    rows: Rows | Sequence[Bars], *said: tuple[Any, ...], setup: TradeSetup | None = None,
    target: bool = False, payments: Payments | None = None, finer: Finer | None = None,
) -> Ran:
    """Run decisions over bars of one symbol (rows) or of several."""
    bars = list(rows) if isinstance(rows[0], Bars) else [bars_of(rows)]  # type: ignore[arg-type]
    batches = batches_of(bars, str(bars[0].timeframe))
    return execute(
        batches, decided(batches, *said), setup or setup_of(), len(bars), target, payments, finer
    )


def driven(
    batches: Batches, table: NDArray[Any], setup: TradeSetup, symbols: Sequence[str],
    target: bool = False,
) -> PaperBroker:
    """Drive a broker batch by batch as a live agent does; the last batch decides nothing."""
    broker = PaperBroker(symbols, setup.terms(target), setup.cash)
    for b in range(len(batches)):
        a, z = int(batches.first[b]), int(batches.first[b + 1])
        broker.batch(
            batches.symbol[a:z], batches.open_time[a:z], int(batches.time[b]), batches.values[a:z]
        )
        if b < len(batches) - 1:
            broker.decide(table[table["batch"] == b])
    return broker


def prices(ran: Ran | PaperBroker) -> list[tuple[str, int, float, float]]:
    """Reason, side, units and price of every fill."""
    return [
        (REASONS[f["reason"]], int(f["side"]), float(f["quantity"]), float(f["price"]))
        for f in ran.fills
    ]


def statuses(ran: Ran | PaperBroker) -> list[str]:
    """What became of every order."""
    return [STATUSES[s] for s in ran.orders["status"]]


def as_bytes(ran: Ran) -> dict[str, bytes]:
    """Everything that a run leaves behind, to compare byte for byte."""
    return {name: getattr(ran, name).tobytes() for name in Ran.__slots__}


CALM = (100, 101, 99, 100)
TO_TEN = replace(PLAIN, targets_r=(1.0,), shares=(1.0,))
"""A stop and a target, one ATR away."""


class ByHand:
    """A broker of one symbol, or of two, bar by bar; every bar is an hour."""

    def __init__(
        self, risk: RiskRecord, rules: TradeRecord = TO_TEN, symbols: Sequence[str] = ("A/USDT",),
        **parts: Any,
    ) -> None:
        setup = setup_of(rules, risk=risk, **parts)
        self.broker, self.hour = PaperBroker(symbols, setup.terms(), 10_000.0), 0

    def bar(self, *rows: Sequence[float], wanted: dict[int, int] | None = None) -> "ByHand":
        """Take a bar of each symbol, then decide: a side for some of them."""
        n = len(rows)
        values = np.array([[*row, 1.0] for row in rows], np.float64)
        time = MIDNIGHT + self.hour * HOUR
        self.broker.batch(np.arange(n), np.full(n, time), time + HOUR, values)
        self.hour += 1
        table = np.zeros(n, DECISION)
        table["symbol"], table["time"], table["atr"] = np.arange(n), time + HOUR, 10.0
        table["volume"] = table["confidence"] = np.nan
        for symbol, side in (wanted or {}).items():
            table["side"][symbol] = side
        self.broker.decide(table)
        return self

    def trade(self, end: Sequence[float], side: int = 1) -> "ByHand":
        """Enter at one bar, be in at the next, be out inside the third."""
        return self.bar(CALM, wanted={0: side}).bar(CALM).bar(end)

    def state(self, index: int) -> int:
        return int(self.broker.account["breaker"][0, index])

    def field(self, name: str, index: int) -> int:
        return int(self.broker.account[name][0, index])

    def ask(self) -> str:
        """Return what becomes of an entry."""
        return statuses(self.bar(CALM, wanted={0: 1}).broker)[-1]


# Worlds at random. -----------------------------------------------------------------------------


def world(seed: int, n: int = 300, symbols: int = 1, rate: float = 0.15) -> tuple[
    list[Bars], Batches, NDArray[Any]
]:
    """Bars that jump, gap and lie still, and decisions at random; symbols may lack bars."""
    rng = np.random.default_rng(seed)
    bars = []
    for s in range(symbols):
        step = rng.standard_t(3, n) * 0.01
        close = 100 * np.exp(np.cumsum(step))
        gap = np.where(rng.random(n) < 0.1, rng.standard_normal(n) * 0.02, 0.0)
        opened = np.concatenate(([100.0], close[:-1])) * np.exp(gap)
        wick = np.abs(rng.standard_normal((2, n))) * 0.006
        high = np.maximum(opened, close) * (1 + wick[0])
        low = np.minimum(opened, close) * (1 - wick[1])
        one = bars_of(np.stack([opened, high, low, close], axis=1), f"{chr(65 + s)}/USDT")
        if symbols > 1:
            keep = rng.random(n) > 0.1
            one = replace(one, time=one.time[keep], values=one.values[keep])
        bars.append(one)
    batches = batches_of(bars, "1h")
    asked = rng.random((len(batches), symbols)) < max(rate, 0.3)
    at, who = np.nonzero(asked)
    table = np.zeros(at.size, DECISION)
    table["batch"], table["symbol"], table["time"] = at, who, batches.time[at]
    table["side"] = np.where(rng.random(at.size) < rate, rng.choice([-1, 1], at.size), 0)
    table["atr"] = np.where(rng.random(at.size) < 0.02, np.nan, rng.uniform(0.0, 4.0, at.size))
    table["key"] = rng.integers(0, 4, at.size) / 4
    table["flagged"] = rng.random(at.size) < 0.05
    table["score"], table["confidence"] = rng.random((2, at.size))
    table["volume"] = np.where(rng.random(at.size) < 0.1, np.nan, rng.uniform(1e3, 1e6, at.size))
    return bars, batches, table


def rules_at_random() -> st.SearchStrategy[TradeRecord]:
    """Any rules that make sense together."""
    targets = st.sampled_from([
        ((), ()), ((1.0, 2.0, 3.0), (1 / 3, 1 / 3, 1 / 3)), ((0.5,), (1.0,)),
        ((0.7, 1.5, 2.0, 4.0), (0.25, 0.125, 0.125, 0.25)),
    ])  # fmt: skip
    return st.builds(
        lambda found, **parts: TradeRecord(targets_r=found[0], shares=found[1], **parts), targets,
        fill=st.sampled_from(["open", "close", "limit"]), limit_atr=st.sampled_from([0.0, 0.3]),
        stop_atr=st.sampled_from([0.0, 0.8, 2.0]), trail_atr=st.sampled_from([0.0, 1.5]),
        time_stop=st.sampled_from([0, 1, 7]), opposite=st.booleans(),
    )


def sizings(stop: bool) -> st.SearchStrategy[Sizing]:
    """Any sizing; by risk only with a stop."""
    found = [
        Sizing.fixed(0.2), Sizing.fixed(0.5, whole_units=True), Sizing.notional(2_000.0),
        Sizing.all_in(), Sizing.all_in(whole_units=True),
    ]  # fmt: skip
    return st.sampled_from(found + ([Sizing.risk(0.02)] * 3 if stop else []))


def breakers() -> st.SearchStrategy[RiskRecord]:
    """Limits so tight that in any market breakers trip, half open, and let a probe decide."""
    return st.builds(
        RiskRecord, max_positions=st.sampled_from([1, 2, 5]), max_position=st.just(100.0),
        max_leverage=st.just(3.0), max_daily_loss=st.sampled_from([0.002, 0.01, 1.0]),
        max_drawdown=st.sampled_from([0.004, 0.02, 1.0]), max_losses=st.sampled_from([0, 1, 2, 3]),
        cooldown_h=st.sampled_from([0.0, 3.0, 7.0, 30.0]),
    )


def bounded() -> st.SearchStrategy[RiskRecord]:
    """Limits of which now one, now the other holds the size of an entry."""
    return st.builds(
        RiskRecord, max_position=st.sampled_from([0.1, 0.5, 100.0]),
        max_leverage=st.sampled_from([0.3, 3.0]), max_volume=st.sampled_from([0.0, 0.003, 0.1]),
        max_volatility=st.sampled_from([0.0, 0.001, 0.02]), kelly=st.sampled_from([0.0, 0.02, 1.0]),
        payoff=st.sampled_from([1.0, 1.5, 4.0]), max_losses=st.just(0),
        max_daily_loss=st.just(1.0), max_drawdown=st.just(1.0),
    )


def setups() -> st.SearchStrategy[TradeSetup]:
    """Any setup: rules, costs, sizes and limits, tight ones and none."""
    costs = st.builds(
        Costs, st.sampled_from([0.0, 0.0005]), st.sampled_from([0.0, 0.001]),
        st.sampled_from([0.0, 0.0004]),
    )  # fmt: skip
    risks = st.sampled_from([
        UNLIMITED, RiskRecord(), RiskRecord(max_positions=1, max_daily_loss=0.005),
        RiskRecord(max_losses=2, cooldown_h=12.0, max_drawdown=0.03, max_leverage=0.5),
    ]) | breakers() | bounded()  # fmt: skip

    def whole(rules: TradeRecord) -> st.SearchStrategy[TradeSetup]:
        return st.builds(
            TradeSetup, st.just(rules), costs, sizings(rules.stop_atr > 0), risks,
            st.just(10_000.0),
        )

    return rules_at_random().flatmap(whole)
