from builders import HOUR, START, random_bars

from opportunity.backtest.batches import batches_of
from opportunity.backtest.evidence import folded
from opportunity.backtest.warmup import Readiness
from opportunity.market.bars import Bars
from opportunity.market.timeframe import utc_text


def ready(*sizes: int, frames=("1h", "4h"), start=None, partial=False) -> Readiness:
    """Hourly bars of symbols that end together."""
    longest = max(sizes)
    bars = [_last(longest, n).label(symbol=f"S{i}") for i, n in enumerate(sizes)]
    batches = batches_of(bars, "1h")
    parts = tuple(tuple(folded(i, b, t, batches) for t in frames) for i, b in enumerate(bars))
    return Readiness(frames, parts, batches, start, partial)


def _last(longest: int, n: int) -> Bars:
    return random_bars(longest)[longest - n :]


def test_trading_begins_when_the_first_symbol_has_its_warm_up() -> None:
    made = ready(900, 600)
    known = made.parts[0][1].known
    assert made.first == known[99]
    assert made.ready.tolist()[0] == [99, known[99]]
    assert made.problems("1h") == []
    assert made.decides("1h")


def test_with_too_few_bars_it_never_begins() -> None:
    made = ready(300)
    assert made.first == len(made.batches) == 300
    assert not made.decides("1h")
    assert made.problems("1h") == ["S0: 4h needs 100 bars to score, has 75 in all"]


def test_a_start_needs_the_warm_up_before_its_first_decision() -> None:
    good = ready(900).first
    at = START + good * HOUR
    assert ready(900, start=at).problems("1h") == []
    assert ready(900, start=at).first == good
    early = ready(900, start=at - 4 * HOUR)
    (problem,) = early.problems("1h")
    assert problem.startswith("S0: 4h needs 100 bars to score, has 99 by the first decision at ")
    assert problem.endswith("; it is ready from " + utc_text(at))
    assert not ready(900, start=START + 900 * HOUR).decides("1h")


def test_a_symbol_that_is_too_young_is_named() -> None:
    (problem,) = ready(900, 300).problems("1h")
    assert problem == "S1: 4h needs 100 bars to score, has 75 in all"


def test_timeframes_are_usable_as_far_as_their_warm_up_leaves_half() -> None:
    frames = ("1h", "4h", "1d")
    assert ready(810, frames=frames).usable() == ("1h", "4h")
    assert ready(790, frames=frames).usable() == ("1h",)
    assert ready(5_000, frames=frames).usable() == frames
    start = START + 450 * HOUR
    assert ready(600, frames=frames, start=start).usable() == ("1h", "4h")
    assert ready(900, 300, frames=frames).usable() == ("1h",)
    assert ready(900, 300, frames=frames, partial=True).usable() == ("1h", "4h")


def test_of_keeps_the_timeframes_that_are_named() -> None:
    made = ready(900).of(["4h"])
    assert made.timeframes == ("4h",)
    assert [len(row) for row in made.parts] == [1]
    assert made.first == ready(900).first
