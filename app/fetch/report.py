"""What a download brought, as a table and as a JSON document."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.commands import arguments
from app.fetch.plan import Plan
from app.terminal import visible
from opportunity.feeds.exchange.history.reports import StreamReport
from opportunity.feeds.exchange.history.spans import Span
from opportunity.market.timeframe import length_ms, utc_text


@dataclass(frozen=True, slots=True)
class Result:
    """Everything about a download that is over.

    `source` is what is stamped on the bars, `folder` where they lie, `duration_s` is real time.
    """

    exchange: str
    source: str
    folder: Path
    span: Span
    plan: Plan
    reports: list[StreamReport]
    duration_s: float

    @property
    def errors(self) -> dict[str, str]:
        """Why something is not complete, by symbol or stream."""
        failed = {
            f"{r.stream.symbol} {r.stream.timeframe}": r.error for r in self.reports if r.error
        }
        return self.plan.errors | failed

    @property
    def n_new(self) -> int:
        """Bars that are new or changed."""
        return sum(r.n_new for r in self.reports)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "exchange": self.exchange, "source": self.source, "folder": str(self.folder),
            "since": utc_text(self.span[0]), "until": utc_text(self.span[1]),
            "streams": [r.as_dict() for r in self.reports], "bars_new": self.n_new,
            "notes": self.plan.notes, "errors": self.errors,
            "duration_s": round(self.duration_s, 3),
        }


def print_result(result: Result, timeframes: list[str]) -> None:
    """Print a table, notes, and what can be done next; errors go to stderr."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:  # a pipe has no width: nothing is cut
        console.width = 200
    table = Table()
    for name in ("symbol", "timeframe", "bars", "new", "first", "last", "missing", "largest gap"):
        left = name in ("symbol", "timeframe", "first", "last")
        table.add_column(name, justify="left" if left else "right")
    for report in result.reports:
        table.add_row(*_row(report))
    if result.reports:
        console.print(table)
    for line in lines_of(result):
        console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
    for what, error in sorted(result.errors.items()):
        arguments.complain(visible(f"{what}: {error}"))
    if any(r.n_bars for r in result.reports):
        names = ",".join(timeframes)
        console.print(
            f"next: opportunity scan --data {result.folder} --timeframes {names}",
            markup=False, highlight=False, soft_wrap=True,
        )


def lines_of(result: Result) -> list[str]:
    """Word what the table does not hold."""
    lines = list(result.plan.notes)
    for report in result.reports:
        head = f"{report.stream.symbol} {report.stream.timeframe}: "
        lines += [head + text for text in _remarks(report)]
    rate = f", {result.n_new / result.duration_s:,.0f} bars/s" if result.n_new else ""
    lines.append(
        f"{result.n_new:,} new bars in {result.duration_s:.1f} s{rate}, kept in {result.folder}"
    )
    return lines


def _row(report: StreamReport) -> tuple[str, ...]:
    span = [("-" if t is None else utc_text(t)) for t in (report.first, report.last)]
    return (
        report.stream.symbol, report.stream.timeframe, f"{report.n_bars:,}", f"{report.n_new:,}",
        *span, f"{report.missing:,}", f"{report.largest:,}" if report.gaps else "-",
    )


def _remarks(report: StreamReport) -> list[str]:
    lines = [report.note] if report.note else []
    if not report.n_bars and not report.error:
        lines.append("the exchange has no bars in this span")
    length = length_ms(report.stream.timeframe)
    if report.first is not None and report.first > report.span[0]:
        lines.append(f"the exchange gives nothing before {utc_text(report.first)}")
    if report.last is not None and report.last + length < report.span[1] and not report.error:
        lines.append(f"nothing after {utc_text(report.last)}: not traded since, or not yet there")
    if report.gaps:
        spans = ", ".join(f"{utc_text(a)} to {utc_text(b)}" for a, b in report.listed())
        more = f" and {len(report.gaps) - len(report.listed())} more" * (
            len(report.gaps) > len(report.listed())
        )
        sure = "asked for twice" if report.confirmed else "asked for once"
        lines.append(f"{report.missing:,} bars missing ({sure}): {spans}{more}")
    if report.tally.refused:
        lines.append(
            f"{report.tally.refused:,} rows refused ({report.tally.off_grid} off the grid, "
            f"{report.tally.invalid} broken)"
        )
    return lines
