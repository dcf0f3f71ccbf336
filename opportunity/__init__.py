"""A real-time opportunity agent for crypto markets: score, explain, rank and stream.

Names load on first use (PEP 562): importing the package costs milliseconds, not the seconds
that numba and pandas take.
"""

from typing import TYPE_CHECKING, Any, Final

# Public name -> module that owns it; None: the name is a room, a module of this package. The
# imports for type checkers below repeat the table, and a test holds the two equal.
_HOMES: Final[dict[str, str | None]] = {
    "Agent": "opportunity.live.agent",
    "BacktestResult": "opportunity.backtest.result",
    "Bar": "opportunity.market.bars",
    "BarError": "opportunity.errors",
    "Bars": "opportunity.market.bars",
    "BarStore": "opportunity.market.store",
    "Calibration": "opportunity.scoring.calibration",
    "CalibrationError": "opportunity.errors",
    "Comparison": "opportunity.scoring.comparison",
    "Costs": "opportunity.trading.costs",
    "CoverageError": "opportunity.errors",
    "DETECTORS": "opportunity.detectors",
    "FEEDS": "opportunity.feeds",
    "FolderRecords": "opportunity.feeds.record_folder",
    "History": "opportunity.backtest.history",
    "Metrics": "opportunity.backtest.metrics",
    "NotSweepable": "opportunity.errors",
    "OpportunityError": "opportunity.errors",
    "PaperTrading": "opportunity.live.paper_trading",
    "Plan": "opportunity.backtest.searched",
    "PRESETS": "opportunity.scoring.presets",
    "RemoteAgent": "opportunity.remote.agent",
    "RemoteError": "opportunity.remote.problems",
    "ReplayFeed": "opportunity.feeds.replay",
    "RiskLimits": "opportunity.trading.risk",
    "RiskManager": "opportunity.risk.manager",
    "ScanRules": "opportunity.strategy",
    "SearchResult": "opportunity.backtest.searched",
    "SimulatedFeed": "opportunity.feeds.simulated",
    "Sizing": "opportunity.trading.costs",
    "SweepResult": "opportunity.backtest.sweep",
    "TIMEFRAMES": "opportunity.market.timeframe",
    "TradeRules": "opportunity.trading.rules",
    "TradeSetup": "opportunity.trading.setup",
    "WalkForward": "opportunity.backtest.walked",
    "Weights": "opportunity.scoring.weights",
    "WhatIf": "opportunity.backtest.whatif",
    "backtest": None,
    "calibrate": "opportunity.live.calibrate",
    "compare": "opportunity.scoring.comparison",
    "connect": "opportunity.client",
    "detectors": None,
    "errors": None,
    "evidence_of": "opportunity.backtest.proof",
    "explain": "opportunity.scoring.explain",
    "feeds": None,
    "fit_weights": "opportunity.backtest.fit",
    "indicators": None,
    "inspect": "opportunity.market.quality",
    "judge": "opportunity.backtest.guards",
    "peers_of": "opportunity.backtest.peers",
    "plots": None,
    "prepare": "opportunity.backtest.history",
    "read_bars": "opportunity.market.readers",
    "read_records": "opportunity.feeds.records",
    "resample": "opportunity.market.resample",
    "scan": "opportunity.live.scanner",
    "score": "opportunity.scoring.ensemble",
    "search": "opportunity.backtest.search",
    "study": "opportunity.scoring.study",
    "surface": "opportunity.backtest.surface",
    "sweep": "opportunity.backtest.sweep",
    "walk_forward": "opportunity.backtest.walkforward",
}

if TYPE_CHECKING:
    from opportunity import detectors as detectors
    from opportunity import errors as errors
    from opportunity import feeds as feeds
    from opportunity import indicators as indicators
    from opportunity import plots as plots
    from opportunity.backtest.engine import backtest as backtest
    from opportunity.backtest.fit import fit_weights as fit_weights
    from opportunity.backtest.guards import judge as judge
    from opportunity.backtest.history import History as History
    from opportunity.backtest.history import prepare as prepare
    from opportunity.backtest.metrics import Metrics as Metrics
    from opportunity.backtest.peers import peers_of as peers_of
    from opportunity.backtest.proof import evidence_of as evidence_of
    from opportunity.backtest.result import BacktestResult as BacktestResult
    from opportunity.backtest.search import search as search
    from opportunity.backtest.searched import Plan as Plan
    from opportunity.backtest.searched import SearchResult as SearchResult
    from opportunity.backtest.surface import surface as surface
    from opportunity.backtest.sweep import SweepResult as SweepResult
    from opportunity.backtest.sweep import sweep as sweep
    from opportunity.backtest.walked import WalkForward as WalkForward
    from opportunity.backtest.walkforward import walk_forward as walk_forward
    from opportunity.backtest.whatif import WhatIf as WhatIf
    from opportunity.client import connect as connect
    from opportunity.detectors import DETECTORS as DETECTORS
    from opportunity.errors import BarError as BarError
    from opportunity.errors import CalibrationError as CalibrationError
    from opportunity.errors import CoverageError as CoverageError
    from opportunity.errors import NotSweepable as NotSweepable
    from opportunity.errors import OpportunityError as OpportunityError
    from opportunity.feeds import FEEDS as FEEDS
    from opportunity.feeds.record_folder import FolderRecords as FolderRecords
    from opportunity.feeds.records import read_records as read_records
    from opportunity.feeds.replay import ReplayFeed as ReplayFeed
    from opportunity.feeds.simulated import SimulatedFeed as SimulatedFeed
    from opportunity.live.agent import Agent as Agent
    from opportunity.live.calibrate import calibrate as calibrate
    from opportunity.live.paper_trading import PaperTrading as PaperTrading
    from opportunity.live.scanner import scan as scan
    from opportunity.market.bars import Bar as Bar
    from opportunity.market.bars import Bars as Bars
    from opportunity.market.quality import inspect as inspect
    from opportunity.market.readers import read_bars as read_bars
    from opportunity.market.resample import resample as resample
    from opportunity.market.store import BarStore as BarStore
    from opportunity.market.timeframe import TIMEFRAMES as TIMEFRAMES
    from opportunity.remote.agent import RemoteAgent as RemoteAgent
    from opportunity.remote.problems import RemoteError as RemoteError
    from opportunity.risk.manager import RiskManager as RiskManager
    from opportunity.scoring.calibration import Calibration as Calibration
    from opportunity.scoring.comparison import Comparison as Comparison
    from opportunity.scoring.comparison import compare as compare
    from opportunity.scoring.ensemble import score as score
    from opportunity.scoring.explain import explain as explain
    from opportunity.scoring.presets import PRESETS as PRESETS
    from opportunity.scoring.study import study as study
    from opportunity.scoring.weights import Weights as Weights
    from opportunity.strategy import ScanRules as ScanRules
    from opportunity.trading.costs import Costs as Costs
    from opportunity.trading.costs import Sizing as Sizing
    from opportunity.trading.risk import RiskLimits as RiskLimits
    from opportunity.trading.rules import TradeRules as TradeRules
    from opportunity.trading.setup import TradeSetup as TradeSetup

    __version__: str
else:
    # Hidden from type checkers: a visible module __getattr__ would let every misspelt name pass.
    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from opportunity.version import version

            value = version()
        elif name in _HOMES:
            value = _load(name)
        elif name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        else:
            from opportunity.errors import unknown

            raise AttributeError(unknown(f"attribute of {__name__}", name, _HOMES))
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "__version__"})


def _load(name: str) -> Any:
    from importlib import import_module

    home = _HOMES[name]
    if home is None:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(home), name)
