"""Wire models of the log of decisions and of the journal: what came of them."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Query, Signed, SymbolText, Unit

MOST_DECISIONS = 500

ActionName = Literal["entered", "refused", "filtered", "held", "off"]
"""A test holds this equal to `storage.candidates.ACTIONS`, which lies in a higher room."""

HorizonText = Literal["4", "12", "24", "48"]
"""Decision bars as a query string has them; a test holds them equal to `HORIZONS`."""

BarrierName = Literal["up", "down", "both", "time", "unknown"]


class DecisionsQuery(Query):
    """Which decisions, and how many."""

    symbol: SymbolText | None = None
    action: ActionName | None = None
    stopped_by: str | None = Field(
        None, min_length=1, max_length=32, description="name of a rule or a limit"
    )
    since: int = Field(0, ge=0, lt=2**53, description="decision closes from then on, ms UTC")
    until: int | None = Field(None, ge=0, lt=2**53, description="before that, ms UTC")
    limit: int = Field(100, ge=1, le=MOST_DECISIONS)
    after: int | None = Field(
        None, ge=0, lt=2**53, description="`next` of the page before this one"
    )


class JournalQuery(Query):
    """At which horizon, and since when."""

    horizon: HorizonText = Field("24", description="decision bars")
    since: int = Field(0, ge=0, lt=2**53, description="decision closes from then on, ms UTC")


class OutcomeItem(Answer):
    """What became of an idea some bars later."""

    horizon: int = Field(description="decision bars")
    known: int = Field(description="close of the bar that decided, ms UTC")
    barrier: BarrierName = Field(description="touched first; unknown: its bars are not to be had")
    right: bool | None
    r: Number = Field(description="what it made in R, without costs")
    move: Number = Field(description="close to close along its side, fraction")
    move_atr: Number
    best: Number = Field(description="furthest along its side meanwhile, ATR")
    worst: Number = Field(description="furthest against it, ATR, <= 0")


class DecisionItem(Answer):
    """An idea with a direction at its decision close, and what was made of it."""

    id: int
    time: int = Field(description="close of the decision bar, ms UTC")
    symbol: str
    timeframe: str
    side: Literal["BULLISH", "BEARISH"]
    action: ActionName
    stopped_by: list[str]
    why: str
    score: Unit
    net: Signed
    confidence: Unit
    consensus: Unit
    disagreement: Unit
    trust: Unit
    success: Unit
    risk_level: str
    contributions: dict[str, float] = Field(description="by detector; they add up to net")
    price: float
    atr: Number
    order: int | None
    order_status: str | None
    config: int
    outcomes: list[OutcomeItem]


class DecisionsResponse(Answer):
    """Decisions, newest first."""

    decisions: list[DecisionItem]
    next: int | None = Field(description="`after` of the next page; null: these are the last")
    source: str


class AverageItem(Answer):
    """A mean with the bounds of its 95 % interval; null where there is too little to say."""

    n: int
    value: Number
    low: Number
    high: Number
    n_effective: Number = Field(description="independent values that would stray as far")


class VerdictItem(Answer):
    """How ideas turned out."""

    name: str
    hit_rate: AverageItem
    mean_r: AverageItem
    move_atr: AverageItem


class Sampled(Answer):
    """What an answer of statistics is made of."""

    horizon: int = Field(description="decision bars")
    n: int = Field(description="judged candidates: the newest, at most 20,000")
    first: int | None = Field(description="oldest of their decision closes, ms UTC")
    last: int | None
    source: str


class GateItem(Answer):
    """What a rule, a limit or a state kept from being traded."""

    name: str
    kind: Literal["rule", "limit", "action"]
    n: int = Field(description="candidates that it stopped, judged or not")
    n_alone: int = Field(description="of these, those that nothing else stopped")
    all: VerdictItem
    alone: VerdictItem = Field(description="what the rule itself costs, or saves")


class GatesResponse(Sampled):
    """The cost of each rule, the most frequent first."""

    gates: list[GateItem]


class HorizonItem(Answer):
    """How many candidates were judged at a horizon."""

    horizon: int
    judged: int
    unknown: int = Field(description="their bars are not to be had")
    open: int


class TrialItem(Answer):
    """Whether the stated success holds, by a test that may be looked at at any time."""

    since: int = Field(description="decision closes from then on, ms UTC")
    n: int = Field(description="outcomes that were bet on")
    n_cells: int
    shift: Number = Field(description="mean of outcome minus statement")
    evidence: Number = Field(description="money of the bets against it; from `limit` on it is off")
    limit: float
    off: bool


class JournalSummary(Sampled):
    """What was judged, and how it turned out."""

    timeframe: str = Field(description="of decisions")
    n_candidates: int
    horizons: list[HorizonItem]
    overall: VerdictItem
    by_action: list[VerdictItem]
    by_side: list[VerdictItem]
    by_timeframe: list[VerdictItem]
    trial: TrialItem | None
    error: str = Field(description="why nothing can be judged now; empty while all is well")


class BinItem(Answer):
    """Calls with like probabilities."""

    n: int
    stated: float
    observed: float
    low: Number
    high: Number


class ReliabilityItem(Answer):
    """How stated probabilities and outcomes went together; see docs/calibration.md.

    Bounds are null where the outcomes span too little time to tell how far they stray.
    """

    n: int
    bins: list[BinItem]
    hit_rate: float
    brier: float
    miscalibration: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    skill: Number
    ece: float
    ece_chance: Number
    log_loss: float
    auc: Number
    intervals: dict[str, tuple[Number, Number]]
    level: float


class JournalReliability(Sampled):
    """Curve and Brier score of the stated success, and of the confidence; null for too few."""

    success: ReliabilityItem | None
    confidence: ReliabilityItem | None = Field(
        description="confidence promises no probability: whether more of it wins more often"
    )


class DetectorItem(Answer):
    """How the sign of a detector's contribution turned out."""

    verdict: VerdictItem
    agreed: Unit = Field(description="share of the candidates it spoke on that took its side")
    information: Signed = Field(description="rank correlation of contribution and move")


class JournalDetectors(Sampled):
    """Detectors in order of weights, then the score."""

    detectors: list[DetectorItem]


class JournalSymbols(Sampled):
    """Symbols, those with most candidates first."""

    symbols: list[VerdictItem]


class WindowItem(Answer):
    """A window of time of one score."""

    start: int
    n: int
    coefficient: Signed
    fall: float
    alarm: bool


class DecayItem(Answer):
    """The rolling information coefficient of one detector, or of the score."""

    name: str
    mean: Signed
    fall: Number = Field(description="the running sum now; at `limit` there is an alarm")
    alarms: list[int] = Field(description="beginnings of the windows with an alarm, ms UTC")
    windows: list[WindowItem] = Field(description="the newest 120, oldest first")


class JournalDecay(Answer):
    """Whether scores still know what they knew."""

    horizon: int
    window_ms: int
    slack: float
    limit: float
    run_length: int = Field(description="windows between two alarms for nothing, on the average")
    series: list[DecayItem]
    source: str
