"""`explain`: why a bar has its score, in numbers that add up and in words."""

from collections.abc import Iterator
from dataclasses import replace

from opportunity.market.bars import Bars
from opportunity.scoring.ensemble import combine, score
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.scores import Records, Scores
from opportunity.scoring.weights import Weights


def explain(
    bars: Bars | Scores,
    bar: int = -1,
    weights: Weights | dict[str, float] | None = None,
    timeframe: str | None = None,
    observations: Records = None,
) -> Explanation:
    """Say why a bar has its score.

    Parameters
    ----------
    bars : Bars or Scores
        Closed bars, ascending, or what `opportunity.score` made of them.
    bar : int
        Which one; negative numbers count from the end.
    weights : Weights or mapping, optional
        Defaults to balanced, for scores to their own; a mapping changes the balanced weights it
        names.
    timeframe : str, optional
        Timeframe to score, as in `opportunity.score`; for bars only.
    observations : records, FolderRecords, or mapping of Observed by detector, optional
        Headlines, funding, prints and so on, as in `opportunity.score`.

    Returns
    -------
    Explanation
        Every detector's score, gate, confidence, weight and contribution (they add up to `net`
        bit for bit in detector order), what it sees or why it is not available, and the state of
        the market. `print` shows words and a table, `as_dict` is ready for JSON.

    Raises
    ------
    IndexError
        If there is no such bar.
    BarError, TypeError, ValueError
        As `opportunity.score`; also if a timeframe is given for scores.

    Notes
    -----
    Causal: bars after the one asked about change nothing.
    """
    if isinstance(observations, Iterator):
        observations = list(observations)  # read twice: for the score and for the words
    if not isinstance(bars, Scores):
        return score(bars, weights, timeframe, observations).explain(bar, observations)
    if timeframe is not None:
        raise ValueError(f"timeframe must be left out for scores, was {timeframe}")
    scores = bars
    if weights is not None:
        held = Weights(**(weights.as_dict() if isinstance(weights, Weights) else weights))
        seen = scores.evidence
        combined = combine(
            seen.scores, seen.confidences, seen.trend, seen.volatility, held, seen.exists
        )
        scores = replace(scores, combined=combined, weights=held)
    return scores.explain(bar, observations)
