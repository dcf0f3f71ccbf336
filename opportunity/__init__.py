"""A real-time opportunity agent for crypto markets: score, explain, rank and stream.

Names load on first use (PEP 562): importing the package costs milliseconds, not the seconds
that numba and pandas take.
"""

from typing import TYPE_CHECKING, Any, Final

# Public name -> module that owns it; None: the name is a room, a module of this package. The
# imports for type checkers below repeat the table, and a test holds the two equal.
_HOMES: Final[dict[str, str | None]] = {
    "Agent": "opportunity.live.agent",
    "Bar": "opportunity.market.bars",
    "BarError": "opportunity.errors",
    "Bars": "opportunity.market.bars",
    "BarStore": "opportunity.market.store",
    "Calibration": "opportunity.scoring.calibration",
    "CalibrationError": "opportunity.errors",
    "CoverageError": "opportunity.errors",
    "DETECTORS": "opportunity.detectors",
    "FEEDS": "opportunity.feeds",
    "FolderRecords": "opportunity.feeds.record_folder",
    "OpportunityError": "opportunity.errors",
    "PRESETS": "opportunity.scoring.presets",
    "ReplayFeed": "opportunity.feeds.replay",
    "ScanRules": "opportunity.strategy",
    "SimulatedFeed": "opportunity.feeds.simulated",
    "TIMEFRAMES": "opportunity.market.timeframe",
    "Weights": "opportunity.scoring.weights",
    "calibrate": "opportunity.live.calibrate",
    "detectors": None,
    "errors": None,
    "explain": "opportunity.scoring.explain",
    "feeds": None,
    "indicators": None,
    "inspect": "opportunity.market.quality",
    "plots": None,
    "read_bars": "opportunity.market.readers",
    "read_records": "opportunity.feeds.records",
    "resample": "opportunity.market.resample",
    "scan": "opportunity.live.scanner",
    "score": "opportunity.scoring.ensemble",
    "study": "opportunity.scoring.study",
}

if TYPE_CHECKING:
    from opportunity import detectors as detectors
    from opportunity import errors as errors
    from opportunity import feeds as feeds
    from opportunity import indicators as indicators
    from opportunity import plots as plots
    from opportunity.detectors import DETECTORS as DETECTORS
    from opportunity.errors import BarError as BarError
    from opportunity.errors import CalibrationError as CalibrationError
    from opportunity.errors import CoverageError as CoverageError
    from opportunity.errors import OpportunityError as OpportunityError
    from opportunity.feeds import FEEDS as FEEDS
    from opportunity.feeds.record_folder import FolderRecords as FolderRecords
    from opportunity.feeds.records import read_records as read_records
    from opportunity.feeds.replay import ReplayFeed as ReplayFeed
    from opportunity.feeds.simulated import SimulatedFeed as SimulatedFeed
    from opportunity.live.agent import Agent as Agent
    from opportunity.live.calibrate import calibrate as calibrate
    from opportunity.live.scanner import scan as scan
    from opportunity.market.bars import Bar as Bar
    from opportunity.market.bars import Bars as Bars
    from opportunity.market.quality import inspect as inspect
    from opportunity.market.readers import read_bars as read_bars
    from opportunity.market.resample import resample as resample
    from opportunity.market.store import BarStore as BarStore
    from opportunity.market.timeframe import TIMEFRAMES as TIMEFRAMES
    from opportunity.scoring.calibration import Calibration as Calibration
    from opportunity.scoring.ensemble import score as score
    from opportunity.scoring.explain import explain as explain
    from opportunity.scoring.presets import PRESETS as PRESETS
    from opportunity.scoring.study import study as study
    from opportunity.scoring.weights import Weights as Weights
    from opportunity.strategy import ScanRules as ScanRules

    __version__: str
else:
    # Hidden from type checkers: a visible module __getattr__ would let every misspelt name pass.
    def __getattr__(name: str) -> Any:
        if name == "__version__":
            value = _version()
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


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError:
        return "0+unknown"  # run from a source tree that was never installed
