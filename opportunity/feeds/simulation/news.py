"""Headlines of the simulated market: a steady stream, and some around the large moves.

Titles are templates of our own. A headline about a large move comes before it (it is then its
cause) or after it (a report). Tone leans towards the moves of the hours before, as news do.
"""

import math
from collections import OrderedDict
from typing import Any, Final

import numpy as np

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.randomness import branch, key_of, uniform
from opportunity.feeds.simulation.titles import COIN, LEADER, MARKET, NAMES, PUBLISHERS, REPORT
from opportunity.feeds.simulation.universe import COINS
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.bars import FloatArray
from opportunity.market.observations import Headline, by_availability
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

# headlines by hour of the day (UTC) over their mean, of 4,765 recorded ones, and by weekday
_SEASON: Final = np.array([
    0.70, 0.52, 0.43, 0.36, 0.78, 0.59, 0.37, 0.55, 1.05, 1.30, 1.23, 1.46,
    1.66, 1.68, 1.60, 1.53, 1.38, 1.17, 1.00, 1.12, 0.92, 1.29, 0.61, 0.70,
])
_WEEKDAY: Final = np.array([1.11, 1.26, 1.30, 1.36, 1.26, 0.40, 0.33])
_DAILY: Final = 21.0  # headlines a day besides those of large moves
_LARGE: Final = 7.0  # a coin's hour, in its own mean absolute moves of a week, that makes news
_TOLD: Final = 0.55  # of the large moves have a headline
_HISTORY: Final = 7 * 24
_DAYS_KEPT: Final = 64
_STREAM, _MOVE = 80, 81


class News:
    """Headlines as a pure function of (seed, time); days are drawn when first asked for."""

    def __init__(self, market: SimulatedMarket) -> None:
        known = market.symbols[: len(COINS)] == COINS
        self._market = market if known else SimulatedMarket(COINS, market.seed)
        self._listed = frozenset(market.symbols)
        self._key = key_of(market.seed, "NEWS")
        self._rows = np.arange(len(COINS))
        self._days: OrderedDict[int, tuple[Headline, ...]] = OrderedDict()

    def between(self, start: int, end: int) -> list[Headline]:
        """Return the headlines that became known in [start, end), in the order they did.

        Those that name only coins outside the universe are left out.
        """
        first = (max(start, MARKET_START) - MARKET_START) // DAY_MS - 1
        last = (end - 1 - MARKET_START) // DAY_MS
        found = [
            h
            for day in range(max(0, first), last + 1)
            for h in self._day(day)
            if start <= h.available_at < end
            and (not h.symbols or self._listed.intersection(h.symbols))
        ]
        return by_availability(found)

    def _day(self, day: int) -> tuple[Headline, ...]:
        kept = self._days.get(day)
        if kept is None:
            kept = self._days[day] = tuple(self._draw(day))
            if len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        return kept

    def _draw(self, day: int) -> list[Headline]:
        opening = MARKET_START + day * DAY_MS
        time = self._market.grid("1h", _HISTORY + 26, opening + 25 * HOUR_MS)
        closes = self._market.bars(self._rows, "1h", time)[:, :, 3]
        moves = np.diff(np.log(closes), axis=1, prepend=np.log(closes[:, :1]))
        drawn = [h for hour in range(24) for h in self._steady(day * 24 + hour, time, moves)]
        drawn += self._of_moves(day, time, moves)
        return [h for h in drawn if opening <= h.event_time < opening + DAY_MS]

    def _steady(self, hour: int, time: Any, moves: FloatArray) -> list[Headline]:
        """Draw the headlines of one hour that no large move caused."""
        key = branch(branch(self._key, _STREAM), hour)
        rate = _DAILY / 24 * _SEASON[hour % 24] * _WEEKDAY[hour // 24 % 7]
        opening = MARKET_START + hour * HOUR_MS
        n, left = 0, uniform(key, 0) - math.exp(-rate)
        while left > 0 and n < 12:  # Poisson by inversion
            n += 1
            left -= math.exp(-rate) * rate**n / math.factorial(n)
        until = int(np.searchsorted(time, opening))  # hours that are closed when the hour opens
        return [self._title(key, 10 * (i + 1), opening, until, moves) for i in range(n)]

    def _title(
        self, key: np.uint64, at: int, opening: int, until: int, moves: FloatArray
    ) -> Headline:
        u = [float(uniform(key, at + i)) for i in range(6)]
        scope = u[0]
        row = 0 if scope < 0.72 else int((u[1] ** 2) * len(COINS))
        if 0.60 <= scope < 0.72:
            row = 1
        lately = moves[row, max(0, until - 12) : until]
        usual = np.abs(moves[row, max(0, until - _HISTORY) : until]).mean() if until else 1.0
        pull = float(lately.sum() / (usual * 4.0)) if usual > 0 else 0.0
        lean = 0.35 * math.tanh(0.5 * pull)
        tone = 0 if u[2] < 0.42 else (1 if u[3] < 0.5 + lean else -1)
        wide = scope < 0.38
        titles = MARKET[tone] if wide else (COIN[tone] if row else LEADER[tone])
        title = titles[int(u[4] * len(titles))]
        event = opening + int(u[5] * HOUR_MS)
        return self._headline(key, at + 6, event, title, None if wide else row, 0.0)

    def _of_moves(self, day: int, time: Any, moves: FloatArray) -> list[Headline]:
        """Draw the headlines before and after large hours, also of the hours next to the day."""
        found = []
        market = moves[0]
        for row, symbol in enumerate(COINS):
            own = moves[row] if row == 0 else moves[row] - self._market.coins["beta"][row] * market
            key = branch(key_of(self._market.seed, symbol), _MOVE)
            for i in range(max(1, time.size - 27), time.size):
                usual = np.abs(own[max(0, i - _HISTORY) : i]).mean()
                hour = (int(time[i]) - MARKET_START) // HOUR_MS
                if abs(own[i]) < _LARGE * usual or uniform(key, 10 * hour) > _TOLD:
                    continue
                side = 1 if own[i] > 0 else -1
                found.append(self._of_move(key, hour, int(time[i]), row, side, moves[row], i))
        return found

    def _of_move(
        self, key: np.uint64, hour: int, opening: int, row: int, side: int, own: FloatArray, i: int
    ) -> Headline:
        at = 10 * hour
        u, v = float(uniform(key, at + 1)), float(uniform(key, at + 2))
        if u < 0.45:  # before: the news that moves the price
            event = opening - int(v * 40 * MINUTE_MS)
            titles = COIN[side] if row else MARKET[side]
            title = titles[int(uniform(key, at + 3) * len(titles))]
            return self._headline(key, at + 4, event, title, row if row else None, 0.0)
        event = opening + HOUR_MS + int(v * 50 * MINUTE_MS)
        move = math.expm1(abs(float(own[max(0, i - 23) : i + 1].sum())))
        told = side if float(own[max(0, i - 23) : i + 1].sum()) * side > 0 else 0
        titles = REPORT[told] if told else LEADER[0]
        title = titles[int(uniform(key, at + 3) * len(titles))]
        return self._headline(key, at + 4, event, title, row, move)

    def _headline(
        self, key: np.uint64, at: int, event: int, title: str, row: int | None, move: float
    ) -> Headline:
        symbol = COINS[row] if row is not None else ""
        code = symbol.partition("/")[0]
        delay = 20_000 + int(float(uniform(key, at)) ** 2 * 700_000)
        publisher = PUBLISHERS[int(uniform(key, at + 1) * len(PUBLISHERS))]
        text = title.format(name=NAMES.get(code, code), code=code, move=f"{100 * move:.1f}")
        return Headline(
            event_time=event,
            available_at=event + delay,
            source="simulated",
            title=text,
            publisher=publisher,
            symbols=(symbol,) if symbol else (),
        )
