import threading
from types import SimpleNamespace

import numpy as np
import pytest
from pretend import PretendJudge, pretend_history

from opportunity.backtest.candidates import random_weights
from opportunity.backtest.cluster import PIECE, PORTFOLIO, Threads, executor, judge_all
from opportunity.backtest.judge import CancelledError

ALL = np.ones(9, np.bool_)


def square(data: int, piece: int) -> int:
    return data + piece * piece


def same(a, b) -> bool:
    return len(a) == len(b) and all(
        x.tally.tobytes() == y.tally.tobytes() and x.equity.tobytes() == y.equity.tobytes()
        for x, y in zip(a, b, strict=True)
    )


def test_threads_keep_the_order_and_tell_how_far_they_are():
    told = []
    found = Threads(3).map(square, 1, range(20), lambda *done: told.append(done))
    assert found == [1 + i * i for i in range(20)]
    assert told[-1] == (20, 20)
    assert told == sorted(told)


def test_threads_stop_when_asked():
    begun = threading.Event()

    def slow(stop, piece):
        begun.set()
        assert stop.wait(20)

    stop = threading.Event()

    def asked() -> bool:
        if begun.is_set():
            stop.set()
        return stop.is_set()

    with pytest.raises(CancelledError):
        Threads(1).map(slow, stop, range(50), stop=asked)


def test_errors_of_the_task_come_through():
    with pytest.raises(ZeroDivisionError), Threads(2) as threads:
        threads.map(lambda data, piece: 1 // piece, None, [1, 0, 2])


def test_judging_in_pieces_changes_nothing():
    history, judge = pretend_history(200), PretendJudge()
    matrix = random_weights(PIECE + 40, ALL, 1)
    chunks = [(matrix, 10, 120), (matrix[:3], 50, 200)]
    found = judge_all(judge, history, chunks, Threads(2))
    assert same(found, [judge(history, *chunk) for chunk in chunks])


def test_vectors_of_a_portfolio_come_in_small_pieces():
    judge, told = PretendJudge(), []
    for n_symbols in (1, 2):
        history = pretend_history()
        matrix = random_weights(40, ALL, 1)
        made = SimpleNamespace(symbols=("A",) * n_symbols, earned=history.earned)
        judge_all(judge, made, [(matrix, 0, 50)], Threads(1), lambda *done: told.append(done))
    assert told[0] == (1, 1)
    assert told[-1] == (40 // PORTFOLIO, 40 // PORTFOLIO)


def test_nothing_to_do():
    assert Threads(1).map(square, 1, []) == []


def test_threads_are_counted_from_one():
    with pytest.raises(ValueError, match="threads must be >= 1"):
        Threads(0)
    assert isinstance(executor(), Threads)
