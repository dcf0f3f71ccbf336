"""What the form of the Research page asks for, checked and queued."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic

from app.backtest_plan import Plan, plan_of
from app.backtests import Swept
from app.jobs import Job
from app.research_jobs import (
    Folds,
    Walked,
    check_look,
    submit_calibration,
    submit_surface,
    submit_walk_forward,
)
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.backtest import BacktestRequest, MarketRequest
from opportunity.contracts.sweep import SweepRequest
from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol

if TYPE_CHECKING:
    from app.services import Services
    from opportunity.backtest.searched import Plan as Look

KINDS = ("backtest", "sweep", "walk_forward", "calibration", "surface")

Asked = TypeVar("Asked", bound=MarketRequest)


def submit(services: "Services", asked: Mapping[str, Any]) -> Job:
    """Queue what the form asks for; see `BacktestForm`.

    Raises
    ------
    OpportunityError, ValueError
        If it cannot be run; the text says why.
    """
    kind, market = str(asked.get("kind", "backtest")), dict(asked["market"])
    if kind not in KINDS:
        raise ValueError(unknown("kind of run", kind, KINDS))
    backtests, preset = services.backtests, str(asked.get("preset", ""))
    if kind in ("sweep", "walk_forward"):
        request = _read(SweepRequest, market | dict(asked.get("search", {})))
        plan, look = _plan(services, request, ""), _look(request)
        if kind == "walk_forward":
            return submit_walk_forward(backtests, plan, look, Folds(**asked.get("folds", {})))
        check_look(plan, look)
        return backtests.submit_sweep(plan, look, request.top)
    if kind == "calibration":
        method = asked.get("method", "isotonic")
        if method not in ("isotonic", "logistic"):
            raise ValueError(unknown("calibration method", method, ("isotonic", "logistic")))
        plan = _plan(services, _read(MarketRequest, market), preset)
        return submit_calibration(backtests, plan, method)
    plan = _plan(services, _read(BacktestRequest, market), preset)
    return submit_surface(backtests, plan) if kind == "surface" else backtests.submit(plan)


def submit_test(services: "Services", found: Any, row: int) -> Job:
    """Queue a backtest of one vector that a search found, on the market it was found on.

    Parameters
    ----------
    services : Services
    found : Swept or Walked
    row : int
        Of the best of a sweep, or the fold of a walk-forward.

    Raises
    ------
    ValueError
        If there is no such row, or the result has no vectors.
    """
    if isinstance(found, Walked):
        table = [dict(zip(DETECTOR_NAMES, w, strict=True)) for w in found.result.weights.tolist()]
    elif isinstance(found, Swept):
        from app.components.sweep_result import best_rows

        table = [row["weights"] for row in best_rows(found.result)]
    else:
        raise ValueError(f"result must hold weights, was {type(found).__name__}")
    if not 0 <= row < len(table):
        raise ValueError(f"row must be in 0..{len(table) - 1}, was {row}")
    return services.backtests.submit(replace(found.plan, weights=table[row]))


def _read(kind: type[Asked], fields: Mapping[str, Any]) -> Asked:
    try:
        return kind.model_validate(dict(fields))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from error


def _look(request: SweepRequest) -> "Look":
    from opportunity.backtest.judge import Aim
    from opportunity.backtest.searched import Plan as Look

    aim = Aim(request.objective, request.least_trades)
    return Look(request.method, request.n, aim, request.seed)


def _plan(services: "Services", request: MarketRequest, preset: str) -> Plan:
    for name in request.names:
        if parse_symbol(name) not in services.symbols:
            raise ValueError(f"symbol must be one that is watched here, was {name}")
    return plan_of(request, _weights(services, preset))


def _weights(services: "Services", preset: str) -> dict[str, float]:
    if not preset:
        return services.weights.as_dict()
    saved = {p.name: dict(p.weights) for p in services.controls.presets()}
    if preset not in saved:
        raise ValueError(unknown("preset", preset, saved))
    return saved[preset]
