"""One scan on request, under the caller's own weights and rules."""

import time
from typing import Any

import numpy as np

from app.api.base import BaseHandler, iso
from app.api.operations import operation
from app.api.problems import ApiError, warming
from app.api.rows import scan_item
from app.api.symbols import no_symbol, not_watched, read_symbols, require_at_most
from app.api.weights import settle
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts.scanner import ScanError, ScanMeta, ScannerResponse, ScanRequest
from opportunity.contracts.weights import NormalizeQuery
from opportunity.live.scan_report import ScanReport
from opportunity.market.timeframe import Timeframe
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules


async def judge(
    services: Services,
    symbols: list[str],
    timeframes: list[Timeframe],
    weights: Weights | None,
    rules: ScanRules | None,
    quick: bool = False,
) -> ScanReport:
    """Scan, or say why the server cannot now.

    The agent scores every bar as it closes, so for its own timeframes nothing is fresher than
    what it has; other timeframes are scored from the feed's history unless `quick`.
    """
    if services.snapshot() is None:
        raise warming()
    if quick and not any(t in services.timeframes for t in timeframes):
        raise ApiError(
            400, "not_scored", "A quick scan needs a timeframe that the agent scores: "
            + ", ".join(services.timeframes), "timeframes",
        )  # fmt: skip
    return await services.scan(symbols, timeframes, weights, rules, quick)


class ScanHandler(BaseHandler):
    """A scan under one's own weights and rules; nobody else notices."""

    @operation(
        Role.VIEWER, answer=ScannerResponse, query=NormalizeQuery, body=ScanRequest,
        problems=(404,),
    )
    async def post(self) -> None:
        """Rank up to `max_symbols` symbols; what could not be scanned is in `errors`."""
        began = time.perf_counter()
        asked, services = self.body(ScanRequest), self.services
        normalize = self.query(NormalizeQuery).normalize
        known, errors = self._symbols(asked.symbols)
        rules = self._rules(asked)
        weights = Weights(**settle(asked.weights, normalize)) if asked.weights else None
        frames: list[Timeframe] = list(dict.fromkeys(asked.timeframes))
        quick = self._quick(asked)
        report = await judge(services, known, frames, weights, rules, quick)
        errors += [ScanError(symbol=s, message=text) for s, text in report.errors.items()]
        cached = quick or set(frames) <= set(services.timeframes)
        rows, snapshot = report.rows, report.evaluation.snapshot
        self.send(
            ScannerResponse(
                scan_time=iso(snapshot.time),
                symbols_scanned=len(snapshot.symbols),
                opportunities_found=len(rows),
                results=[scan_item(row) for row in rows],
                stale=[f"{s.symbol} {s.timeframe}" for s in report.stale],
                errors=errors,
                meta=ScanMeta(
                    consensus=float(np.mean([r.consensus for r in rows])) if rows else None,
                    duration_ms=(time.perf_counter() - began) * 1e3,
                    cache_hits=len(snapshot.symbols) if cached else 0,
                    rule=report.evaluation.rules.type,
                    errors=len(errors),
                ),
                source=snapshot.source,
            )
        )

    def _symbols(self, asked: list[str] | None) -> tuple[list[str], list[ScanError]]:
        limit = self.services.settings.max_symbols
        watched = self.services.symbols
        if asked is None:
            return list(self.services.controls.subscribed or watched)[:limit], []
        wanted = read_symbols(asked, "symbols")
        require_at_most(len(wanted), limit, "symbols")
        known = [symbol for symbol in wanted if symbol in watched]
        if not known:
            raise no_symbol(next(iter(wanted)), watched)
        errors = [
            ScanError(symbol=text, message=not_watched(symbol))
            for symbol, text in wanted.items()
            if symbol not in watched
        ]
        return known, errors

    def _rules(self, asked: ScanRequest) -> ScanRules | None:
        try:
            given = asked.resolve_rules()
        except ValueError as error:
            raise ApiError(400, "rule_twice", str(error), "rules") from error
        if "exclude_symbols" in given:
            names = read_symbols(given["exclude_symbols"], "rules.exclude_symbols")
            given["exclude_symbols"] = list(names)
        if not given:
            return None
        shared: dict[str, Any] = self.services.rules.as_dict()
        return ScanRules(**{**shared, **given})

    @staticmethod
    def _quick(asked: ScanRequest) -> bool:
        try:
            return asked.is_quick()
        except ValueError as error:
            raise ApiError(400, "rule_twice", str(error), "quick") from error


routes = [("/api/scanner/run", ScanHandler)]
