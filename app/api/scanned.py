"""The scanner seen from one symbol, and what the scanner itself is doing."""

from dataclasses import replace
from typing import cast

import numpy as np

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.rows import scan_item
from app.api.scanner import judge
from app.api.symbols import watched
from app.auth.roles import Role
from opportunity.contracts.paths import SymbolPath
from opportunity.contracts.scanned import ScannedAnswer, ScannedQuery, ScannerStatus
from opportunity.contracts.scanner import ScanError, ScanItem
from opportunity.market.symbols import compact
from opportunity.market.timeframe import Timeframe
from opportunity.ranked import Opportunity


def item_of(row: Opportunity | None) -> ScanItem | None:
    """Return a row as it travels, ranked or not; None where nothing could be scored."""
    if row is None or row.final_score != row.final_score:
        return None
    return scan_item(replace(row, rank=row.rank or 1))  # of one symbol it is the first


class ScannedHandler(BaseHandler):
    """One symbol on some timeframes."""

    @operation(
        Role.VIEWER, answer=ScannedAnswer, path=SymbolPath, query=ScannedQuery,
    )  # fmt: skip
    async def get(self, symbol: str) -> None:
        """Take a symbol apart under the shared weights; `no_data` where nothing is scored."""
        asked, services = self.query(ScannedQuery), self.services
        name = watched(self.places(SymbolPath).symbol, services.symbols)
        frames = cast(list[Timeframe], list(dict.fromkeys(asked.timeframes.split(","))))
        report = await judge(services, [name], frames, None, None)
        row = report.evaluation.find(name)
        item = item_of(row)
        self.send(ScannedAnswer(
            status="no_data" if item is None else "success",
            symbol=name, id=compact(name), result=item,
            stopped_by=[] if row is None or item is None else list(row.stopped_by),
            errors=[ScanError(symbol=s, message=text) for s, text in report.errors.items()],
            source=services.source,
        ))  # fmt: skip


class ScannerStatusHandler(BaseHandler):
    """The scanner."""

    @operation(Role.VIEWER, answer=ScannerStatus)
    def get(self) -> None:
        """Return what runs, how often, and how much of the market has a score."""
        services, agent = self.services, self.services.agent
        found = services.evaluation()
        scored = np.zeros((0, 0), bool) if found is None else np.isfinite(found.combined.net)
        self.send(ScannerStatus(
            is_running=agent.running and agent.enabled,
            scan_interval=agent.scan_interval_ms / 1e3,
            symbols=list(services.symbols), timeframes=list(services.timeframes),
            last_scan_time=agent.last_scan_at or None, last_scan_ms=agent.last_scan_ms,
            next_scan_time=agent.next_scan_at or None,
            cached_symbols=int(scored.any(axis=-1).sum()) if scored.size else 0,
            total_cached_results=int(scored.sum()), source=services.source,
        ))  # fmt: skip


routes = [
    ("/api/scanner/symbol/{symbol}", ScannedHandler),
    ("/api/scanner/status", ScannerStatusHandler),
]
