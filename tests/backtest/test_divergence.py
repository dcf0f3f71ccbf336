from types import SimpleNamespace

import numpy as np
import pytest

from opportunity.backtest.divergence import FIELDS, KINDS, changed_log, first_divergence
from opportunity.kernels import VERSION
from opportunity.storage.session import HASHED
from opportunity.trading.records import FILL

TIMES = np.array([1_000, 2_000, 3_000])


def session(changed=None, late=None, kernels=VERSION):
    outcomes = [
        SimpleNamespace(time=t, closed=t, arrays={"late": np.array([1])} if b == late else {})
        for b, t in enumerate(TIMES.tolist())
    ]
    return SimpleNamespace(
        symbols=("A/USDT", "B/USDT"), outcomes=outcomes, changed=changed or {},
        header={"kernels": kernels},
    )


def fill(time: int, symbol: int = 1, price: float = 100.0) -> np.ndarray:
    row = np.zeros(len(FIELDS["fills"]), np.int64)
    row[FIELDS["fills"].index("time")] = time
    row[FIELDS["fills"].index("symbol")] = symbol
    row[FIELDS["fills"].index("price")] = np.float64(price).view(np.int64)
    return row


def pairs(recorded, replayed, kind: str = "fills"):
    empty = {k: (np.empty((0, len(FIELDS[k])), np.int64),) * 2 for k in KINDS}
    size = 0, len(FIELDS[kind])
    two = (np.array(rows, np.int64).reshape(-1, size[1]) for rows in (recorded, replayed))
    return empty | {kind: tuple(two)}


def test_same_rows_do_not_part() -> None:
    assert FIELDS["fills"] == FILL.names
    rows = [fill(2_000), fill(3_000)]
    assert first_divergence(session(), TIMES, pairs(rows, rows)) is None


def test_first_field_that_differs_is_named() -> None:
    found = first_divergence(
        session(), TIMES, pairs([fill(1_000), fill(2_000)], [fill(1_000), fill(2_000, price=101.0)])
    )
    assert (found.kind, found.batch, found.time) == ("fills", 1, 2_000)
    assert (found.symbol, found.field) == ("B/USDT", "price")
    assert (found.recorded, found.replayed) == (100.0, 101.0)
    assert found.cause == "execution"


@pytest.mark.parametrize("swap", [False, True])
def test_row_that_is_in_one_of_both_is_named(swap) -> None:
    two = [[fill(1_000), fill(3_000, symbol=0)], [fill(1_000)]]
    found = first_divergence(session(), TIMES, pairs(*(two[::-1] if swap else two)))
    assert (found.batch, found.symbol, found.field) == (2, "A/USDT", "")
    assert found.recorded is found.replayed is None


def test_earliest_batch_wins_then_what_comes_first() -> None:
    both = pairs([fill(2_000)], [fill(2_000, price=1.0)])
    equity = np.array([[1, 5], [2, 5], [3, 5]])
    both["equity"] = equity, equity + np.array([[0, 0], [0, 1], [0, 1]])
    assert first_divergence(session(), TIMES, both).kind == "fills"
    both["equity"] = equity, equity + np.array([[0, 1], [0, 1], [0, 1]])
    assert first_divergence(session(), TIMES, both).kind == "equity"


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"changed": {"bars": 1}}, "data"), ({"changed": {"config": 1}}, "config"),
        ({"changed": dict.fromkeys(HASHED.values(), 0)}, "header"),
        ({"kernels": "older", "late": 0}, "code version"), ({"late": 1}, "late bar"),
        ({"late": 2}, "execution"),
    ],
)  # fmt: skip
def test_surest_cause_is_named(given, cause) -> None:
    both = pairs([fill(2_000)], [fill(2_000, price=1.0)])
    assert first_divergence(session(**given), TIMES, both).cause == cause


def test_signals_that_differ_are_a_cause_of_their_own() -> None:
    row = np.zeros((1, len(FIELDS["signals"])), np.int64)
    found = first_divergence(session(), TIMES, pairs(row, row + 1, "signals"))
    assert found.cause == "signal"


def test_log_that_was_changed_is_told_where_nothing_came_of_it() -> None:
    found = first_divergence(session(changed={"records": 2}), TIMES, pairs([], []))
    assert (found.kind, found.batch, found.cause) == ("log", 2, "data")
    assert "records in the log up to" in found.reason
    assert "break a rule: no" in changed_log(session(changed={"bars": 0}), "no").reason
