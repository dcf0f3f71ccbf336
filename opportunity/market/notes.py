"""What happened to single bars on their way here: where they came from, what was changed."""

from dataclasses import dataclass
from typing import Literal

NoteKind = Literal["rest", "corrected", "refused", "empty", "spike", "late"]
"""`rest`: came by REST, not by the stream; `corrected`: the two differ, or it changed after its
release; `refused`: broke a rule; `empty`: the venue has no bar there; `spike`: a jump that had to
be confirmed; `late`: went out after later bars of other symbols."""

Values = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class BarNote:
    """A fact about one bar; bars without a note came by the stream, whole and in time.

    Parameters
    ----------
    kind : str
        See `NoteKind`.
    symbol, timeframe : str
        Of which stream.
    time : int
        Opening time of the bar, ms UTC; 0 where it is not known.
    at : int
        When it was noted, ms UTC of the feed.
    before, after : tuple of 5 floats or None
        Open, high, low, close, volume as first taken and as they are now.
    change_bp : float
        Largest change of a price, in basis points; 0 where nothing changed.
    revision : int
        How often the bar was changed after it was final.
    text : str
        Reason, or the raw payload of a refused row, at most 500 characters.
    """

    kind: NoteKind
    symbol: str
    timeframe: str
    time: int
    at: int
    before: Values | None = None
    after: Values | None = None
    change_bp: float = 0.0
    revision: int = 0
    text: str = ""
