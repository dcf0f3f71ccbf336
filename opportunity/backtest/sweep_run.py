"""The loop of a sweep: block after block of decisions, every vector scored and traded through it.

A block is so short that what its decisions read stays in the cache while all vectors pass over it;
of a vector nothing is kept but its account, its position and its running sums.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from opportunity.backtest.history import History
from opportunity.backtest.judge import Verdicts
from opportunity.backtest.memory import lent
from opportunity.backtest.run import pass_over
from opportunity.backtest.sweep_layout import (
    hangs_on_confidence,
    layout,
    question,
    room,
    vectors,
)
from opportunity.backtest.sweep_score import (
    DOUBT,
    LANES,
    clear,
    gather,
    judge_means,
    screen,
    sums,
)
from opportunity.backtest.sweep_tables import tables_of
from opportunity.backtest.sweep_trade import advance, idle
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally


@kernel
def code_block(
    k: Any, weights: Any, wild: Any, laid: Any, fast: Any, scratch: Any, codes: Any
) -> None:
    """Code the decisions of block `k` under one vector.

    Parameters
    ----------
    weights : float32 (n_detectors,)
        Of the set of detectors that exists there.
    wild : bool
        Leave every decision in doubt.
    laid, fast, scratch : tuples
        Of `layout`, `Question` and `Room`.
    codes : int8 (at least 16 x groups of the block,)
        Filled.
    """
    starts, local, first, count, groups, strange, odd, enterable, shares, trusted = laid
    least, confident, widest, wanted, needs = fast
    parts, means, sided = scratch
    start = starts[k]
    n = starts[k + 1] - start
    if wild:
        for i in range(n):
            codes[i] = DOUBT if enterable[start + i] else 0
        return
    if local.shape[0] == 1:
        g = first[0, k]
        m = count[0, k]
        screen(
            groups[g : g + m], weights, least, widest, needs[start : start + m * LANES], codes
        )
    else:
        net, confidence, spread, slack = means
        lean, known, doubt = sided
        clear(net, confidence, spread, slack)
        clear(lean, known, doubt, doubt)
        for f in range(local.shape[0]):
            g = first[f, k]
            sums(groups[g : g + count[f, k]], weights, parts[0], parts[1], parts[2])
            gather(
                local[f, start : start + n], shares[f, start : start + n],
                trusted[f, start : start + n], parts, means, sided,
            )
        judge_means(least, confident, widest, means, sided, codes[:n])
    if wanted != 0:
        for i in range(n):
            if codes[i] == -wanted:
                codes[i] = 0
    if odd[k]:
        for i in range(n):
            if strange[start + i] and enterable[start + i]:
                codes[i] = DOUBT


def run_span(
    history: History, matrix: FloatArray, span: tuple[int, int], setup: TradeSetup,
    timeframe_weights: Mapping[str, float] | None = None,
) -> Verdicts:
    """Judge vectors on some batches, each by itself, in this thread.

    Parameters
    ----------
    history : History
        Of one symbol.
    matrix : ndarray, shape (n, n_detectors)
        Finite and >= 0.
    span : tuple of int
        First batch and the one after the last; every run starts flat and closes all at its end.
    setup : TradeSetup
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.

    Raises
    ------
    NotSweepable
        If the history is of several symbols.
    ValueError
        If the span is empty or not within the batches.

    Notes
    -----
    On one core about 1 ns to score a decision, 3 ns a bar while something is held, and 200 ns a
    trade, for each vector. Bit for bit what the single engine gives.
    """
    start, end = span
    batches = history.batches
    if not 0 <= start < end <= len(batches):
        raise ValueError(f"span must be within 0..{len(batches)}, was {start}..{end}")
    tables = tables_of(history, timeframe_weights)
    asked, laid = question(tables, setup.rules), vectors(tables, matrix)
    n, mine = len(matrix), room(tables, len(batches))
    accounts, tallies = np.repeat(new_account(setup.cash), n), np.repeat(new_tally(setup.cash), n)
    run_vectors(
        accounts, np.repeat(new_positions(1), n), setup.terms()[0], tallies,
        (laid.matrix, laid.normal, laid.wild),
        (batches.time, batches.open_time, batches.values, np.empty(0), np.empty(0)),
        (tables.at, tables.time, tables.atr, tables.flagged, tables.volume),
        layout(tables, asked), (asked.fast, asked.exact, hangs_on_confidence(setup)), tables.seen,
        (mine.words, mine.words.view(np.int8), mine.scores, mine.exact, mine.logs),
        (start, end - 1, *np.searchsorted(tables.at, span).tolist()),
    )  # fmt: skip
    return Verdicts(tallies, accounts["equity"].copy())


@kernel
def run_vectors(
    accounts: Any, positions: Any, terms: Any, tallies: Any, weights: Any, market: Any,
    decided: Any, laid: Any, asked: Any, seen: Any, room: Any, span: Any,
) -> None:
    """Score and trade some vectors through a span of bars.

    Parameters
    ----------
    accounts, positions, tallies : ACCOUNT, POSITION, TALLY (n,)
        One of each for every vector.
    terms : record
    weights : tuple
        As in `Vectors`, of these vectors.
    market : tuple
        As in `advance`.
    decided : tuple
        Of each decision its bar, time, ATR, flag and 24 h quote volume.
    laid : tuple
        Of `layout`.
    asked : tuple
        `Question.fast` and `.exact`, and whether sizes hang on confidences.
    seen : tuple
        As in `exact_side`.
    room : tuple
        Words, the same as codes, scratch of scores, room of `exact_side`, logs.
    span : tuple
        First and last bar, first decision and end of the decisions.
    """
    accounts, positions, tallies = lent(accounts), lent(positions), lent(tallies)
    market, laid, seen = lent(market), lent(laid), lent(seen)
    matrix, normal, wild = lent(weights)
    at, times, atrs, flagged, volumes = lent(decided)
    (least, confident, widest, wanted, needs), exact, trusting = asked
    score, sure, apart, side, trusted = exact
    fast = (least, confident, widest, wanted, lent(needs))
    exact = (score, sure, apart, side, lent(trusted))
    words, codes, scratch, precise, logs = lent(room)
    begin, last, d, until = span
    starts = laid[0]
    sets = seen[2]
    b = begin
    for k in range(starts.size - 1):
        start = max(starts[k], d)
        stop = min(starts[k + 1], until)
        if start >= stop:
            continue
        end = at[stop - 1] if stop < until else last
        a = starts[k]
        z = starts[k + 1]
        block = (
            at[a:z], times[a:z], atrs[a:z], flagged[a:z], volumes[a:z], a, start - a, stop - a
        )
        for j in range(matrix.shape[0]):
            code_block(k, normal[sets[a], j], wild[j], laid, fast, scratch, codes)
            if idle(accounts[j], positions[j], block, codes, words):
                pass_over(accounts[j], tallies[j], end - b + 1, market[0][end])
                positions[j].mark = market[2][end, 3]
                continue
            advance(
                accounts[j], positions[j : j + 1], terms, tallies[j], market, block, codes, words,
                (matrix[j], seen, exact, precise, trusting), logs, (b, end, last),
            )
        b = end + 1
    if b <= last:  # no decision falls into the span
        for j in range(matrix.shape[0]):
            advance(
                accounts[j], positions[j : j + 1], terms, tallies[j], market,
                (at[:0], times[:0], atrs[:0], flagged[:0], volumes[:0], 0, 0, 0), codes, words,
                (matrix[j], seen, exact, precise, trusting), logs, (b, last, last),
            )
