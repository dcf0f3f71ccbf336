"""Prints go on once, in order, and only if they can be."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.lines.prints import N_KNOWN, N_WAITING, Prints, parsed_print
from opportunity.feeds.exchange.lines.taps import PrintSaid
from opportunity.market.timeframe import DAY_MS
from tests.feeds.exchange.wires import START, Heard


def said(name: str, time: int = START, price: float = 2.0, amount: float = 1.0) -> PrintSaid:
    return PrintSaid("X", name, time, price, amount, 1)


def made() -> tuple[Prints, Heard]:
    heard = Heard()
    return Prints(("A/USDT", "B/USDT"), "testing", lambda: START, heard), heard


async def test_a_block_holds_what_came_since_the_last_in_the_order_of_time() -> None:
    prints, heard = made()
    prints.add(0, said("2", START + 20))
    prints.add(1, said("2", START + 5))
    prints.add(0, said("1", START + 10, 3.0, 4.0)._replace(side=-1))
    prints.flush()
    prints.flush()
    assert [(b.symbol, b.source, len(b)) for b in heard.blocks] == [
        ("A/USDT", "testing", 2), ("B/USDT", "testing", 1),
    ]  # fmt: skip
    block = heard.blocks[0]
    assert block.time.tolist() == [START + 10, START + 20]
    assert block.price.tolist() == [3.0, 2.0]
    assert block.amount.tolist() == [4.0, 1.0]
    assert block.side.tolist() == [-1, 1]


@given(st.lists(st.integers(0, 60), max_size=200), st.integers(0, 199))
async def test_each_print_goes_on_once(names: list[int], cut: int) -> None:
    prints, heard = made()
    for i, name in enumerate(names):
        prints.add(0, said(str(name), START + name))
        if i == cut:
            prints.flush()
    prints.flush()
    times = Counter(t for b in heard.blocks for t in b.time.tolist())
    assert times == Counter(START + name for name in set(names))


async def test_the_same_number_of_another_symbol_is_another_print() -> None:
    prints, heard = made()
    prints.add(0, said("1"))
    prints.add(1, said("1"))
    prints.flush()
    assert len(heard.blocks) == 2


async def test_prints_without_a_number_are_told_apart_by_what_they_are() -> None:
    prints, heard = made()
    for price in (2.0, 2.0, 3.0):
        prints.add(0, said("", price=price))
    prints.flush()
    assert heard.blocks[0].price.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("bad", [
    said("1", price=math.nan), said("1", price=0.0), said("1", price=-1.0),
    said("1", price=math.inf), said("1", amount=math.nan), said("1", amount=0.0),
    said("1", amount=1e19), said("1", time=0), said("1", time=START // 1000),
    said("1", time=START + DAY_MS + 1),
], ids=str)  # fmt: skip
async def test_a_print_that_cannot_be_is_counted_and_left_out(bad: PrintSaid) -> None:
    prints, heard = made()
    prints.add(0, bad)
    prints.flush()
    assert heard.blocks == []
    assert prints.n_refused == 1
    prints.add(0, said("1"))  # its number was not used up
    prints.flush()
    assert len(heard.blocks) == 1


async def test_memory_is_bounded_while_nobody_flushes() -> None:
    prints, heard = made()
    for i in range(3 * N_WAITING):
        prints.add(0, said(str(i), START + i))
    assert len(prints._known[0]) == N_KNOWN
    assert len(prints._waiting.get(0, [])) < N_WAITING
    prints.flush()
    assert sum(map(len, heard.blocks)) == 3 * N_WAITING


def test_a_print_of_ccxt_is_read() -> None:
    trade = {
        "id": "7", "timestamp": START, "price": 2.5, "amount": 3.0, "side": "sell", "info": {},
    }  # fmt: skip
    assert parsed_print(trade) == PrintSaid("", "7", START, 2.5, 3.0, -1)
    empty = parsed_print({"id": None, "price": None})
    assert empty.id == ""
    assert math.isnan(empty.price)


@pytest.mark.parametrize(("side", "n"), [("buy", 1), ("sell", 1), (None, 0), ("", 0)])
async def test_a_print_without_a_side_is_not_taken_for_a_purchase(side: str | None, n: int) -> None:
    prints, heard = made()
    trade = {"id": "1", "timestamp": START, "price": 2.0, "amount": 1.0, "side": side}
    prints.add(0, parsed_print(trade))
    prints.flush()
    assert len(heard.blocks) == n
    assert prints.n_refused == 1 - n
