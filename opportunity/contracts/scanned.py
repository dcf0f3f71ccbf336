"""Wire models of the scanner seen from one symbol, and of the scanner itself."""

from typing import Final, Literal

from pydantic import Field

from opportunity.contracts.base import TIMEFRAME_NAMES, Answer, Number, Query, TimeframeName
from opportunity.contracts.scanner import ScanError, ScanItem

_NAME: Final = "(?:" + "|".join(TIMEFRAME_NAMES) + ")"


class ScannedQuery(Query):
    """On which timeframes."""

    timeframes: str = Field(
        "15m,1h,4h", pattern=f"^{_NAME}(?:,{_NAME}){{0,10}}$",
        description="names of timeframes with commas between them",
    )  # fmt: skip


class ScannedAnswer(Answer):
    """One symbol, taken apart, whether the shared rules rank it or not."""

    status: Literal["success", "no_data"] = Field(description="no_data: nothing could be scored")
    symbol: str
    id: str
    result: ScanItem | None = Field(description="null without data")
    stopped_by: list[str] = Field(description="shared rules that keep it from being ranked")
    errors: list[ScanError]
    source: str


class ScannerStatus(Answer):
    """What the scanner is doing and holds."""

    is_running: bool = Field(description="the agent runs and is switched on")
    scan_interval: float = Field(description="heartbeat, seconds")
    symbols: list[str]
    timeframes: list[TimeframeName]
    last_scan_time: int | None = Field(description="market time, ms UTC; null: none yet")
    last_scan_ms: Number = Field(description="how long it took")
    next_scan_time: int | None = Field(description="market time of the next heartbeat, ms UTC")
    cached_symbols: int = Field(description="symbols that have a score")
    total_cached_results: int = Field(description="pairs of symbol and timeframe that have one")
    source: str
