"""What the stream says of bars that are final already and differ: REST must decide."""

from dataclasses import dataclass
from typing import Final

from opportunity.market.notes import Values

MOST_CLAIMS: Final = 16
"""Bars of a row that REST is asked to decide on at once; further claims are left."""

TRIES: Final = 3
"""Answers without the bar after which a claim is given up."""


@dataclass(slots=True)
class _Claim:
    values: Values
    n_lacked: int = 0


class Claims:
    """Claims by row and opening time."""

    def __init__(self) -> None:
        self._claims: dict[int, dict[int, _Claim]] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._claims

    def first(self, row: int) -> int:
        """Return the earliest opening time that a row has a claim on; it must have one."""
        return min(self._claims[row])

    def add(self, row: int, time: int, values: Values) -> None:
        """Take a claim; the first one on a bar stays."""
        claims = self._claims.setdefault(row, {})
        if len(claims) < MOST_CLAIMS:
            claims.setdefault(time, _Claim(values))

    def settle(self, row: int, time: int) -> Values | None:
        """Take the claim on a bar away and return it, None where there is none."""
        claims = self._claims.get(row)
        if claims is None or time not in claims:
            return None
        claim = claims.pop(time)
        if not claims:
            del self._claims[row]
        return claim.values

    def lack(self, row: int, since: int, until: int, oldest: int) -> None:
        """Count that an answer for [since, until) decided nothing; give up old claims."""
        for time, claim in list(self._claims.get(row, {}).items()):
            claim.n_lacked += since <= time < until
            if claim.n_lacked >= TRIES or time < oldest:
                self.settle(row, time)

    def forget(self, row: int) -> None:
        """Forget the claims of a row."""
        self._claims.pop(row, None)
