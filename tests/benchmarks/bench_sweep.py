"""Measure a sweep of weight vectors against vectorbt, and what is left to gain.

    python -m tests.benchmarks.bench_sweep [--bars N] [--vectors N] [--peer N] [--json]

Nine detectors (those that read more than bars are made up), one timeframe. The peer scores its
vectors with matrix products and trades eight of them at a time (its fastest; other chunks are
tried), on one thread: it has no other. Ours works on all processors, and on one for comparison.
Runs take turns and medians are compared.

The peer cannot enter on a bar on which a stop or target closed a position. So beforehand some
vectors are compared on entries without those, where trades and final equity must be the same.
"""

import argparse
import json
import sys
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opportunity.backtest.cluster import Threads
from opportunity.backtest.decisions import decide_all
from opportunity.backtest.execution import execute
from opportunity.backtest.history import History, prepare
from opportunity.backtest.setup_judge import shifted, window
from opportunity.backtest.sweep import sweep
from opportunity.backtest.sweep_layout import layout, question, room, vectors
from opportunity.backtest.sweep_run import code_block
from opportunity.backtest.sweep_tables import tables_of
from opportunity.backtest.whatif import WhatIf
from opportunity.kernels import kernel
from opportunity.scoring.ensemble import combine
from opportunity.trading.records import STOP, TARGET
from opportunity.trading.setup import TradeSetup
from tests.benchmarks.bench_backtest import (
    SETUP,
    lean_inputs,
    run_vectorbt,
    timed,
    vectorbt_inputs,
)
from tests.benchmarks.bench_indicators import keep_memory
from tests.benchmarks.long_market import minutes

CASES = {"seldom": (0.72, 0.3), "often": (0.70, 0.25), "always": (0.65, 0.2)}
"""Least score and confidence: from a position now and then to one nearly always."""

CHUNKS = (4, 8, 16)
BARS: dict[int, Any] = {}
"""Bars of each history: made once, not in what is timed."""


@dataclass(frozen=True)
class Evidence:
    """What the peer multiplies: c, c h and c h h of each bar, and the distance of its stop."""

    mass: np.ndarray
    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray


def nine_detectors(n: int, seed: int = 1) -> History:
    """Return a history of 1m bars in which all nine detectors speak."""
    made = prepare(minutes(n, seed), timeframes=["1m"])
    stream, rng = made.streams[0][0], np.random.default_rng(seed)
    scores, confidences = stream.scores.copy(), stream.confidences.copy()
    for i in np.flatnonzero(~np.isfinite(scores).any(axis=0)):
        rows = rng.integers(0, 6) + np.zeros(len(stream), np.int64)
        late = int(rng.integers(40, 200))  # as lively as a price detector, but of another time
        scores[:, i] = np.roll(scores[:, rows[0]], late * 97)
        confidences[:, i] = np.roll(confidences[:, rows[0]], late * 97)
    scores[:200], confidences[:200] = np.nan, np.nan
    return replace(
        made, streams=((replace(stream, scores=scores, confidences=confidences),),),
        exists_from=np.zeros(9, np.int64),
    )


def setup_of_sweep(case: str = "often") -> TradeSetup:
    """Return the setup of a case."""
    score, confidence = CASES[case]
    rules = replace(SETUP.rules, min_score=score, min_confidence=confidence)
    return replace(SETUP, rules=rules)


def evidence_of(history: History, setup: TradeSetup) -> Evidence:
    """Gate the scores once, as our tables do; the peer's multiplications read them."""
    stream = history.streams[0][0]
    gated = combine(
        stream.scores, stream.confidences, stream.trend, stream.volatility, None,
        np.ones(9, np.bool_),
    ).gated
    there = slice(int(np.searchsorted(stream.known, history.start_batch)), None)
    h, c = np.nan_to_num(gated[there]), np.nan_to_num(stream.confidences[there])
    return Evidence(c, c * h, c * h * h, setup.rules.stop_atr * stream.atr[there])


def peer_sides(told: Evidence, matrix: np.ndarray, setup: TradeSetup) -> np.ndarray:
    """Return the sides of the entries of some vectors, (n_bars, n_vectors)."""
    weights = (matrix / matrix.sum(axis=1, keepdims=True)).T
    mass = told.mass @ weights
    per = 1.0 / np.maximum(mass, 1e-300)
    net = (told.first @ weights) * per
    spread = np.sqrt(np.maximum((told.second @ weights) * per - net * net, 0.0))
    rules = setup.rules
    passed = (mass * (1.0 - 0.5 * spread) >= rules.min_confidence) & (
        spread <= rules.max_disagreement
    )
    least = 2.0 * rules.min_score - 1.0
    side = passed * ((net >= least).astype(np.int8) - (net <= -least).astype(np.int8))
    side[-1] = 0
    return side


def run_peer(
    history: History, told: Evidence, matrix: np.ndarray, setup: TradeSetup,
    how: tuple[str, int, bool],
) -> np.ndarray:
    """Score and trade vectors with an engine, in chunks, with metrics or not; final equities."""
    engine, chunk, metrics = how
    bars = BARS.get(id(history)) or BARS.setdefault(id(history), minutes_of(history))
    return np.concatenate([
        run_vectorbt(
            bars,
            lean_inputs(peer_sides(told, matrix[i : i + chunk], setup), bars, told.distance),
            engine, metrics,
        )[1]
        for i in range(0, len(matrix), chunk)
    ])  # fmt: skip


def minutes_of(history: History) -> Any:
    """Return the bars that trade."""
    whole = minutes(len(history.batches))
    return whole[history.start_batch :]


def compare(history: History, told: Evidence, matrix: np.ndarray, setup: TradeSetup) -> None:
    """Check that the peer trades as we do where it can: end the benchmark if it does not."""
    span = history.start_batch, len(history.batches)
    batches, bars = window(history.batches, *span), minutes_of(history)
    scored = peer_sides(told, matrix, setup)
    for j, weights in enumerate(matrix):
        table = shifted(decide_all(history, weights, setup.rules).table, *span, 0)
        side = np.zeros(len(bars), np.int8)
        side[table["batch"]] = table["side"]
        side[-1] = 0
        if not np.array_equal(side, scored[:, j]):
            raise SystemExit(f"vector {j} is scored otherwise by the peer")
        while True:
            ran = execute(batches, table, setup, 1)
            inside = ran.fills["time"][np.isin(ran.fills["reason"], (STOP, TARGET))]
            met = np.isin(table["time"], inside) | np.isin(table["time"], inside + 60_000)
            met &= table["side"] != 0
            if not met.any():
                break
            table["side"][met] = 0
        side[:] = 0
        side[table["batch"]] = table["side"]
        side[-1] = 0
        count, value = run_vectorbt(bars, vectorbt_inputs(side, bars, told.distance), "rust")
        if count[0] != len(ran.trades) or abs(value[0] / ran.equity[-1] - 1.0) > 1e-6:
            raise SystemExit(
                f"vector {j}: {count[0]} trades, {value[0]}; ours {len(ran.trades)}, "
                f"{ran.equity[-1]}"
            )


@kernel
def only_scores(normal: Any, laid: Any, fast: Any, scratch: Any, codes: Any) -> Any:
    """Score every vector and trade none."""
    found = 0
    for k in range(laid[0].size - 1):
        for j in range(normal.shape[1]):
            code_block(k, normal[0, j], False, laid, fast, scratch, codes)
            found += codes[0]
    return found


def score_only(history: History, matrix: np.ndarray, setup: TradeSetup) -> int:
    """Score on all processors, nothing else."""
    tables = tables_of(history)
    asked = question(tables, setup.rules)

    def piece(_: Any, rows: np.ndarray) -> int:
        mine = room(tables, 1)
        return int(only_scores(
            vectors(tables, rows).normal[-1:], layout(tables, asked), asked.fast, mine.scores,
            mine.words.view(np.int8),
        ))  # fmt: skip

    return sum(Threads().map(piece, None, np.array_split(matrix, max(2, len(matrix) // 128))))


def measure(history: History, case: str, sizes: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Return nanoseconds of a bar and vector of everybody, and the ratios."""
    (n_vectors, n_peer), setup = sizes, setup_of_sweep(case)
    told = evidence_of(history, setup)
    matrix = np.random.default_rng(0).dirichlet(np.ones(9), n_vectors)
    compare(history, told, matrix[:4], setup)
    some = matrix[:n_peer]
    under = {
        "rules": setup.rules, "costs": setup.costs, "sizing": setup.sizing, "risk": setup.risk,
        "cash": setup.cash,
    }  # fmt: skip
    swept = sweep(history, matrix, **under)
    n_bars = swept.time.size

    def peer(engine: str, chunk: int, metrics: bool = True) -> Any:
        return lambda: run_peer(history, told, some, setup, (engine, chunk, metrics))

    chunks = timed({f"{e} {k}": peer(e, k) for e in ("rust", "numba") for k in CHUNKS}, 1)
    best = {e: min(CHUNKS, key=lambda k: chunks[f"{e} {k}"]) for e in ("rust", "numba")}
    spent = timed({
        "ours": lambda: sweep(history, matrix, **under),
        "score only": lambda: score_only(history, matrix, setup),
        "vectorbt rust": peer("rust", best["rust"]),
        "vectorbt numba": peer("numba", best["numba"]),
        "vectorbt rust, no metrics": peer("rust", best["rust"], False),
        "ours, one thread": lambda: sweep(history, some, **under, executor=Threads(1)),
    }, rounds)  # fmt: skip
    counts = {"ours": n_vectors, "score only": n_vectors}
    ns = {k: v / counts.get(k, n_peer) / n_bars * 1e9 for k, v in spent.items()}
    return {
        "bars": n_bars, "vectors": n_vectors, "threads": Threads().n, "chunk": best,
        "trades_of_a_vector": float(np.mean(swept.tally["n_trades"])),
        "held": round(float(np.mean(swept.tally["held"] / swept.tally["n"])), 3),
        "ns_per_bar_and_vector": {k: round(v, 3) for k, v in ns.items()},
        "backtests_per_second": {k: round(1e9 / v / n_bars) for k, v in ns.items()},
        "ratio": {k: round(v / ns["ours"], 1) for k, v in ns.items()},
    }  # fmt: skip


def what_if(n: int = 525_600, rounds: int = 15) -> dict[str, float]:
    """Return milliseconds of a run over a year of 1m bars."""
    bars, found = minutes(n), {}
    for name, frames in (("decisions every hour", ["1h", "4h"]), ("every minute", ["1m"])):
        tried = WhatIf(prepare(bars, timeframes=frames, decision_timeframe=frames[0]))
        draw = iter(np.random.default_rng(0).dirichlet(np.ones(9), rounds + 1))
        spent = timed({"run": lambda tried=tried, draw=draw: tried.run(next(draw))}, rounds)
        found[name] = round(spent["run"] * 1e3, 2)
    return found


def main() -> int:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--vectors", type=int, default=1_024)
    parser.add_argument("--peer", type=int, default=32, help="vectors that the peer is given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own
        keep_memory()
        history = nine_detectors(args.bars)
        result = {
            case: measure(history, case, (args.vectors, args.peer), args.rounds) for case in CASES
        }
        result["what_if_ms"] = what_if()
    text = json.dumps(result) if args.json else "\n".join(f"{k}: {v}" for k, v in result.items())
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
