"""The metrics of a run, each with its unit and where it comes from."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.curve_metrics import (
    NAN,
    annual_factor,
    deviation,
    divide,
    growth_per_year,
    moments,
    tails,
    trace,
    years_of,
)
from opportunity.backtest.tally_metrics import metrics_of_tallies as metrics_of_tallies
from opportunity.backtest.tally_metrics import metrics_of_tally as metrics_of_tally
from opportunity.backtest.trade_metrics import TradeArray, measure_trades
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a run was worth.

    Money is in quote currency, shares are fractions of 1, undefined is NaN (null on the wire).
    Returns are those of the bars of the equity, flat bars too; the risk-free rate is 0; a year
    has 365.25 days.

    Parameters
    ----------
    bars : int
        Bars of the equity.
    years : float
        From the open of the first bar to the close of the last.
    annual_factor : float
        Bars of a year, from the median distance of closes.
    initial_equity, final_equity, net_profit : float
        Money before the first bar, at the last close, and what came in between.
    total_return : float
        Fraction of the initial equity, >= -1 without leverage.
    cagr : float
        Compound growth a year, fraction; -1 where nothing is left.
    volatility : float
        Sample deviation of returns times the root of the factor, a year.
    sharpe : float
        Mean by deviation of returns, a year. Source: Sharpe, "The Sharpe ratio", Journal of
        Portfolio Management 21, 1994.
    sortino : float
        Mean by the root of the mean squared loss below 0 over all bars, a year. Source: Sortino,
        Price, "Performance measurement in a downside risk framework", Journal of Investing 3,
        1994.
    calmar : float
        `cagr` by `max_drawdown` of the whole run. Source: Young, "Calmar ratio: a smoother
        tool", Futures 20, 1991 (there over 36 months).
    recovery_factor : float
        Net profit by the largest fall in money. Source: custom of trade reports; no first author
        is known.
    skew, kurtosis : float
        Of returns; a normal distribution has 0 and 3. Source: Fisher, "The moments of the
        distribution for normal samples", Proceedings of the Royal Society A 130, 1930.
    max_drawdown : float
        Deepest fall below the peak so far, fraction >= 0. Source: Magdon-Ismail, Atiya, "Maximum
        drawdown", Risk 17, 2004.
    max_drawdown_money : float
        Largest fall below a peak, money >= 0.
    max_drawdown_bars, max_drawdown_ms : int
        Longest stay below a peak, bars, and ms from the peak to the last bar below it; it need
        not be the deepest one.
    var_95, var_99 : float
        Loss of a bar that one in 20 (100) exceeds, fraction, positive is a loss; historical.
        Source: Jorion, "Value at risk", McGraw-Hill, 2006.
    es_95, es_99 : float
        Mean loss of those bars. Source: Acerbi, Tasche, "On the coherence of expected
        shortfall", Journal of Banking & Finance 26, 2002.
    exposure : float
        Share of bars at whose close something was held.
    turnover, turnover_yearly : float
        Notional of all fills by the mean equity; the same a year.
    trades, long_trades, short_trades, wins, losses : int
        Closed trades; a trade that gained nothing is a loss.
    win_rate : float
        Wins by trades.
    profit_factor : float
        Sum of wins by sum of losses; NaN without losses. Source: custom, as above.
    expectancy : float
        Mean pnl of a trade, money: win_rate * avg_win + (1 - win_rate) * avg_loss. Source: Tharp,
        "Trade your way to financial freedom", McGraw-Hill, 1998.
    avg_win, avg_loss, largest_win, largest_loss : float
        Of the pnl after all costs, money; losses are <= 0.
    max_consecutive_wins, max_consecutive_losses : int
        In the order in which trades closed.
    avg_trade_ms, avg_trade_bars : float
        From the entry to the last exit, ms, and bars of the decision timeframe.
    avg_r, best_r, worst_r : float
        Of pnl by what was at risk at the first stop, for trades with a stop. Source: Tharp, as
        above.
    sqn : float
        Root of trades times mean by deviation of R; tables for it presume at most 100 trades.
        Source: Tharp, "The definitive guide to position sizing", IITM, 2008.
    avg_mae, avg_mfe : float
        Mean of the worst and the best excursion of a trade, in R, or in fractions of the entry
        without a stop. Source: Sweeney, "Maximum adverse excursion", Wiley, 1997.
    kelly : float
        Share of equity of the fastest growth, win_rate - (1 - win_rate) |avg_loss| / avg_win;
        not clamped. Source: Kelly, "A new interpretation of information rate", Bell System
        Technical Journal 35, 1956.
    fees, slippage : float
        Money paid to the venue, and lost to worse prices (spread included); in the equity.
    funding : float
        Money got (paid where negative); NaN where rates are not known.
    """

    bars: int
    years: float
    annual_factor: float
    initial_equity: float
    final_equity: float
    net_profit: float
    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    calmar: float
    recovery_factor: float
    skew: float
    kurtosis: float
    max_drawdown: float
    max_drawdown_money: float
    max_drawdown_bars: int
    max_drawdown_ms: int
    var_95: float
    var_99: float
    es_95: float
    es_99: float
    exposure: float
    turnover: float
    turnover_yearly: float
    trades: int
    long_trades: int
    short_trades: int
    wins: int
    losses: int
    win_rate: float
    profit_factor: float
    expectancy: float
    avg_win: float
    avg_loss: float
    largest_win: float
    largest_loss: float
    max_consecutive_wins: int
    max_consecutive_losses: int
    avg_trade_ms: float
    avg_trade_bars: float
    avg_r: float
    best_r: float
    worst_r: float
    sqn: float
    avg_mae: float
    avg_mfe: float
    kelly: float
    fees: float
    slippage: float
    funding: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the fields by name, None for what is undefined or infinite."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value if math.isfinite(value) else None for name, value in pairs}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What metrics are worked out from.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms UTC, ascending; without warm-up.
    equity : ndarray of float64, shape (n_bars,)
        At those closes.
    cash : float
        Before the first bar, > 0.
    held : ndarray of float64 or bool, shape (n_bars,)
        Notional that was held at the close, or whether anything was.
    trades : array of TRADE
        In the order of their ends.
    account : record of ACCOUNT, or None
        At the end, for turnover, fees, slippage and funding; None where they are not known.
    funded : bool
        Funding rates were known: else funding is NaN.
    """

    time: TimeArray
    equity: FloatArray
    cash: float
    held: FloatArray | NDArray[np.bool_]
    trades: TradeArray
    account: Any = None
    funded: bool = False


def measure(run: Run) -> Metrics:
    """Work out the metrics of a run.

    Raises
    ------
    ValueError
        If lengths differ, there is no bar, or cash is not above zero.
    """
    if run.held.size != run.equity.size:
        raise ValueError(
            f"held must be of length {run.equity.size} as the equity, was {run.held.size}"
        )
    curve = trace(run.time, run.equity, run.cash)
    returns, factor, years = curve.returns, annual_factor(run.time), years_of(run.time)
    root = math.sqrt(factor) if factor > 0.0 else NAN
    mean, spread = float(returns.mean()), deviation(returns)
    losses = np.minimum(returns, 0.0)
    below = math.sqrt(float(losses @ losses) / returns.size)
    final = float(run.equity[-1])
    profit = final - run.cash
    cagr = growth_per_year(final / run.cash, years)
    skew, kurtosis = moments(returns)
    var_95, es_95 = tails(returns, 0.05)
    var_99, es_99 = tails(returns, 0.01)
    turnover = divide(_of(run.account, "turnover"), float(run.equity.mean()))
    return Metrics(
        bars=int(returns.size),
        years=years,
        annual_factor=factor,
        initial_equity=float(run.cash),
        final_equity=final,
        net_profit=profit,
        total_return=profit / run.cash,
        cagr=cagr,
        volatility=spread * root,
        sharpe=divide(mean, spread) * root,
        sortino=divide(mean, below) * root,
        calmar=divide(cagr, curve.drawdown),
        recovery_factor=divide(profit, curve.drawdown_money),
        skew=skew,
        kurtosis=kurtosis,
        max_drawdown=curve.drawdown,
        max_drawdown_money=curve.drawdown_money,
        max_drawdown_bars=curve.longest_bars,
        max_drawdown_ms=curve.longest_ms,
        var_95=var_95,
        var_99=var_99,
        es_95=es_95,
        es_99=es_99,
        exposure=float((run.held > 0).mean()),
        turnover=turnover,
        turnover_yearly=divide(turnover, years),
        **asdict(measure_trades(run.trades)),
        fees=_of(run.account, "fees"),
        slippage=_of(run.account, "slippage"),
        funding=_of(run.account, "funding") if run.funded else NAN,
    )


def _of(account: Any, name: str) -> float:
    return NAN if account is None else float(account[name])
