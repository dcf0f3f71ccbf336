"""Rows of a ranking as they travel: records of the core in, checked wire models out."""

from opportunity.contracts.scanner import Component, Levels, ScanItem, TimeframeBreakdown
from opportunity.market.symbols import compact
from opportunity.ranked import Opportunity
from opportunity.scoring.explanation import Explanation


def scan_item(row: Opportunity) -> ScanItem:
    """Return a ranked row with every name that clients of any age look for."""
    parts = row.components
    return ScanItem(
        rank=row.rank,
        symbol=row.symbol,
        id=compact(row.symbol),
        price=row.price,
        change_24h=row.change_24h,
        volume_24h=row.volume_24h,
        direction=row.direction,
        overall_direction=row.direction,
        final_score=row.final_score,
        overall_score=row.final_score,
        net=row.net,
        strength=row.strength,
        confidence=row.confidence,
        consensus_strength=row.consensus,
        disagreement=row.disagreement,
        coverage=row.coverage,
        recommended_action=row.recommended_action,
        advice=row.advice,
        risk=row.risk,
        risk_level=row.risk_level,
        levels=levels_of(row),
        success=row.success,
        success_note=row.success_note,
        whales=parts["whales"],
        smc=parts["smc"],
        elliott=parts["elliott"],
        price_action=parts["price_action"],
        ict=parts["ict"],
        components=parts,
        timeframes=row.timeframes,
        timeframe_breakdown={t: breakdown(e) for t, e in row.timeframe_breakdown.items()},
        tf_count=row.tf_count,
        signal_count=sum(e.direction != "NEUTRAL" for e in row.timeframe_breakdown.values()),
        patterns=list(row.patterns),
        flagged=row.flagged,
        trust=row.trust,
        trust_note=row.trust_note,
        scanned_at=row.scanned_at,
        source=row.source,
    )


def breakdown(seen: Explanation) -> TimeframeBreakdown:
    """Return the score of one timeframe, taken apart."""
    return TimeframeBreakdown(
        final_score=seen.final,
        direction=seen.direction,
        confidence=seen.confidence,
        disagreement=seen.disagreement,
        coverage=seen.coverage,
        advice=seen.advice,
        success=seen.success,
        bar_close=seen.closed or None,
        flagged=seen.flagged,
        trust=seen.trust,
        trust_note=seen.trust_note,
        components=components_of(seen),
    )


def components_of(seen: Explanation) -> list[Component]:
    """Return what each detector says, in detector order."""
    return [
        Component(
            detector=part.detector,
            score=part.score,
            confidence=part.confidence,
            direction=part.direction,
            gated=part.gated,
            weight=part.weight,
            contribution=part.contribution,
        )
        for part in seen.components
    ]


def levels_of(row: Opportunity) -> Levels | None:
    """Return entry, stop and targets; None without a direction."""
    if row.levels is None:
        return None
    return Levels(
        entry=row.levels.entry, stop=row.levels.stop, targets=list(row.levels.targets)
    )
