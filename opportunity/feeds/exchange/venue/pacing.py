"""Reads a burst of WebSocket messages in pieces, so that the loop goes round in between."""

import sys
from typing import Any, Final

MOST: Final = 32
"""Messages that are read in one go: at some 40 us each the loop is held for little over 1 ms.
200 bars that close at one instant come as one burst."""


def pace(client: Any) -> None:
    """Have one of ccxt's WebSocket clients read at most `MOST` waiting messages in one go.

    Its own loop reads all that wait before it lets go of the event loop.
    """
    whole = client.receive_loop
    overhead = getattr(sys.modules.get(whole.__func__.__module__), "MSG_SIZE_OVERHEAD", 0)

    def receive_loop() -> None:
        waiting = None if client.closed() else client.buffer
        if not waiting or len(waiting) <= MOST:
            whole()
            return
        read = size = 0
        while read < MOST and len(waiting) > 1:
            message, length = waiting.popleft()
            read, size = read + 1, size + length + overhead
            client.handle_message(message)
        if waiting:  # aiohttp counts what waits: the next message answers for those read here
            message, length = waiting[0]
            waiting[0] = message, length + size
        client.asyncio_loop.call_soon(receive_loop)

    client.receive_loop = receive_loop
