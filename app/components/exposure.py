"""Where the money is: by side, by asset, by cluster of assets that move as one."""

from typing import Any, ClassVar, Final

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from opportunity.risk.assessment import fraction_of
from opportunity.risk.exposure import Exposure
from opportunity.risk.held import Held
from opportunity.trading.risk import RiskRecord

MOST_ROWS: Final = 20
"""Assets and clusters that are listed, the largest first; of the rest their number is told."""


class ExposureView(Commanding):
    """Bars of long and short, of each asset against its limit, and of clusters."""

    _esm = figured_module("exposure")
    _stylesheets: ClassVar[list[str]] = [figured_style("exposure")]


def exposure_state(held: Held, exposure: Exposure, limits: RiskRecord) -> dict[str, Any]:
    """Return what is held as bars; money in quote currency, shares of the equity."""
    equity = held.equity
    assets = list(exposure.by_asset.items())
    clusters = exposure.clusters
    return {
        "equity": equity,
        "long": exposure.long,
        "short": exposure.short,
        "gross": held.gross,
        "net": held.net,
        "leverage": held.leverage,
        "limit": limits.max_position,
        "leverage_limit": limits.max_leverage,
        "herfindahl": exposure.herfindahl,
        "effective": exposure.effective_positions,
        "max_correlation": limits.max_correlation,
        "assets": [
            {"symbol": symbol, "notional": notional, "share": fraction_of(notional, equity)}
            for symbol, notional in assets[:MOST_ROWS]
        ],
        "more": max(0, len(assets) - MOST_ROWS),
        "clusters": None if clusters is None else [
            {"symbols": list(one.symbols), "net": one.net, "gross": one.gross,
             "share": fraction_of(one.gross, equity)}
            for one in clusters[:MOST_ROWS]
        ],
        "missing": dict(held.missing),
    }  # fmt: skip
