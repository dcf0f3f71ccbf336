"""Everything that an exchange can do wrong, and what the feed has to make of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opportunity.market.trust import FLAT
from tests.feeds.exchange.faultbed import AUDITED, SYMBOLS, Bed, Run

LASTS_S: Final = 2.5
KLINES: Final = ("klines",)
SLY: Final = frozenset({"correction", "differs"})
"""Faults that only an audit brings to light."""

WHOLE: Final = frozenset({"bad_frame", "depth_gap", "drop", "half_open", "maintenance", "stall"})
"""Faults that strike the streams of prints and books in other ways than those of bars."""


Expect = Callable[[Run], object]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One kind of misbehaviour, in one variant.

    Parameters
    ----------
    name : str
        Begins with the kind of the fault, which must strike.
    faults : tuple of dict
        What is ordered; each lasts `LASTS_S` unless it says otherwise.
    expect : tuple of callable
        Raise an AssertionError where the feed did not do what it should.
    still_on : bool
        Whether the faults go on to the end.
    """

    name: str
    faults: tuple[dict[str, Any], ...]
    expect: tuple[Expect, ...] = ()
    still_on: bool = False

    @property
    def kind(self) -> str:
        """The fault that must strike."""
        return self.name.split("-")[0]

    def bed(self, seed: int) -> Bed:
        """Return the surroundings for one seed: another market, another beginning."""
        after_s = (seed * 0.037) % 0.3
        plan = {} if self.still_on else {"for_s": LASTS_S}
        faults = tuple(plan | {"seed": seed, "after_s": after_s} | f for f in self.faults)
        after = AUDITED if self.kind in SLY else 5
        whole = self.kind in WHOLE
        return Bed(seed, faults, after=after, still_on=self.still_on, whole=whole)


# -- what is expected ---------------------------------------------------------------------------


def reconnected(run: Run) -> None:
    """Expect that bars came over a second connection."""
    assert run.reconnects >= 1


def noted(*kinds: str) -> Expect:
    """Expect notes of each of these kinds."""

    def check(run: Run) -> None:
        assert set(kinds) <= set(run.kinds()), f"noted {dict(run.kinds())}"

    return check


def unnoted(*kinds: str) -> Expect:
    """Expect no note of any of these kinds."""

    def check(run: Run) -> None:
        assert not set(kinds) & set(run.kinds()), f"noted {dict(run.kinds())}"

    return check


def seen(*states: str) -> Expect:
    """Expect that the line was told to be in one of these states for a while."""

    def check(run: Run) -> None:
        assert set(states) & run.states, f"told {run.states}"

    return check


def revised(run: Run) -> None:
    """Expect that trust knows of every symbol whose given bars have changed."""
    rows = [row for row, name in SYMBOL_ROWS if run.kinds(name)["corrected"]]
    assert rows
    assert all(run.faults.revised[row] + run.faults.mismatch[row] > 0 for row in rows)
    assert (run.trust[rows] < 1.0).all()


def as_the_market(run: Run) -> None:
    """Expect that every bar that was given is the market's."""
    for (row, time), bar in run.bars.items():
        assert bar == run.truth.market(row, time)


def ended(symbol: str) -> Expect:
    """Expect that one symbol is told to have ended, and only that."""

    def check(run: Run) -> None:
        row = SYMBOLS.index(symbol)
        assert run.faults.ended.tolist() == [r == row for r in range(len(SYMBOLS))]
        assert len(run.order[row]) < min(len(run.order[r]) for r in range(3) if r != row)

    return check


def back(symbol: str) -> Expect:
    """Expect that one symbol was told to have ended, and came back."""

    def check(run: Run) -> None:
        row = SYMBOLS.index(symbol)
        assert (row, "ended") in run.told
        assert not run.faults.ended.any()

    return check


def flat(run: Run) -> None:
    """Expect valid bars, and little trust after three without volume."""
    row = SYMBOLS.index("ETH/USDT")
    flats = [bar for (r, _), bar in run.bars.items() if r == row and bar[4] == 0.0]
    assert len(flats) >= 3
    assert all(len(set(bar[:4])) == 1 for bar in flats)
    assert run.trust[row] <= FLAT


def steady(run: Run) -> None:
    """Expect that nothing was changed after it was given."""
    assert not run.corrected


def distrusted(*rows: int) -> Expect:
    """Expect that trust in these symbols has fallen."""

    def check(run: Run) -> None:
        assert (run.trust[list(rows)] < 1.0).all(), run.trust

    return check


SYMBOL_ROWS: Final = tuple(enumerate(SYMBOLS))


def _one(kind: str, *expect: Expect, variant: str = "", **values: Any) -> Case:
    still_on = bool(values.pop("still_on", False))
    name = f"{kind}-{variant}" if variant else kind
    return Case(name, ({"kind": kind, **values},), expect, still_on)


def _again(kind: str, *expect: Expect, **values: Any) -> Case:
    """Return a case in which the line is cut first, so that it must be dialled again."""
    return Case(kind, ({"kind": kind, **values}, {"kind": "drop", "after_s": 0.4}), expect)


def _clean(run: Run) -> None:
    steady(run)
    as_the_market(run)


SOME: Final = {"probability": 0.25}

CASES: Final = (
    # REST
    _one("rate_limit", seen("limited"), _clean, variant="429", paths=KLINES, times=1,
         retry_after_s=2),
    _one("rate_limit", seen("limited", "banned"), _clean, variant="429-again", every=3,
         retry_after_s=2),
    _one("rate_limit", seen("limited"), _clean, variant="429-drop", times=1, retry_after_s=2,
         ban_s=1.8),
    _one("rate_limit", seen("banned"), _clean, variant="418", status=418, times=1,
         retry_after_s=2),
    _one("server_error", _clean, variant="500", status=500),
    _one("server_error", _clean, variant="502-html", status=502, body="html", probability=0.5),
    _one("server_error", _clean, variant="503-empty", status=503, body="empty", probability=0.5),
    _one("html", _clean, variant="200"),
    _one("html", _clean, variant="502", status=502),
    _one("empty_body", _clean),
    _one("truncated_json", _clean, variant="half"),
    _one("truncated_json", _clean, variant="most", keep=0.97, probability=0.7),
    _one("short_body", _clean),
    _one("slow", _clean, delay_s=0.4),
    _one("refuse", _clean),
    _one("maintenance", seen("down", "recovering"), _clean, reconnected),
    _one("clock_skew", _clean, variant="ahead", by_ms=5_000),
    _one("clock_skew", _clean, variant="behind", by_ms=-120_000),
    _one("delist", ended("SOL/USDT"), variant="for-good", symbols=["SOL/USDT"], still_on=True),
    _one("delist", back("SOL/USDT"), variant="halt", symbols=["SOL/USDT"]),
    # sockets
    _one("stall", reconnected, _clean),
    _one("stall", reconnected, _clean, variant="new-too", new_too=True),
    _one("stall", noted("rest"), _clean, variant="one-symbol", symbols=["ETH/USDT"]),
    _one("half_open", reconnected, _clean),
    _one("half_open", reconnected, _clean, variant="new-too", new_too=True),
    _one("drop", reconnected, _clean, variant="once"),
    _one("drop", reconnected, _clean, variant="flapping", period_s=0.4),
    _one("day_cut", reconnected, _clean, age_s=0.9),
    _again("handshake", reconnected, seen("recovering"), _clean, retry_after_s=None),
    _again("error_ack", reconnected, seen("recovering"), _clean),
    # frames
    _one("duplicate", unnoted("corrected", "refused"), _clean, copies=3),
    _one("reorder", _clean, probability=0.4, delay_s=0.15),
    _one("reorder", _clean, variant="closing", closing=True, probability=0.5, delay_s=0.25),
    _one("bad_frame", _clean, variant="list", what="list", **SOME),
    _one("bad_frame", _clean, variant="cut", what="cut", probability=0.05),
    _one("bad_frame", _clean, variant="no-k", what="no_k", **SOME),
    _one("bad_frame", _clean, variant="instead", what="no_k", instead=True, **SOME),
    _one("depth_gap", _clean, **SOME),
    _one("swap", noted("corrected"), as_the_market, distrusted(0, 1), variant="far",
         symbols=["BTC/USDT", "ETH/USDT"]),
    # bars
    _one("correction", noted("corrected"), revised, bp=20.0, probability=0.25),
    _one("correction", noted("corrected"), revised, variant="frame", bp=-300.0, frame=True,
         probability=0.25),
    _one("correction", noted("corrected"), revised, variant="restore", bp=60.0, restore=True,
         probability=0.25),
    _one("correction", noted("corrected"), revised, variant="volume", bp=0.0, volume=3.0,
         frame=True, probability=0.25),
    _one("differs", noted("corrected"), revised, bp=30.0, **SOME),
    _one("differs", noted("corrected"), revised, variant="slightly", bp=2.0, **SOME),
    _one("spike", noted("spike"), as_the_market, variant="x100", factor=100.0, **SOME),
    _one("spike", noted("spike"), as_the_market, variant="x0.01", factor=0.01, **SOME),
    _one("off_grid", noted("refused", "rest"), _clean, variant="stream", where="stream", **SOME),
    _one("off_grid", noted("refused"), _clean, variant="rest", where="rest", **SOME),
    _one("off_grid", noted("refused", "empty"), as_the_market, where="both", probability=0.25),
    _one("off_grid", noted("refused", "empty"), as_the_market, variant="day", where="both",
         probability=0.25, shift_ms=120_494_789 % 86_400_000),
    _one("gap", noted("empty"), as_the_market, variant="both", probability=0.25),
    _one("gap", noted("rest"), unnoted("empty"), _clean, variant="stream", where="stream", **SOME),
    _one("lost_close", noted("rest"), unnoted("empty"), _clean, **SOME),
    _one("flat", flat, symbols=["ETH/USDT"]),
    *(
        _one("invalid", noted("refused"), as_the_market, variant=f"{what}-{where}", what=what,
             where=where, probability=0.25)
        for what, where in (
            ("nan", "both"), ("null", "stream"), ("text", "both"), ("inf", "stream"),
            ("negative", "rest"), ("negative", "both"), ("crossed", "stream"), ("null", "rest"),
        )
    ),
)  # fmt: skip


def explained(run: Run) -> list[int]:
    """Return the symbols that are told to differ from the truth, in notes or in trust."""
    faults = run.faults
    return [
        row
        for row, name in SYMBOL_ROWS
        if faults.ended[row]
        or (row, "ended") in run.told
        or faults.revised[row] > 0
        or run.kinds(name)["empty"]
    ]
