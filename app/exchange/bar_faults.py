"""What can go wrong with single bars of the base timeframe; decided when the bar opens."""

from dataclasses import dataclass
from typing import ClassVar, Final

from app.exchange.faults import Bounds, Choices, Fault
from app.exchange.view import Change, Values, Where

WHERE: Final = ("both", "stream", "rest")


@dataclass(frozen=True, slots=True)
class Case:
    """The bar that a fault strikes: its opening time, length, numbers, and the price before."""

    opened: int
    length: int
    values: Values
    before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFault(Fault):
    """A fault of bars; each bar of each symbol is an occasion.

    `bars` are opening times in ms UTC to strike, past ones too; empty: every bar that opens
    from now on.
    """

    bars: tuple[int, ...] = ()

    def change(self, case: Case) -> Change:
        """Return how the bar differs."""
        raise NotImplementedError  # every kind says it; this class has none and is never ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(BarFault):
    """A closed bar is said otherwise from `after_bars` bars later on.

    Its close moves by `bp` hundredths of a percent, its volume by a factor. `frame`: a second
    closing frame says so too. `restore`: the bar was wrong at first and becomes what the market
    says, instead of the other way round.
    """

    kind: ClassVar[str] = "correction"
    bounds: ClassVar[Bounds] = {
        "after_bars": (1, 1_000), "bp": (-5_000, 5_000), "volume": (0, 100),
    }  # fmt: skip
    after_bars: int = 3
    bp: float = 20.0
    volume: float = 1.0
    frame: bool = False
    restore: bool = False

    def check(self) -> None:
        """Raise where nothing would change."""
        if self.bp == 0 and self.volume == 1:
            raise ValueError("bp must not be 0 where volume is 1, was 0")

    def change(self, case: Case) -> Change:
        """Return the bar with its two wordings."""
        o, h, low, c, v = case.values
        c *= 1 + self.bp / 1e4
        other = o, max(h, c), min(low, c), c, v * self.volume
        at = case.opened + (1 + self.after_bars) * case.length
        return Change(first=other, at=at) if self.restore else Change(then=other, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs(BarFault):
    """The stream's close is `bp` hundredths of a percent off what REST says."""

    kind: ClassVar[str] = "differs"
    bounds: ClassVar[Bounds] = {"bp": (-5_000, 5_000)}
    bp: float = 20.0

    def change(self, case: Case) -> Change:
        """Return the bar with its close moved in the stream."""
        return Change(nudge=1 + self.bp / 1e4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike(BarFault):
    """All prices of a bar times a factor, in the stream only."""

    kind: ClassVar[str] = "spike"
    bounds: ClassVar[Bounds] = {"factor": (1e-6, 1e6)}
    factor: float = 100.0

    def change(self, case: Case) -> Change:
        """Return the bar with its prices scaled in the stream."""
        return Change(scale=self.factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffGrid(BarFault):
    """A bar's times are off by `shift_ms`."""

    kind: ClassVar[str] = "off_grid"
    bounds: ClassVar[Bounds] = {"shift_ms": (-86_400_000, 86_400_000)}
    choices: ClassVar[Choices] = {"where": WHERE}
    shift_ms: int = 14_000
    where: str = "both"

    def change(self, case: Case) -> Change:
        """Return the bar with its times moved."""
        return Change(shifted=places(self.where), shift_ms=self.shift_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(BarFault):
    """A bar is missing for good, everywhere or only from the stream."""

    kind: ClassVar[str] = "gap"
    choices: ClassVar[Choices] = {"where": ("both", "stream")}
    where: str = "both"

    def change(self, case: Case) -> Change:
        """Return the bar left out."""
        return Change(missing=places(self.where))


@dataclass(frozen=True, slots=True, kw_only=True)
class LostClose(BarFault):
    """The frame that closes a bar never comes."""

    kind: ClassVar[str] = "lost_close"

    def change(self, case: Case) -> Change:
        """Return the bar without its closing frame."""
        return Change(lost=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat(BarFault):
    """A bar without a trade: the price before it, volume zero; in REST as well."""

    kind: ClassVar[str] = "flat"

    def change(self, case: Case) -> Change:
        """Return the flat bar."""
        flat = (case.before,) * 4 + (0.0,)
        return Change(first=flat, then=flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid(BarFault):
    """A bar with numbers that are none, or that no bar can have."""

    kind: ClassVar[str] = "invalid"
    choices: ClassVar[Choices] = {
        "what": ("nan", "null", "text", "inf", "negative", "crossed"), "where": WHERE,
    }  # fmt: skip
    what: str = "nan"
    where: str = "both"

    def change(self, case: Case) -> Change:
        """Return the bar with such numbers."""
        o, h, low, c, v = (f'"{x!r}"' for x in case.values)
        garbled = {
            "nan": (o, h, low, '"NaN"', v),
            "null": ("null", h, low, c, v),
            "text": (o, h, low, '"n/a"', v),
            "inf": (o, '"Infinity"', low, c, v),
            "negative": (o, h, f'"-{low[1:]}', c, v),
            "crossed": (o, low, f'"{case.values[1] * 1.01!r}"', c, v),
        }
        return Change(garbled=places(self.where), tokens=garbled[self.what])


def places(where: str) -> frozenset[Where]:
    """Return the set that a word stands for."""
    both: frozenset[Where] = frozenset({"rest", "stream"})
    return both if where == "both" else frozenset({"rest"} if where == "rest" else {"stream"})
