"""Results of backtests as they leave the server: the answer of the API, and files."""

from app.backtests import Ran, Swept
from opportunity.backtest.export import MEDIA, export
from opportunity.backtest.tables import plain, thin, trade_columns
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.backtest import (
    BacktestMetrics,
    BacktestResponse,
    BacktestTrade,
    CoverageReport,
    EquityPoint,
)
from opportunity.contracts.sweep import SweepResponse, SweptVector


def response_of(id: str, ran: Ran, points: int, trades: int) -> BacktestResponse:
    """Return a result as it travels.

    Parameters
    ----------
    id : str
        Of its job.
    ran : Ran
    points : int
        Of the equity at most: the extremes of each stretch stay.
    trades : int
        Newest trades at most.
    """
    result = ran.result
    at = thin(result.equity, points)
    series = zip(result.time[at].tolist(), result.equity[at].tolist(), strict=True)
    rows = plain(trade_columns(result, trades))
    metrics = result.metrics.as_dict()
    return BacktestResponse(
        id=id,
        equity_series=[EquityPoint(ts=ts, equity=equity) for ts, equity in series],
        equity_points=len(result.equity),
        metrics=BacktestMetrics(total_trades=metrics["trades"], **metrics),
        trades=[
            BacktestTrade(**dict(zip(rows, values, strict=True)))
            for values in zip(*rows.values(), strict=True)
        ],
        trades_total=len(result.trades),
        config=ran.config,
        funding=result.funding,
        coverage=CoverageReport(**result.coverage.as_dict()),
        warnings=warnings_of(ran),
        capsule=result.capsule.as_dict(),
        source=result.source,
    )


def swept_response(id: str, swept: Swept, points: int) -> SweepResponse:
    """Return what a sweep found as it travels; `points` of the equity at most."""
    found = swept.result
    frame = found.to_frame().head(swept.top)
    vectors, values = frame[list(DETECTOR_NAMES)], frame["value"].tolist()
    metrics = frame.drop(columns=["value", *DETECTOR_NAMES]).to_dict("records")
    at = thin(found.equity, points)
    series = zip(found.time[at].tolist(), found.equity[at].tolist(), strict=True)
    return SweepResponse(
        id=id,
        method=found.plan.method,
        objective=found.plan.aim.objective,
        n=len(found.values),
        weights=found.weights,
        value=found.value,
        equal_weights=found.equal_value,
        trials=found.trials.n,
        best=[
            SweptVector(weights=weights, value=value, metrics=row)
            for weights, value, row in zip(
                vectors.to_dict("records"), values, metrics, strict=True
            )
        ],
        equity_series=[EquityPoint(ts=ts, equity=equity) for ts, equity in series],
        equity_points=len(found.equity),
        source=found.source,
    )


def exported(ran: Ran, format: str, table: str) -> tuple[bytes, str]:
    """Return a result as a file, and its media type."""
    about = {
        "config": ran.config,
        "warnings": warnings_of(ran),
        "coverage": ran.result.coverage.as_dict(),
        "capsule": ran.result.capsule.as_dict(),
    }
    return export(ran.result, about, format, table), MEDIA[format]


def warnings_of(ran: Ran) -> list[str]:
    """Return what a reader of a result should know before believing it."""
    unknown = [] if ran.result.funding is not None else ["funding is not known and not counted"]
    return [*ran.result.warnings, *unknown]
