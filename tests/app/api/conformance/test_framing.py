"""Frames by raw socket: what RFC 6455 allows is understood, what it forbids ends the line."""

import json
import struct

import pytest
from raw_websocket import BINARY, CLOSE, CONTINUE, PING, PONG, TEXT, client_frame, text_frame

PING_TEXT = json.dumps({"action": "ping", "id": "x"}).encode()


def padded(size: int) -> bytes:
    """A ping command of exactly so many bytes."""
    return PING_TEXT[:-1] + b" " * (size - len(PING_TEXT)) + b"}"


# -- forbidden ----------------------------------------------------------------------------------

START = client_frame(TEXT, b"{", fin=False)

FORBIDDEN = {
    "rsv1": [client_frame(TEXT, PING_TEXT, rsv=4)],
    "rsv2": [client_frame(TEXT, PING_TEXT, rsv=2)],
    "rsv3": [client_frame(TEXT, PING_TEXT, rsv=1)],
    "all rsv": [client_frame(PING, b"", rsv=7)],
    "rsv1 in a continuation": [START, client_frame(CONTINUE, b"}", rsv=4)],
    "unmasked text": [client_frame(TEXT, PING_TEXT, masked=False)],
    "unmasked ping": [client_frame(PING, b"x", masked=False)],
    "unmasked close": [client_frame(CLOSE, struct.pack("!H", 1000), masked=False)],
    "unmasked empty": [client_frame(TEXT, b"", masked=False)],
    "ping of 126": [client_frame(PING, b"x" * 126)],
    "pong of 126": [client_frame(PONG, b"x" * 126)],
    "close of 126": [client_frame(CLOSE, struct.pack("!H", 1000) + b"x" * 124)],
    "ping of 65536": [client_frame(PING, b"x" * 65_536)],
    "fragmented ping": [client_frame(PING, b"x", fin=False)],
    "fragmented pong": [client_frame(PONG, b"x", fin=False)],
    "fragmented close": [client_frame(CLOSE, b"", fin=False)],
    "nothing to continue": [client_frame(CONTINUE, b"x")],
    "nothing to continue, more to come": [client_frame(CONTINUE, b"x", fin=False)],
    "continues after the end": [
        START, client_frame(CONTINUE, b"}"), client_frame(CONTINUE, b"x"),
    ],
    "text within a text": [START, client_frame(TEXT, PING_TEXT)],
    "binary within a text": [START, client_frame(BINARY, b"x")],
    "fragment within a text": [START, client_frame(TEXT, b"x", fin=False)],
}  # fmt: skip


UNREAD = {"ping of 126", "pong of 126", "close of 126", "ping of 65536"}
"""Where the server leaves bytes unread the system may drop its last word."""


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_forbidden_frame_ends_the_line(line, name) -> None:
    await line.send(*FORBIDDEN[name])
    assert await line.verdict() in ((1002, None) if name in UNREAD else (1002,))


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
async def test_unknown_opcode_ends_the_line(line, opcode) -> None:
    await line.send(client_frame(opcode))
    assert await line.verdict() == 1002


# -- lengths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [len(PING_TEXT), 125, 126, 127, 65_535, 65_536])
async def test_message_of_each_form_of_length_is_read(line, size) -> None:
    await line.send(client_frame(TEXT, padded(size)))
    assert (await line.message())["id"] == "x"


async def test_empty_message_is_answered(line) -> None:
    await line.send(client_frame(TEXT))
    assert (await line.message())["code"] == "invalid_json"
    assert await line.lives()


@pytest.mark.parametrize(
    "length", [b"\xff" + b"\xff" * 8, b"\xff" + struct.pack("!Q", 1 << 62),
               struct.pack("!BQ", 0xFF, 65_537)],
)  # fmt: skip
async def test_too_long_a_message_is_refused_before_it_comes(line, length) -> None:
    await line.send(client_frame(TEXT, b"", length=length))
    assert await line.verdict() in (1009, None)


async def test_fragments_together_must_not_be_too_long(line) -> None:
    piece = b"x" * 30_000
    await line.send(client_frame(TEXT, piece, fin=False))
    for _ in range(2):
        await line.send(client_frame(CONTINUE, piece, fin=False))
    assert await line.verdict() in (1009, None)


# -- fragments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, len(PING_TEXT)])
async def test_message_in_pieces_is_put_together(line, n) -> None:
    step = -(-len(PING_TEXT) // n)
    pieces = [PING_TEXT[i : i + step] for i in range(0, len(PING_TEXT), step)]
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        await line.send(client_frame(CONTINUE if i else TEXT, piece, fin=last))
    assert (await line.message())["id"] == "x"


async def test_control_frames_come_between_fragments(line) -> None:
    await line.send(
        client_frame(TEXT, PING_TEXT[:5], fin=False), client_frame(PING, b"between"),
        client_frame(CONTINUE, b"", fin=False), client_frame(PONG, b"unasked"),
        client_frame(CONTINUE, PING_TEXT[5:]),
    )  # fmt: skip
    pong = await line.frame()
    assert (pong.opcode, pong.payload) == (PONG, b"between")
    assert (await line.message())["id"] == "x"


async def test_frame_that_comes_byte_by_byte_is_read(line) -> None:
    for byte in client_frame(TEXT, PING_TEXT):
        await line.send(bytes([byte]))
    assert (await line.message())["id"] == "x"


async def test_many_frames_in_one_piece_are_read_in_order(line) -> None:
    await line.send(b"".join(text_frame(action="ping", id=n) for n in range(10)))
    assert [(await line.message())["id"] for _ in range(10)] == list(range(10))


async def test_binary_message_is_not_spoken(line) -> None:
    await line.send(client_frame(BINARY, PING_TEXT))
    assert (await line.message())["code"] == "invalid_message"
    assert await line.lives()


# -- pings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"x", b"\x00\xff\xfe", b"y" * 125])
async def test_ping_is_answered_with_what_it_said(line, payload) -> None:
    await line.send(client_frame(PING, payload))
    pong = await line.frame()
    assert (pong.opcode, pong.payload) == (PONG, payload)


async def test_unasked_pong_is_taken(line) -> None:
    await line.send(client_frame(PONG, b"here"))
    assert await line.lives()


async def test_pings_are_answered_only_so_often(line) -> None:
    await line.send(*(client_frame(PING, b"p") for _ in range(60)))
    await line.send(client_frame(CLOSE, struct.pack("!H", 1000)))
    n_pongs = 0
    while (frame := await line.frame()) is not None and frame.opcode != CLOSE:
        n_pongs += frame.opcode == PONG
    assert 20 <= n_pongs <= 25


async def test_a_flood_of_pings_ends_the_line(line) -> None:
    await line.send(*(client_frame(PING, b"p") for _ in range(400)))
    assert await line.verdict() in (1008, None)


# -- text ---------------------------------------------------------------------------------------

BAD_TEXT = {
    "lone continuation byte": b"\x80",
    "cut in the middle": "é".encode()[:1],
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond unicode": b"\xf4\x90\x80\x80",
    "in the end": b'{"action": "ping"}\xff',
}


@pytest.mark.parametrize("text", BAD_TEXT.values(), ids=BAD_TEXT)
async def test_text_that_is_not_utf8_ends_the_line(line, text) -> None:
    await line.send(client_frame(TEXT, text))
    assert await line.verdict() == 1007


async def test_bad_text_split_over_frames_ends_the_line(line) -> None:
    await line.send(client_frame(TEXT, b'{"id": "\xc3', fin=False))
    await line.send(client_frame(CONTINUE, b'(", "action": "ping"}'))
    assert await line.verdict() == 1007


async def test_good_text_split_within_a_character_is_read(line) -> None:
    whole = json.dumps({"action": "ping", "id": "é😀"}, ensure_ascii=False).encode()
    cut = whole.index("😀".encode()) + 2
    await line.send(client_frame(TEXT, whole[:cut], fin=False))
    await line.send(client_frame(CONTINUE, whole[cut:]))
    assert (await line.message())["id"] == "é😀"


# -- the close ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999])
async def test_closing_code_is_echoed(line, code) -> None:
    await line.send(client_frame(CLOSE, struct.pack("!H", code) + b"bye"))
    assert await line.verdict() == code


async def test_close_without_a_code_is_answered(line) -> None:
    await line.send(client_frame(CLOSE))
    frame = await line.frame()
    assert (frame.opcode, frame.payload) == (CLOSE, b"")
    assert await line.frame() is None


@pytest.mark.parametrize(
    "payload",
    [b"\x03", *(struct.pack("!H", c) for c in (0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000)),
     struct.pack("!H", 65_535)],
)  # fmt: skip
async def test_wrong_closing_code_is_refused(line, payload) -> None:
    await line.send(client_frame(CLOSE, payload))
    assert await line.verdict() == 1002


async def test_closing_reason_must_be_text(line) -> None:
    await line.send(client_frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe"))
    assert await line.verdict() == 1007


async def test_what_follows_the_close_is_not_heard(line, world) -> None:
    text = text_frame(action="subscribe", symbols=["BTCUSDT"])
    await line.send(client_frame(CLOSE, struct.pack("!H", 1000)), text)
    assert await line.verdict() == 1000
    assert world.services.websocket_stats["subscriptions"] == 0


async def test_line_that_is_cut_is_forgotten(line, world, eventually) -> None:
    await line.send(text_frame(action="subscribe", symbols=["BTCUSDT"]))
    await line.message()
    line.writer.transport.abort()
    await eventually(lambda: not world.realtime.clients)
    assert world.realtime._listeners == {}
