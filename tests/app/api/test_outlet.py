import asyncio
import socket

import pytest
from tornado.iostream import IOStream
from websockets.frames import Frame, Opcode

from app.api.outlet import Outlet, frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_frame_is_what_a_third_party_parses(size):
    payload = b"x" * size
    assert frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


class Pair:
    """A stream and the other end of its socket."""

    def __init__(self, direct: bool = True, max_bytes: int = 1 << 20) -> None:
        ours, self.theirs = socket.socketpair()
        for one in (ours, self.theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            one.setblocking(False)
        self.stream = IOStream(ours)
        self.slow = 0
        self.time = 0.0
        self.outlet = Outlet(
            self.stream, lambda: self.time, max_bytes, self._note, direct=direct
        )

    def _note(self) -> None:
        self.slow += 1

    async def read(self, size: int) -> bytes:
        loop, found = asyncio.get_running_loop(), b""
        async with asyncio.timeout(30):
            while len(found) < size:
                found += await loop.sock_recv(self.theirs, 65_536)
        return found

    def fill(self) -> bytes:
        """Send more than the kernel takes; return it."""
        block = b"#" * 200_000
        self.outlet.send([(None, block)])
        assert self.outlet._busy_since is not None
        return block

    def close(self) -> None:
        self.stream.close()
        self.theirs.close()


@pytest.fixture(params=[True, False], ids=["direct", "fallback"])
async def pair(request):
    made = Pair(direct=request.param)
    yield made
    made.close()


@pytest.fixture
async def private_attribute_gone(monkeypatch):
    """A Tornado whose streams keep their buffer elsewhere."""
    made = Pair()

    class Hidden:
        socket = made.stream.socket

        def __getattr__(self, name):
            if name == "_write_buffer":
                raise AttributeError(name)
            return getattr(made.stream, name)

    made.outlet._stream = Hidden()
    yield made
    made.close()


async def test_free_socket_gets_frames_in_order_at_once(pair):
    pair.outlet.send([("a", b"1"), (None, b"2"), ("b", b"3")])
    pair.outlet.send([("a", b"4")])
    assert await pair.read(4) == b"1234"
    assert pair.outlet.waiting_bytes == 0


async def test_one_frame_is_sent_as_many_are(pair):
    pair.outlet.send_one("a", b"1")
    pair.outlet.send_one(None, b"2")
    assert await pair.read(2) == b"12"
    block = pair.fill()
    pair.outlet.send_one("a", b"old")
    pair.outlet.send_one("a", b"new")
    pair.outlet.send_one(None, b"E")
    assert await pair.read(len(block) + 4) == block + b"newE"
    assert pair.outlet.coalesced == 1


@pytest.mark.parametrize("alone", [True, False])
async def test_more_than_may_wait_is_too_much_also_at_once(alone):
    pair = Pair(max_bytes=1_000)
    if alone:
        pair.outlet.send_one(None, b"x" * 1_001)
    else:
        pair.outlet.send([(None, b"x" * 600), (None, b"y" * 600)])
    assert pair.slow == 1
    assert pair.outlet.closed
    pair.close()


async def test_busy_socket_keeps_the_newest_state_and_every_event(pair):
    block = pair.fill()
    pair.outlet.send([("a", b"old"), (None, b"E1"), ("b", b"B")])
    pair.outlet.send([("a", b"new"), (None, b"E2")])
    assert pair.outlet.waiting_bytes == len(b"newE1BE2")
    assert pair.outlet.coalesced == 1
    got = await pair.read(len(block) + 8)
    assert got == block + b"newE1BE2"
    assert pair.outlet.stuck_s() == 0


async def test_bytes_of_tornado_itself_are_not_overtaken(pair):
    pair.stream.write(b"#" * 200_000)
    pair.outlet.send([(None, b"after")])
    got = await pair.read(200_005)
    assert got.endswith(b"#after")


async def test_private_buffer_missing_falls_back_to_write(private_attribute_gone):
    one = private_attribute_gone
    block = one.fill()
    one.outlet.send([(None, b"after")])
    assert await one.read(len(block) + 5) == block + b"after"


async def test_too_many_waiting_bytes_end_the_patience_once(pair):
    pair.fill()
    pair.outlet._max_bytes = 100
    for _ in range(30):
        pair.outlet.send([("state", b"x" * 50)])
    assert pair.slow == 0
    for _ in range(30):
        pair.outlet.send([(None, b"x" * 50)])
    assert pair.slow == 1
    assert pair.outlet.waiting_bytes == 0


async def test_socket_that_never_drains_ends_the_patience(pair):
    pair.fill()
    pair.time = 9.9
    pair.outlet.check(10)
    assert pair.slow == 0
    pair.time = 10.1
    pair.outlet.check(10)
    pair.outlet.check(10)
    assert pair.slow == 1


async def test_closed_peer_is_no_error(pair):
    pair.theirs.close()
    for _ in range(3):
        pair.outlet.send([(None, b"x")])
    pair.outlet.close()
    pair.outlet.send([(None, b"x")])
    assert pair.outlet.waiting_bytes == 0
