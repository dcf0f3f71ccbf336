"""The data itself: how far each stream can be trusted, and why."""

import numpy as np

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError, warming
from app.api.symbols import no_symbol, read_symbol
from app.auth.roles import Role
from opportunity.contracts.data import StreamTrust, TrustQuery, TrustResponse
from opportunity.market.symbols import compact
from opportunity.market.trust import FACTORS, weigh
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.trust import trust_note


class TrustHandler(BaseHandler):
    """Trust in the data, by stream."""

    @operation(Role.VIEWER, answer=TrustResponse, query=TrustQuery, problems=(404,))
    def get(self) -> None:
        """Return the streams that were asked about, the least trusted first."""
        asked, services = self.query(TrustQuery), self.services
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        if symbol is not None and symbol not in services.symbols:
            raise no_symbol(symbol, services.symbols)
        if asked.timeframe is not None and asked.timeframe not in services.timeframes:
            raise ApiError(
                400, "not_scored", f"timeframe must be one of {', '.join(services.timeframes)}, "
                f"was {asked.timeframe}", "timeframe",
            )  # fmt: skip
        found = services.evaluation()
        if found is None:
            raise warming()
        snapshot = found.snapshot.take(
            None if symbol is None else (symbol,),
            None if asked.timeframe is None else (asked.timeframe,),
        )
        summary = found.trust_summary
        self.send(
            TrustResponse(
                ts=snapshot.time,
                min_trust=found.rules.min_trust,
                lowest=summary.lowest,
                median=summary.median,
                vetoed=summary.n_vetoed,
                symbols=summary.n_symbols,
                streams=streams_of(snapshot, asked.limit),
                total=snapshot.trust.size,
                source=snapshot.source,
            )
        )


def streams_of(snapshot: MarketSnapshot, limit: int) -> list[StreamTrust]:
    """Return the least trusted streams, in the order of the axes where trust is equal."""
    order = np.argsort(snapshot.trust, axis=None, kind="stable")[:limit]
    rows, columns = np.unravel_index(order, snapshot.trust.shape)
    return [_stream(snapshot, (i, f)) for i, f in zip(rows.tolist(), columns.tolist(), strict=True)]


def _stream(snapshot: MarketSnapshot, at: tuple[int, int]) -> StreamTrust:
    symbol, timeframe = snapshot.symbols[at[0]], snapshot.timeframes[at[1]]
    facts = snapshot.distrust[at]
    return StreamTrust(
        symbol=symbol,
        id=compact(symbol),
        timeframe=timeframe,
        trust=float(snapshot.trust[at]),
        factors=dict(zip(FACTORS, weigh(facts)[0].tolist(), strict=True)),
        note=trust_note(facts, timeframe),
        bar_close=int(snapshot.closed[at]) or None,
    )


routes = [("/api/data/trust", TrustHandler)]
