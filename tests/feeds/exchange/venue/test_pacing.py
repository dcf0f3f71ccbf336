import asyncio
from collections import deque

import pytest

from opportunity.feeds.exchange.venue import pacing
from opportunity.feeds.exchange.venue.pacing import MOST, pace

MSG_SIZE_OVERHEAD = 3


class Client:
    """As much of ccxt's client as reads messages; its own loop takes all but the last."""

    def __init__(self, n: int) -> None:
        self.buffer = deque((f"{i}", 10) for i in range(n))
        self.asyncio_loop = asyncio.get_running_loop()
        self.heard: list[str] = []
        self.n_whole = 0
        self.open = True

    def closed(self) -> bool:
        return not self.open

    def handle_message(self, message: str) -> None:
        self.heard.append(message)

    def receive_loop(self) -> None:
        self.n_whole += 1
        while self.open and len(self.buffer) > 1:
            self.heard.append(self.buffer.popleft()[0])


async def test_a_burst_is_read_in_pieces_and_in_order() -> None:
    client = Client(3 * MOST + 5)
    pace(client)
    most = 0
    client.receive_loop()
    while not client.n_whole:
        before = len(client.heard)
        await asyncio.sleep(0)
        most = max(most, len(client.heard) - before)
    assert most <= MOST
    assert client.heard == [f"{i}" for i in range(3 * MOST + 4)]
    assert client.buffer[0][0] == f"{3 * MOST + 4}"


async def test_what_was_read_stays_counted_until_the_next_message_is_taken() -> None:
    client = Client(2 * MOST)
    pace(client)
    client.receive_loop()
    assert client.buffer[0] == (f"{MOST}", 10 + MOST * (10 + MSG_SIZE_OVERHEAD))


@pytest.mark.parametrize("n", [0, 1, MOST])
async def test_few_messages_are_left_to_ccxt(n) -> None:
    client = Client(n)
    pace(client)
    client.receive_loop()
    assert client.n_whole == 1


async def test_a_connection_that_closes_during_a_burst_is_left_to_ccxt(monkeypatch) -> None:
    client = Client(2 * MOST)
    pace(client)
    client.receive_loop()
    client.open = False
    await asyncio.sleep(0)
    assert client.n_whole == 1
    assert len(client.heard) == MOST


async def test_a_buffer_that_is_emptied_meanwhile_breaks_nothing(monkeypatch) -> None:
    monkeypatch.setattr(pacing, "MOST", 2)
    client = Client(5)

    def handle(message: str) -> None:
        client.buffer.clear()

    client.handle_message = handle  # type: ignore[method-assign]
    pace(client)
    client.receive_loop()
    await asyncio.sleep(0)
    assert client.n_whole == 1
