"""What backtest, sweep and walkforward share: which bars, judged on what, traded how."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments

if TYPE_CHECKING:
    from opportunity.backtest.history import History
    from opportunity.market.bars import Bars
    from opportunity.market.observations import Record
    from opportunity.market.timeframe import Timeframe
    from opportunity.trading.setup import TradeSetup

DEFAULT_TIMEFRAME: Final["Timeframe"] = "1h"

FILES: Final = (".parquet", ".feather", ".csv", ".json")


def add_market(parser: argparse.ArgumentParser) -> None:
    """Add which bars are read and what is scored."""
    option = parser.add_argument
    option("what", nargs="+", type=symbol_or_file, metavar="SYMBOL|FILE",
           help="stored symbols such as BTC/USDT, or files of bars; several share the cash")
    option("--data", type=arguments.folder, metavar="DIR",
           help="folder of stored bars (default: bars in the data folder)")
    option("--exchange", metavar="NAME", help="exchange folder in DIR, when there are several")
    option("--simulated", type=arguments.whole, metavar="SEED",
           help="bars of the simulated market of this seed instead; needs --to")
    option("--timeframe", type=arguments.one_timeframe, metavar="TF",
           help="of the bars that are walked (default: 1h; of a file its own)")
    option("--from", dest="start", type=arguments.moment, metavar="TIME",
           help="trade from TIME on (ISO 8601, UTC); what is before is warm-up "
           "(default: as soon as everything has scored)")
    option("--to", dest="end", type=arguments.moment, metavar="TIME",
           help="trade bars that have closed by TIME (default: to the last bar)")
    option("--timeframes", type=arguments.timeframes, metavar="TF,...",
           help="to score (default: those that the agent watches, as far as there is history)")
    option("--decision", type=arguments.one_timeframe, metavar="TF",
           help="at whose closes is decided (default: 1h, or the next longer)")
    option("--context", action="store_true",
           help="replay headlines, funding and so on of the data folder as they became known")
    option("--partial", action="store_true",
           help="accept symbols that begin late, end early or have long holes")


def add_setup(parser: argparse.ArgumentParser) -> None:
    """Add under what is traded."""
    option = parser.add_argument
    option("--cash", type=arguments.positive, default=10_000.0, metavar="X",
           help="at the start, quote currency (default: 10000)")
    for name, default in (("fee", 0.0005), ("slippage", 0.001), ("spread", 0.0)):
        option(f"--{name}", type=arguments.share, default=default, metavar="X",
               help=f"fraction per side (default: {default:g})")
    option("--rules", type=rules, default={}, metavar="NAME=VALUE,...",
           help="when to enter and leave, e.g. min_score=0.6,stop_atr=2,targets_r=1:2,time_stop=0")
    option("--risk", type=limits, default={}, metavar="NAME=VALUE,...",
           help="limits, e.g. max_positions=3,max_drawdown=0.2")
    option("--sizing", type=sizing, metavar="KIND[:AMOUNT]",
           help="risk:0.01 of the equity at the stop (default), equity:0.1 of it, notional:1000, "
           "all_in")
    option("--seed", type=arguments.whole, default=0, metavar="N", help="of what is drawn (0)")


def symbol_or_file(text: str) -> Any:
    """Return an existing file as a path, or a symbol in its unified spelling."""
    from opportunity.market.symbols import parse_symbol

    path = Path(text).expanduser()
    if path.is_file():
        return path
    if path.suffix.lower() in FILES:
        raise argparse.ArgumentTypeError(f"must be an existing file, was {text!r}")
    try:
        return parse_symbol(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a symbol or a file, was {text!r}") from error


def rules(text: str) -> dict[str, Any]:
    """Parse ``name=value,...`` of trade rules; lists as ``1:2:3``."""
    from opportunity.trading.rules import TradeRecord

    return _settings(text, "trade rule", TradeRecord().as_dict(), TradeRecord)


def limits(text: str) -> dict[str, Any]:
    """Parse ``name=value,...`` of risk limits."""
    from opportunity.trading.risk import RiskRecord

    return _settings(text, "risk limit", RiskRecord().as_dict(), RiskRecord)


@arguments.checked
def sizing(text: str) -> Any:
    """Parse a sizing such as ``risk:0.01``."""
    from opportunity.trading.costs import Sizing

    kind, colon, amount = text.partition(":")
    usual = {"risk": 0.01, "equity": 0.1, "notional": 1_000.0}
    return Sizing(kind, _number(amount) if colon else usual.get(kind, 1.0))


def setup_of(args: argparse.Namespace) -> "TradeSetup":
    """Return rules, costs, size, limits and cash.

    Raises
    ------
    ValueError
        If they do not fit each other.
    """
    from opportunity.trading.costs import Costs, Sizing
    from opportunity.trading.risk import RiskRecord
    from opportunity.trading.rules import TradeRecord
    from opportunity.trading.setup import TradeSetup

    setup = TradeSetup(
        TradeRecord(**args.rules), Costs(args.fee, args.slippage, args.spread),
        args.sizing or Sizing(), RiskRecord(**args.risk), args.cash,
    )  # fmt: skip
    setup.terms()  # raises where a size follows from a stop and there is none
    return setup


def history_of(
    args: argparse.Namespace, tell: Callable[[int, int], None] | None = None
) -> "History":
    """Read the bars and run the detectors over them; `tell` hears of bars done and in all.

    Raises
    ------
    OpportunityError, ValueError, OSError
        If bars or their warm-up are missing, or break a rule.
    """
    from contextlib import nullcontext

    from app.bar_source import telling
    from opportunity.backtest.history import prepare

    _check_span(args)
    bars, records = bars_of(args)
    stored = not any(isinstance(item, Path) for item in args.what)
    with telling(_source(args), args.timeframe or DEFAULT_TIMEFRAME) if stored else nullcontext():
        return prepare(
            bars, timeframes=args.timeframes, decision_timeframe=args.decision,
            observations=records, start=args.start, end=args.end, partial=args.partial,
            progress=tell,
        )  # fmt: skip


def _check_span(args: argparse.Namespace) -> None:
    from opportunity.market.timeframe import utc_text

    if args.start is not None and args.end is not None and args.end <= args.start:
        raise ValueError(
            f"--to must be later than --from {utc_text(args.start)}, was {utc_text(args.end)}"
        )


def bars_of(args: argparse.Namespace) -> "tuple[list[Bars], list[Record] | None]":
    """Return the bars that are asked for, and what was known besides them where that is asked."""
    found = [_file(item, args) for item in args.what if isinstance(item, Path)]
    symbols = [item for item in args.what if not isinstance(item, Path)]
    if not symbols:
        if args.context:
            raise ValueError("--context needs a data folder: a file has nothing but bars")
        return found, None
    source = _source(args)
    timeframe = args.timeframe or DEFAULT_TIMEFRAME
    start, end = _first(args), args.end
    found += [source.load(symbol, timeframe, start, end or _FOREVER) for symbol in symbols]
    return found, source.records(found) if args.context else None


_FOREVER: Final = 4_102_444_800_000  # 2100


def _source(args: argparse.Namespace) -> Any:
    from app.bar_source import FOLDER, SimulatedBars, StoredBars, stored
    from opportunity.config import load_settings
    from opportunity.market.store import BarStore

    if args.simulated is not None:
        from opportunity.feeds.simulation.market import SimulatedMarket

        if args.end is None:
            raise ValueError("--simulated needs --to: that market has no last bar")
        symbols = [item for item in args.what if not isinstance(item, Path)]
        return SimulatedBars(SimulatedMarket(symbols, args.simulated), lambda: _FOREVER)
    if args.data is not None:
        return StoredBars(BarStore(args.data, args.exchange))
    folder = load_settings().home / FOLDER
    if args.exchange is not None:
        return stored(folder, args.exchange)
    return StoredBars(BarStore(folder))


def _first(args: argparse.Namespace) -> int:
    """Return from when on bars are read: everything, or the start less its warm-up."""
    from opportunity.backtest.span import chosen_frames, warm_from

    if args.start is None:
        if args.simulated is not None:
            raise ValueError("--simulated needs --from: that market is long")
        return 0
    base: Timeframe = args.timeframe or DEFAULT_TIMEFRAME
    return warm_from(args.start, chosen_frames(base, args.timeframes, args.decision))


def _file(path: Path, args: argparse.Namespace) -> "Bars":
    from opportunity.market.readers import read_bars
    from opportunity.market.resample import resample

    bars = read_bars(path)
    if not bars.symbol and len(args.what) > 1:
        bars = bars.label(symbol=path.stem)
    if args.timeframe is None or bars.timeframe == args.timeframe:
        return bars
    if bars.timeframe is None:
        return bars.label(timeframe=args.timeframe)
    return resample(bars, args.timeframe)


def _settings(
    text: str, what: str, known: Mapping[str, Any], record: Callable[..., Any]
) -> dict[str, Any]:
    from opportunity.errors import unknown

    values: dict[str, Any] = {}
    try:
        for part in arguments.names(text):
            name, sign, value = (piece.strip() for piece in part.partition("="))
            if not sign:
                raise ValueError(f"must be NAME=VALUE,..., was {part!r}")
            if name not in known:
                raise ValueError(unknown(what, name, known))
            values[name] = _value(name, value, known[name])
        if "targets_r" in values and "shares" not in values:
            n = len(values["targets_r"])
            values["shares"] = (1 / max(n, 1),) * n
        record(**values)  # raises where a value is out of its range
    except ValueError as error:
        raise arguments.wrong(error) from error
    return values


def _value(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, was {text!r}")
        return text == "true"
    if isinstance(default, list):
        return tuple(_number(part) for part in text.split(":") if part)
    if isinstance(default, int):
        number = _number(text)
        if number != int(number):
            raise ValueError(f"{name} must be a whole number, was {text!r}")
        return int(number)
    if isinstance(default, float):
        return _number(text)
    return None if text == "none" else text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"must be a number, was {text!r}") from error
