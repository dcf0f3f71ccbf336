"""The backtest: live decisions over history, traded by the functions that trade live."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.backtest.batches import Batches, batches_of
from opportunity.backtest.capsule import Capsule, code_version, digest_of
from opportunity.backtest.coverage import Coverage, cover, refuse, span_problems
from opportunity.backtest.decisions import Decisions, decide_all
from opportunity.backtest.drilldown import Drilled, finer_of
from opportunity.backtest.execution import Finer, Payments, Ran, execute
from opportunity.backtest.funding import payments_of
from opportunity.backtest.given import DIGESTED, given_of, sides_of
from opportunity.backtest.history import History, prepare
from opportunity.backtest.judge import LEAST_TRADES
from opportunity.backtest.result import BacktestResult
from opportunity.backtest.span import BarsLike, Moment, closed_by, named_bars, span_of
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors.base import WARMUP
from opportunity.market.observations import Funding
from opportunity.market.timeframe import DAY_MS, Timeframe, length_ms, utc_text
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.scoring.scores import Records
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import RiskLike, RulesLike, TradeSetup, risk_record, rules_record
from opportunity.version import version


def backtest(
    bars: BarsLike | History,
    *,
    weights: WeightsLike | None = None,
    timeframes: Iterable[str] | None = None,
    decision_timeframe: str | None = None,
    timeframe_weights: Mapping[str, float] | None = None,
    rules: RulesLike = None,
    costs: Costs | None = None,
    sizing: Sizing | None = None,
    risk: RiskLike = None,
    cash: float = 10_000.0,
    signal: ArrayLike | Mapping[str, ArrayLike] | None = None,
    finer: BarsLike | None = None,
    observations: Records = None,
    funding: Iterable[Funding] | None = None,
    start: Moment = None,
    end: Moment = None,
    partial: bool = False,
    seed: int = 0,
) -> BacktestResult:
    """Trade history as the live agent would have traded it.

    Every close of the decision timeframe is judged from the newest closed bar of every timeframe;
    what it decides fills at the next open, with costs. Order inside a bar: what waits fills at
    the open; a gap beyond a stop fills at the open; the stop comes before a target.

    Parameters
    ----------
    bars : Bars, sequence or mapping of Bars, or History
        Base bars of one or more symbols that share the cash. A `History` (of `op.prepare`) saves
        the time of running the detectors again.
    weights : Weights, mapping or ndarray, optional
        Of the detectors; defaults to balanced.
    timeframes, decision_timeframe, observations, start, end, partial
        See `op.prepare`; not with a `History`, which has them.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.
    rules : TradeRules, optional
        When to enter and how to leave; with a signal how to leave, see there.
    costs : Costs, optional
        Of every fill; by default 0.05 % fee and 0.1 % slippage.
    sizing : Sizing, optional
        Defaults to risking 1 % of the equity at the stop; for sides to hold to all of the cash.
    risk : RiskLimits, optional
        The limits that the live agent has, too; for sides to hold none unless given.
    cash : float
        At the start, quote currency, > 0.
    signal : array_like, or mapping of them by symbol, optional
        A side in {-1, 0, 1} at the close of each bar of `bars`, in place of detectors. Without
        `rules` it is the side to hold from there on, with no stop. With `rules` it is the side of
        an entry, 0 for none: fill, stop, targets, trailing, time stop, opposite and direction
        follow the rules, least scores and confidences do not apply, decisions fall on base bars
        and distances are in ATR 14 of those (no entry before it is known, where one is needed).
    finer : Bars, sequence or mapping of Bars, optional
        Shorter bars: where they are there they tell what came first inside a bar.
    funding : iterable of Funding, optional
        Settlements of perpetual contracts. Without them funding is unknown, not 0.
    seed : int
        Kept with the run.

    Returns
    -------
    BacktestResult

    Raises
    ------
    CoverageError
        If history or warm-up is missing.
    BarError
        If bars break a rule.
    TypeError, ValueError
        If an argument is of the wrong kind, unknown or out of its range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be a whole number, was {seed!r}")
    if signal is not None and isinstance(bars, History):
        raise TypeError("bars must be Bars with a signal, was a History")
    asked: dict[str, Any] = {
        "timeframes": timeframes, "decision_timeframe": decision_timeframe,
        "observations": observations, "start": start, "end": end,
    }  # fmt: skip
    holding = signal is not None and rules is None
    setup = TradeSetup(
        rules_record(rules), Costs() if costs is None else costs,
        (Sizing.all_in() if holding else Sizing()) if sizing is None else sizing,
        UNLIMITED if risk is None and holding else risk_record(risk), cash,
    )
    if signal is not None:
        scored = asked | {"weights": weights, "timeframe_weights": timeframe_weights}
        for name, value in scored.items():
            if value is not None and name not in ("start", "end"):
                raise ValueError(f"{name} must not be given with a signal: nothing is scored")
        assert not isinstance(bars, History)
        case = _signal_case(
            bars, signal, (start, end), partial, None if holding else setup.rules
        )
    else:
        case = _scored_case(_history(bars, asked, partial), setup, weights, timeframe_weights)
    return _traded(case, setup, _extras(case, finer, funding), seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """What is to be traded, whether it was judged or given."""

    symbols: tuple[str, ...]
    base: Timeframe
    decision: Timeframe
    batches: Batches
    table: NDArray[Any]
    decisions: Decisions | None
    source: str
    coverage: Coverage
    told: dict[str, Any]  # fields of the capsule
    holding: bool = False  # the table names sides to hold, not entries


@dataclass(frozen=True, slots=True, eq=False)
class _Extras:
    """What is known besides the bars: funding, and what happened inside them."""

    payments: Payments | None
    funded: bool
    parts: Finer | None
    drilled: Drilled | None


def _history(bars: BarsLike | History, asked: dict[str, Any], partial: bool) -> History:
    if not isinstance(bars, History):
        return prepare(bars, **asked, partial=partial)
    for name, value in {**asked, "partial": partial or None}.items():
        if value is not None:
            raise ValueError(f"{name} must not be given with a History, which has its own")
    return bars


def _missing(case: _Case) -> str:
    """Word how many bars are missing in what was traded, and in the warm-up that it needed."""
    start, end = int(case.batches.opened[0]), int(case.batches.time[-1])
    judged = case.decisions is not None
    warmup = WARMUP * max(length_ms(t) for t in case.told["timeframes"]) if judged else 0
    traded = case.coverage.missing_between(start, end)
    before = case.coverage.missing_between(start - warmup, start)
    found = [f"{traded:,} in what was traded"] if traded else []
    if before:
        found.append(f"{before:,} in the {warmup / DAY_MS:,.0f} days of warm-up before")
    return ", ".join(found)


def _scored_case(
    history: History, setup: TradeSetup, weights: WeightsLike | None,
    timeframe_weights: Mapping[str, float] | None,
) -> _Case:  # fmt: skip
    decisions = decide_all(history, weights, setup.rules, timeframe_weights)
    asked = history.coverage.asked
    return _Case(
        history.symbols, history.base, history.decision, history.batches.since(history.start_batch),
        shifted(decisions.table, history.start_batch), decisions, history.source,
        history.coverage,
        {
            "data": history.digest,
            "weights": dict(
                zip(DETECTOR_NAMES, weight_array(weights).tolist(), strict=True)
            ),
            "timeframe_weights": None if timeframe_weights is None else dict(timeframe_weights),
            "signal": "", "timeframes": history.timeframes, "start": asked.start, "end": asked.end,
        },
    )  # fmt: skip


def shifted(table: NDArray[Any], start_batch: int) -> NDArray[Any]:
    """Return the decisions that trade, with batches counted from the first that does."""
    kept: NDArray[Any] = table[table["batch"] >= start_batch].copy()
    kept["batch"] -= start_batch
    return kept


def _signal_case(
    bars: BarsLike, signal: ArrayLike | Mapping[str, ArrayLike], ends: tuple[Moment, Moment],
    partial: bool, rules: TradeRecord | None,
) -> _Case:  # fmt: skip
    asked = span_of(*ends)
    whole = named_bars(bars)
    given = given_of(whole, sides_of(whole, signal), rules)
    base = whole[0].timeframe
    assert base is not None
    named = closed_by(whole, asked.end, asked.start)
    coverage = cover(named, asked)
    problems = span_problems(coverage, length_ms(base), whole)
    if not any(len(b) for b in named):
        refuse(cover(named, asked, whole), problems or ["there are no bars"])
    if not partial:
        refuse(cover(named, asked, whole), problems)
    batches = batches_of(named, base)
    coverage = replace(coverage, start=int(batches.opened[0]), problems=tuple(problems))
    begins = [int(np.searchsorted(b.time, asked.start or 0)) for b in whole]
    rows = np.concatenate([
        one[a : a + len(part)] for a, part, one in zip(begins, named, given, strict=True)
    ])
    order = np.argsort(np.concatenate([b.time for b in named]), kind="stable")  # as in batches
    table = np.zeros(batches.n_rows, DECISION)
    table["batch"] = np.repeat(np.arange(len(batches)), np.diff(batches.first))
    table["time"] = batches.open_time + length_ms(base)
    table["symbol"] = batches.symbol
    for name in ("side", "flagged", "atr", "volume"):
        table[name] = rows[name][order]
    table["score"] = table["confidence"] = np.nan
    return _Case(
        tuple(b.symbol for b in named), base, base, batches, table, None,
        "+".join(sorted({b.source for b in named if b.source})), coverage,
        {
            "data": digest_of(*(a for b in named for a in (b.time, b.values))),
            "weights": None, "timeframe_weights": None, "signal": digest_of(
                *(np.ascontiguousarray(rows[name]) for name in DIGESTED[rules is None])
            ),
            "timeframes": (base,), "start": asked.start, "end": asked.end,
        },
        rules is None,
    )  # fmt: skip


def _extras(
    case: _Case, finer: BarsLike | None, funding: Iterable[Funding] | None
) -> _Extras:
    batches = case.batches
    payments, funded, parts, drilled = None, False, None, None
    if funding is not None:
        payments, funded = payments_of(
            funding, case.symbols, int(batches.opened[0]), int(batches.time[-1])
        )
    if finer is not None:
        try:
            given = named_bars(finer)
        except (TypeError, ValueError) as error:
            raise type(error)(f"finer: {error}") from None
        parts, drilled = finer_of(given, case.symbols, case.base, batches)
    return _Extras(payments, funded, parts, drilled)


def _traded(case: _Case, setup: TradeSetup, extras: _Extras, seed: int) -> BacktestResult:
    batches = case.batches
    ran = execute(
        batches, case.table, setup, len(case.symbols), case.holding, extras.payments,
        extras.parts,
    )
    bars = batches.split(case.symbols, case.base, case.source)
    capsule = Capsule(
        **case.told,
        first_bars={s.symbol: s.first for s in case.coverage.symbols if s.n_bars},
        code=code_version(),
        version=version(),
        decision_timeframe=case.decision,
        setup=setup.as_dict(),
        extras=_digest_of_extras(extras),
        seed=int(seed),
        result=digest_of(ran.equity, ran.fills, ran.trades, ran.orders),
    )
    return BacktestResult(
        case.symbols, case.base, case.decision, batches.time, ran.equity, ran.held, ran.trades,
        ran.fills, ran.orders, ran.account, ran.tally, case.decisions, setup, bars, case.source,
        extras.funded, extras.drilled, case.coverage, capsule, _warnings(case, extras, ran),
    )


def _digest_of_extras(extras: _Extras) -> str:
    arrays: list[NDArray[Any]] = []
    if extras.payments is not None:
        arrays += [extras.payments.time, extras.payments.symbol, extras.payments.rate]
    if extras.parts is not None:
        arrays += [extras.parts.first, extras.parts.opened, extras.parts.values]
    return digest_of(*arrays) if arrays else ""


def _warnings(case: _Case, extras: _Extras, ran: Ran) -> tuple[str, ...]:
    """Say what a reader must know before believing a number."""
    found = []
    if "simulated" in case.source:
        found.append("the market is simulated: results say nothing about a real one")
    missing = _missing(case)
    if missing:
        found.append(f"missing bars were not filled in: {missing}")
    found += case.coverage.problems
    if extras.payments is not None and not extras.funded:
        found.append("funding is known for a part of the time only: its sum is not known")
    ruined = np.flatnonzero(ran.equity <= 0.0)
    if ruined.size:
        when = utc_text(int(case.batches.time[ruined[0]]))
        found.append(f"nothing was left at {when}: no venue would have let it go on from there")
    n = int(ran.account["n_trades"][0])
    if n < LEAST_TRADES:
        trades = "trade is" if n == 1 else "trades are"
        found.append(f"{n} {trades} too few to judge by: {LEAST_TRADES} at least")
    return tuple(found)
