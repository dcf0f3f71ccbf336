"""The handshake by raw socket: form, Origin and Host, who calls, and how many may come."""

import asyncio
import json
from dataclasses import replace

import pytest
from logins import PASSWORD
from raw_websocket import accept_of, key, request_of

from app.auth.roles import LOCAL, Caller, Role
from app.auth.users import NewKey


async def test_accept_is_made_of_the_key(dial) -> None:
    mine = key()
    line = await dial(Sec_WebSocket_Key=mine)
    assert line.status == 101
    assert line.headers["sec-websocket-accept"] == accept_of(mine)
    assert line.headers["upgrade"].lower() == "websocket"
    assert "sec-websocket-extensions" not in line.headers
    assert "server" not in line.headers


@pytest.mark.parametrize(
    "extensions",
    ["permessage-deflate", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame",
     "permessage-deflate; server_no_context_takeover, foo; bar=1"],
)  # fmt: skip
async def test_nothing_is_ever_compressed(dial, extensions) -> None:
    line = await dial(Sec_WebSocket_Extensions=extensions)
    assert line.status == 101
    assert "sec-websocket-extensions" not in line.headers
    assert (await line.message())["type"] == "status"


@pytest.mark.parametrize(
    ("name", "status"),
    [("Host", 400), ("Connection", 400), ("Upgrade", 426), ("Sec-WebSocket-Version", 426),
     ("Sec-WebSocket-Key", 400)],
)  # fmt: skip
async def test_what_is_missing_is_named(dial, name, status) -> None:
    line = await dial(without=name)
    assert line.status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upgrade": "h2c"}, 426),
        ({"Upgrade": "WebSocket"}, 101),
        ({"Connection": "keep-alive, Upgrade"}, 101),
        ({"Connection": "keep-alive"}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": "13, 8"}, 426),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": "A" * 24}, 400),
        ({"Sec_WebSocket_Key": "!!!!" * 6}, 400),
        ({"Sec_WebSocket_Key": "QUFBQUFBQUFBQUFBQUFBQUFB"}, 400),  # 18 bytes
    ],
)  # fmt: skip
async def test_form_of_the_handshake(dial, headers, status) -> None:
    line = await dial(**headers)
    assert line.status == status
    if status == 426:
        wanted = "sec-websocket-version" if "Sec_WebSocket_Version" in headers else "upgrade"
        assert wanted in line.headers
    if status != 101:
        assert json.loads(line.body)["status"] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_only_get_opens_a_stream(dial, world, method) -> None:
    head = request_of(world.port, Content_Length="0", Origin=world.url)
    assert (await dial(head.replace("GET", method, 1))).status == 405


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://127.0.0.1", "https://127.0.0.1:{port}",
     "http://127.0.0.1:{port}.evil.example", "http://evil.example:{port}", "file://",
     "http://127.0.0.1:{port}@evil.example", "http://127.0.0.1:{port}/path"],
)  # fmt: skip
async def test_page_of_another_site_opens_nothing(dial, world, origin) -> None:
    line = await dial(Origin=origin.format(port=world.port))
    assert line.status == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_own_page_opens_a_stream(dial, world, name) -> None:
    host = f"{name}:{world.port}"
    assert (await dial(Host=host, Origin=f"http://{host}")).status == 101


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1"])
async def test_host_must_be_ours(dial, host) -> None:
    assert (await dial(Host=host)).status == 403


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_Ip"])
async def test_nobody_comes_through_a_proxy_without_login(dial, name) -> None:
    assert (await dial(**{name: "for=10.0.0.1"})).status == 403


# -- who calls ----------------------------------------------------------------------------------


@pytest.fixture
def world(doors):
    """The small world with users, so that `dial` calls there."""
    return doors


@pytest.fixture
def accounts(world):
    return world.services.accounts


async def caller_of(accounts, name) -> tuple[str, Caller]:
    granted = await accounts.login(name, PASSWORD)
    caller = accounts.verify_bearer(granted.access)
    assert caller is not None
    return granted.access, caller


def the_client(world):
    (client,) = world.realtime.clients
    return client


async def test_ticket_opens_one_stream_and_not_two(dial, world, accounts) -> None:
    _, caller = await caller_of(accounts, "vera")
    protocol = f"opportunity.ticket.{accounts.ticket(caller)}"
    line = await dial(Sec_WebSocket_Protocol=f"opportunity, {protocol}")
    assert (line.status, line.headers["sec-websocket-protocol"]) == (101, "opportunity")
    await line.message()
    assert (the_client(world).caller.name, the_client(world).caller.how) == ("vera", "ticket")
    again = await dial(Sec_WebSocket_Protocol=f"opportunity, {protocol}")
    assert again.status == 401
    assert protocol not in again.body.decode()


async def test_bearer_comes_as_header_or_as_subprotocol(dial, world, accounts) -> None:
    access, _ = await caller_of(accounts, "tom")
    line = await dial(Authorization=f"Bearer {access}")
    assert line.status == 101
    line = await dial(Sec_WebSocket_Protocol=f"opportunity, opportunity.bearer.{access}")
    assert (line.status, line.headers["sec-websocket-protocol"]) == (101, "opportunity")
    assert {client.caller.name for client in world.realtime.clients} == {"tom"}


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer nonsense"}, {"Authorization": "Basic dG9tOnRvbQ=="},
     {"Sec_WebSocket_Protocol": "opportunity.ticket.nonsense"},
     {"Sec_WebSocket_Protocol": "opportunity.bearer.opp_x_y"},
     {"Sec_WebSocket_Protocol": "opportunity.ticket."}],
)  # fmt: skip
async def test_credential_that_is_worth_nothing_opens_nothing(dial, headers) -> None:
    line = await dial(**headers)
    assert line.status == 401
    assert "www-authenticate" in line.headers


async def test_token_in_the_address_is_refused(dial, world, accounts) -> None:
    access, _ = await caller_of(accounts, "vera")
    head = request_of(world.port).replace("/ws/realtime", f"/ws/realtime?token={access}", 1)
    line = await dial(head)
    assert line.status == 400
    assert access not in line.body.decode()


async def test_unknown_subprotocols_are_left_alone(dial) -> None:
    line = await dial(Sec_WebSocket_Protocol="graphql-ws, chat")
    assert line.status == 101
    assert "sec-websocket-protocol" not in line.headers


# -- for how long -------------------------------------------------------------------------------


async def verdict_of(line) -> int | None:
    async with asyncio.timeout(30):
        return await line.verdict()


async def test_key_that_is_revoked_takes_its_streams_along(dial, accounts) -> None:
    text, stored = await accounts.people.create_key(NewKey("bot", "viewer"), "anna")
    line = await dial(Authorization=f"Bearer {text}")
    await line.message()
    await accounts.people.revoke_key(stored.id, "anna")
    assert await verdict_of(line) == 4001
    assert (await dial(Authorization=f"Bearer {text}")).status == 401


@pytest.mark.parametrize("how", ["role", "password", "removed", "logout"])
async def test_user_who_is_not_what_it_was_is_sent_away(dial, accounts, how) -> None:
    access, caller = await caller_of(accounts, "tom")
    line = await dial(Authorization=f"Bearer {access}")
    other, _ = await caller_of(accounts, "vera")
    stays = await dial(Authorization=f"Bearer {other}")
    for one in (line, stays):
        await one.message()
    match how:
        case "role":
            await accounts.people.change("tom", "viewer", None, "anna")
        case "password":
            await accounts.people.change("tom", None, PASSWORD + "!", "anna")
        case "removed":
            await accounts.people.remove("tom", "anna")
        case "logout":
            await accounts.logout(caller)
    assert await verdict_of(line) == 4001
    assert await stays.lives()


async def test_token_that_expires_takes_its_stream_along(dial, world, accounts) -> None:
    access, caller = await caller_of(accounts, "tom")
    line = await dial(Authorization=f"Bearer {access}")
    await line.message()
    assert the_client(world).caller.expires == caller.expires > 0
    the_client(world).caller = replace(caller, expires=1)
    async with asyncio.timeout(30):
        assert await line.verdict() == 4001


# -- how many -----------------------------------------------------------------------------------


async def test_full_server_says_so_before_the_upgrade(dial, world, eventually) -> None:
    world.realtime.limits = replace(world.realtime.limits, max_connections=2)
    lines = [await dial() for _ in range(2)]
    refused = await dial()
    assert refused.status == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 5
    assert json.loads(refused.body)["code"] == "connections"
    await lines[0].end()
    await eventually(lambda: len(world.realtime.clients) == 1)
    assert (await dial()).status == 101


async def test_this_machine_is_not_counted_by_user_or_address(dial, world) -> None:
    world.realtime.limits = replace(world.realtime.limits, max_of_user=1, max_of_address=1)
    assert [(await dial()).status for _ in range(3)] == [101] * 3
    assert world.realtime.refusal(LOCAL, "") == ""
    vera = Caller("vera", Role.VIEWER, "bearer")
    assert world.realtime.refusal(vera, "10.0.0.1") == ""


async def test_bad_handshakes_take_nobodys_room(dial, world) -> None:
    world.realtime.limits = replace(world.realtime.limits, max_connections=1)
    for _ in range(5):
        assert (await dial(Upgrade="h2c")).status == 426
    assert (await dial()).status == 101
