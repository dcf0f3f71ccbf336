"""What comes by the clock: the summary of a day and signs of life."""

from collections.abc import Callable, Sequence

from app.alerts.judge import DAY_MS, HOUR_MS
from app.alerts.rules import AlertRules
from app.alerts.words import DayFacts, at, number, stamped, summary_words
from opportunity.feeds.status import FeedStatus
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.outbox_rows import Note


class Daily:
    """Says when a summary or a sign of life is due, and makes it.

    Days are those of the feed; but a market that runs faster than the clock gets at most one
    summary an hour of wall time, about the day that ended last.

    Parameters
    ----------
    rules : callable
        Returns the rules in force.
    source : str
        Stamp of the market.
    market : str
        Names it.
    """

    def __init__(self, rules: Callable[[], AlertRules], source: str, market: str) -> None:
        self._rules, self._source, self._market = rules, source, market
        self._day: int | None = None
        self._summary_at: int | None = None
        self._alive_at: int | None = None

    def remember(
        self, keys: Sequence[str], summary_at: int | None, alive_at: int | None
    ) -> None:
        """Go on where another run ended: newest keys of summaries, and when both were told."""
        self._summary_at, self._alive_at = summary_at, alive_at
        for key in keys:
            market, _, day = key.partition("@")[0].removeprefix("summary:").rpartition(":")
            if market == self._market and day.lstrip("-").isdecimal():
                self._day = int(day)
                return

    def ended(self, time: int, now: int) -> int | None:
        """Return the number of the day that has ended by feed time, if it is to be told now.

        Parameters
        ----------
        time : int
            Feed time, ms UTC; 0 while it is not known.
        now : int
            Wall time, ms UTC.
        """
        rules = self._rules()
        if not time:
            return None
        day = (time - rules.summary_hour * HOUR_MS) // DAY_MS
        if self._day is None or day < self._day:  # the first look, or another past
            self._day = day
            return None
        if day == self._day or not rules.daily_summary:
            self._day = day
            return None
        if self._summary_at is not None and now - self._summary_at < HOUR_MS:
            return None
        self._day, self._summary_at = day, now
        return day

    def span(self, day: int) -> tuple[int, int]:
        """Return the feed times between which the day of a summary lay."""
        end = day * DAY_MS + self._rules().summary_hour * HOUR_MS
        return end - DAY_MS, end

    def summary(
        self, day: int, state: PortfolioState | None, facts: DayFacts, status: FeedStatus | None
    ) -> Note:
        """Return the note about the day that ended."""
        data = self._source if status is None else f"{status.state}, {status.text}"
        title, text = summary_words(state, facts, data)
        until = at(self.span(day)[1])
        return Note(f"summary:{self._market}:{day}", "summary", stamped(title, self._source),
                    f"day to {until}\n{text}")  # fmt: skip

    def alive(
        self, now: int, state: PortfolioState | None, status: FeedStatus | None
    ) -> Note | None:
        """Return a sign of life if one is due at wall time `now`."""
        every = self._rules().heartbeat_hours * HOUR_MS
        if not every or (self._alive_at is not None and now - self._alive_at < every):
            return None
        self._alive_at = now
        data = self._source if status is None else status.state
        worth = "" if state is None else f", equity {number(state.equity)}"
        return Note(
            f"heartbeat:{now // 60_000}", "heartbeat", stamped("Still running", self._source),
            f"data: {data}{worth}. When this message stops coming, look.",
        )  # fmt: skip
