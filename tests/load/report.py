"""What was promised, what came, and the table of both."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number; a bound of infinity is no promise."""

    what: str
    value: float
    unit: str
    bound: float

    @property
    def kept(self) -> bool:
        """Whether the value is within the bound."""
        return self.value <= self.bound

    def cells(self) -> tuple[str, str, str]:
        """Return name, value and bound as text."""
        unit = f" {self.unit}" if self.unit else ""
        value = f"{self.value:,.0f}" if self.value == int(self.value) else f"{self.value:,.1f}"
        if math.isinf(self.bound):
            return self.what, value + unit, ""
        return self.what, value + unit, f"{'' if self.kept else 'BROKEN: '}<= {self.bound:g}{unit}"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table, promises first."""
    yield "| what | measured | promised |"
    yield "|---|---|---|"
    for row in sorted(rows, key=lambda row: math.isinf(row.bound)):
        yield "| " + " | ".join(row.cells()) + " |"
