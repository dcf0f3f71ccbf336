"""Judgements of the risk manager as they travel."""

import math

from app.api.account import breaker_of
from app.api.base import iso
from app.risk import TailView, View
from opportunity.contracts import assessment as wire
from opportunity.contracts.risk import (
    ComponentItem,
    LimitBlock,
    PairItem,
    RiskBlock,
    RiskStatus,
    Side,
    TailItem,
    VarAnswer,
)
from opportunity.live.portfolio import PortfolioState
from opportunity.risk.assessment import fraction_of
from opportunity.risk.correlation import Pair
from opportunity.risk.manager import USUAL_SHARE
from opportunity.risk.value_at_risk import Method, Tail
from opportunity.trading.risk import RiskRecord


def block_of(state: PortfolioState, limits: RiskRecord) -> RiskBlock:
    """Return the account against its limits."""
    return RiskBlock(
        account_balance=state.cash,
        portfolio_value=state.equity,
        daily_risk_used=max(0.0, -state.day_pnl_pct),
        daily_pnl=state.day_pnl,
        open_positions=len(state.positions),
        current_drawdown=state.drawdown,
        max_drawdown=limits.max_drawdown,
        daily_risk_limit=limits.max_daily_loss,
        position_limit=limits.max_positions,
        can_trade=state.can_trade,
    )


def status_of(view: View, limits: RiskRecord, risk_per_trade: float | None) -> RiskStatus:
    """Return where the account stands."""
    state, found = view.state, view.found
    return RiskStatus(
        var95=found.var95,
        leverage=view.held.leverage,
        drawdown=state.drawdown,
        es95=fraction_of(found.tail95.es, view.held.equity),
        risk_status=block_of(state, limits),
        limits=LimitBlock(
            max_risk_per_trade=risk_per_trade,
            max_risk_per_day=limits.max_daily_loss,
            max_positions=limits.max_positions,
            max_correlation=limits.max_correlation,
            max_single_asset=limits.max_position,
            max_drawdown=limits.max_drawdown,
            max_var_95=limits.max_var95,
            max_leverage=limits.max_leverage,
        ),
        breakers=[breaker_of(line) for line in state.breakers],
        why_not=state.why_not,
        storage=state.storage,
        note=found.tail95.note,
        time=state.time,
        timestamp=iso(state.time),
        source=state.source,
    )


def tail_item(method: Method, tail: Tail, equity: float) -> TailItem:
    """Return what may be lost by one method."""
    return TailItem(
        method=method, var=tail.var, es=tail.es, var_fraction=fraction_of(tail.var, equity),
        es_fraction=fraction_of(tail.es, equity), note=tail.note,
    )


def var_answer(view: TailView, level: float, days: float, method: Method) -> VarAnswer:
    """Return the tail by every method, and by position."""
    held, parts = view.held, view.parts
    items = {name: tail_item(name, tail, held.equity) for name, tail in view.tails.items()}
    chosen, returns = items[method], held.returns
    rows = [] if parts is None else [
        ComponentItem(
            symbol=symbol, notional=float(held.notionals[i]), component=float(parts.parts[i]),
            marginal=float(parts.marginal[i]), alone=float(parts.alone[i]),
        )
        for i, symbol in enumerate(held.symbols)
    ]  # fmt: skip
    return VarAnswer(
        level=level,
        horizon_days=days,
        horizon_bars=None if returns is None else days * returns.bars_per_day,
        method=method,
        var=chosen.var,
        es=chosen.es,
        var_fraction=chosen.var_fraction,
        es_fraction=chosen.es_fraction,
        methods=list(items.values()),
        component_var=None if parts is None else parts.var,
        components=rows,
        diversified=None if parts is None else parts.diversified,
        portfolio_value=held.equity,
        timeframe=None if returns is None else returns.timeframe,
        n_rows=0 if returns is None else len(returns),
        shrinkage=view.shrinkage,
        missing=dict(held.missing),
        time=view.state.time,
        source=view.state.source,
    )


def pair_item(pair: Pair) -> PairItem:
    """Return a position held beside a new one."""
    return PairItem(
        symbol=pair.symbol, direction=word_of(pair.side), correlation=pair.correlation,
        together=pair.together, note=pair.note,
    )


def word_of(side: int) -> Side:
    """Return the direction of a side."""
    return "BULLISH" if side > 0 else "BEARISH"


def assessment_of(view: View, limits: RiskRecord) -> wire.PortfolioAssessment:
    """Return the whole assessment."""
    state, held, found = view.state, view.held, view.found
    var_ok = None if math.isnan(found.var95) else found.var95 <= limits.max_var95
    return wire.PortfolioAssessment(
        assessment_time=iso(state.time),
        time=state.time,
        overall_risk_score=found.score.total,
        risk_level=found.score.level,
        overall_risk=found.score.level,
        portfolio_value=state.equity,
        total_pnl=state.equity - state.start_cash,
        pnl_pct=fraction_of(state.equity - state.start_cash, state.start_cash),
        drawdown=state.drawdown,
        var=found.tail95.var,
        var_analysis=_tail_analysis(view, limits),
        concentration_analysis=_concentration(view, limits),
        correlation_analysis=wire.CorrelationAnalysis(
            score=found.score.parts["correlation"],
            highest=None if found.pair is None else found.pair[2],
            pair=None if found.pair is None else list(found.pair[:2]),
            limit=limits.max_correlation,
        ),
        drawdown_analysis=wire.DrawdownAnalysis(
            score=found.score.parts["drawdown"], current=state.drawdown, limit=limits.max_drawdown
        ),
        liquidity_analysis=_liquidity(view, limits),
        stress=[
            wire.StressItem(
                name=one.name, assumes=one.assumes, pnl=one.pnl, fraction=one.fraction,
                worst=one.worst, note=one.note,
            )
            for one in view.stressed
        ],
        risk_checks=wire.RiskChecks(
            daily_risk_ok=-state.day_pnl_pct < limits.max_daily_loss,
            drawdown_ok=state.drawdown < limits.max_drawdown,
            var_ok=var_ok,
            positions_ok=len(state.positions) <= limits.max_positions,
        ),
        alerts=[
            wire.AlertItem(
                code=one.code, severity=one.severity, message=one.message, value=one.value,
                limit=one.limit,
            )
            for one in found.alerts
        ],
        recommendations=list(found.recommendations),
        timeframe=None if held.returns is None else held.returns.timeframe,
        n_rows=0 if held.returns is None else len(held.returns),
        missing=dict(held.missing),
        source=state.source,
    )  # fmt: skip


def _tail_analysis(view: View, limits: RiskRecord) -> wire.VarAnalysis:
    found, equity = view.found, view.held.equity
    return wire.VarAnalysis(
        score=found.score.parts["var"],
        var_95=found.var95,
        var_99=fraction_of(found.tail99.var, equity),
        es_95=fraction_of(found.tail95.es, equity),
        es_99=fraction_of(found.tail99.es, equity),
        var_95_amount=found.tail95.var,
        var_99_amount=found.tail99.var,
        limit=limits.max_var95,
        methods=[tail_item(name, tail, equity) for name, tail in view.tails.items()],
    )


def _concentration(view: View, limits: RiskRecord) -> wire.ConcentrationAnalysis:
    held, found = view.held, view.found.exposure
    clusters = None if found.clusters is None else [
        wire.ClusterItem(symbols=list(one.symbols), net=one.net, gross=one.gross)
        for one in found.clusters
    ]  # fmt: skip
    return wire.ConcentrationAnalysis(
        score=view.found.score.parts["concentration"],
        herfindahl=found.herfindahl,
        effective_positions=found.effective_positions,
        largest=found.largest,
        limit=limits.max_position,
        long=found.long,
        short=found.short,
        gross=held.gross,
        net=held.net,
        leverage=held.leverage,
        by_asset=found.by_asset,
        clusters=clusters,
    )


def _liquidity(view: View, limits: RiskRecord) -> wire.LiquidityAnalysis:
    hours = dict(zip(view.held.symbols, view.found.hours.tolist(), strict=True))
    known = [value for value in hours.values() if not math.isnan(value)]
    longest = max(known) if known else None if hours else 0.0
    return wire.LiquidityAnalysis(
        share=limits.max_volume or USUAL_SHARE, longest_hours=longest, hours=hours
    )
