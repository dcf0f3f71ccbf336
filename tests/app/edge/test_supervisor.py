"""The supervisor: what it refuses, what it tells its children, and that the port is its own."""

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.edge import supervisor as module
from app.edge.child import Order
from app.edge.supervisor import SECRET, Supervisor, check
from opportunity.config import Settings, SettingsError, load_settings
from opportunity.errors import OpportunityError


def settings(**given: Any) -> Settings:
    return load_settings({"redis_url": "redis://h/0", "workers": 2, "port": 0} | given)


def test_several_processes_need_a_bus() -> None:
    with pytest.raises(SettingsError, match="redis_url must be set for workers > 1"):
        check(settings(redis_url=""))
    check(settings())


def test_further_hosts_need_the_same_secret() -> None:
    with pytest.raises(SettingsError, match="edge_secret must be set with agent_url"):
        check(settings(agent_url="http://h:1"))
    check(settings(agent_url="http://h:1", redis_url="", edge_secret="x"))


def test_the_port_is_nobody_elses_before_an_edge_listens() -> None:
    held = Supervisor(settings(), {})
    with socket.socket() as other:  # any user of the machine may try it so
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", held.port))
    with socket.socket() as edge:
        edge.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        edge.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        edge.bind(("127.0.0.1", held.port))
    held._held.close()


def test_a_port_that_somebody_has_is_refused() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OpportunityError, match="port must be free"):
            Supervisor(settings(port=other.getsockname()[1]), {})


class FakeProcess:
    """A child that lives until the test ends it."""

    made: ClassVar["list[FakeProcess]"] = []

    def __init__(self, order: Order, environment: dict[str, str]) -> None:
        self.order, self.environment, self.told = order, environment, order.agent_url
        self.said: Any = None
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.pid, self.stopped = 1, False
        FakeProcess.made.append(self)

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    async def start(self, said: Any) -> None:
        self.said = said

    def tell(self, agent_url: str) -> None:
        self.told = agent_url

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)

    async def stop(self, patience_s: float) -> int:
        self.stopped = True
        if self.alive:
            self.ended.set_result(0)
        return 0


class World:
    """A supervisor that runs, and its children by kind."""

    def __init__(self, **given: Any) -> None:
        FakeProcess.made = []
        flags = {"symbols": "BTC/USDT", "tls_cert": None}
        self.supervisor = Supervisor(settings(**given), flags)
        self.stop = asyncio.Event()
        self.run = asyncio.ensure_future(self.supervisor.run(self.stop))

    def kind(self, name: str) -> list[FakeProcess]:
        return [one for one in FakeProcess.made if one.order.kind == name]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - it runs by itself
                await asyncio.sleep(0.002)

    async def end(self) -> int:
        self.stop.set()
        return await self.run


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def comes_up(self: Any, agent: Any, url: str) -> bool:
        return bool(agent.alive)

    monkeypatch.setattr(module, "Process", FakeProcess)
    monkeypatch.setattr(module, "AGAIN_S", (0.01, 0.05))
    monkeypatch.setattr(Supervisor, "_comes_up", comes_up)


@pytest.mark.usefixtures("fakes")
async def test_one_agent_and_the_edges_are_started_and_stopped() -> None:
    world = World(origins="https://desk.example.org")
    await world.until(lambda: len(FakeProcess.made) == 3)
    (agent,), edges = world.kind("agent"), world.kind("edge")
    port = world.supervisor.port
    given = agent.order.flags
    assert given["host"] == "127.0.0.1"
    assert given["auth"] is True
    assert given["port"] != port
    assert given["symbols"] == "BTC/USDT"
    assert set(given["origins"].split(",")) == {
        f"http://localhost:{port}", f"http://127.0.0.1:{port}", f"http://[::1]:{port}",
        "https://desk.example.org",
    }  # fmt: skip
    assert load_settings(given).login_required
    secrets = {one.environment[SECRET] for one in FakeProcess.made}
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert SECRET not in os.environ
    assert {one.order.flags["port"] for one in edges} == {port}
    await world.until(lambda: {one.told for one in edges} == {f"http://127.0.0.1:{given['port']}"})
    assert await world.end() == 0
    assert all(one.stopped for one in FakeProcess.made)


@pytest.mark.usefixtures("fakes")
async def test_who_dies_is_started_again_and_edges_hear_of_the_agent() -> None:
    world = World()
    await world.until(lambda: len(FakeProcess.made) == 3)
    edge = world.kind("edge")[0]
    edge.ended.set_result(-9)
    await world.until(lambda: len(world.kind("edge")) == 3)
    (agent,) = world.kind("agent")
    living = [one for one in world.kind("edge") if one is not edge]
    heard: set[str] = set()
    agent.ended.set_result(-9)
    await world.until(lambda: heard.update(one.told for one in living) or "" in heard)
    await world.until(lambda: len(world.kind("agent")) == 2)
    port = world.kind("agent")[1].order.flags["port"]
    await world.until(lambda: {one.told for one in living} == {f"http://127.0.0.1:{port}"})
    assert await world.end() == 0


def taken(port: int) -> bool:
    """Whether nobody else can listen on a port, whatever they ask for."""
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, option, 1)
            with suppress(OSError):
                other.bind(("127.0.0.1", port))
                other.listen()
                return False
    return True


@pytest.mark.usefixtures("fakes")
async def test_nobody_else_ever_gets_the_port_of_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[int] = []

    async def comes_up(self: Any, agent: Any, url: str) -> bool:
        free.extend([] if taken(port_of(agent)) else [port_of(agent)])
        return True

    def port_of(agent: FakeProcess) -> int:
        return int(agent.order.flags["port"])

    monkeypatch.setattr(Supervisor, "_comes_up", comes_up)
    world = World()
    await world.until(lambda: world.kind("agent") and world.kind("agent")[0].said)
    (agent,) = world.kind("agent")
    assert agent.order.listening is not None
    with socket.socket(fileno=os.dup(agent.order.listening)) as passed:
        assert passed.getsockname() == ("127.0.0.1", port_of(agent))
    agent.ended.set_result(-9)
    while len(world.kind("agent")) == 1:
        assert taken(port_of(agent))
        await asyncio.sleep(0)
    assert [port_of(one) for one in world.kind("agent")] == [port_of(agent)] * 2
    assert await world.end() == 0
    assert free == []
    assert not taken(port_of(agent))


@pytest.mark.usefixtures("fakes")
async def test_an_agent_that_never_began_ends_all_with_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(self: Any, agent: Any, url: str) -> bool:
        agent.ended.set_result(2)
        return False

    monkeypatch.setattr(Supervisor, "_comes_up", never)
    world = World()
    assert await asyncio.wait_for(world.run, 30) == 2
    assert all(one.stopped for one in world.kind("edge"))


@pytest.mark.usefixtures("fakes")
async def test_a_further_host_has_edges_only() -> None:
    world = World(agent_url="http://other:8000/", edge_secret="shared", redis_url="")
    await world.until(lambda: len(FakeProcess.made) == 2)
    assert not world.kind("agent")
    assert {one.told for one in FakeProcess.made} == {"http://other:8000"}
    assert {one.environment[SECRET] for one in FakeProcess.made} == {"shared"}
    assert await world.end() == 0


@pytest.mark.usefixtures("fakes")
async def test_what_the_agent_says_names_the_public_address(capfdbinary: Any) -> None:
    world = World()
    await world.until(lambda: world.kind("agent") and world.kind("agent")[0].said)
    (agent,) = world.kind("agent")
    inner = f"http://127.0.0.1:{agent.order.flags['port']}".encode()
    agent.said(b"at " + inner + b"/login?token=x\n")
    assert await world.end() == 0
    said = capfdbinary.readouterr().out
    assert inner not in said
    assert f"at {world.supervisor.address}/login?token=x\n".encode() in said


@pytest.mark.parametrize(("host", "name"), [
    ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"),
    ("localhost", "localhost"),
])  # fmt: skip
def test_address_is_what_the_public_writes(host: str, name: str, tmp_path: Path) -> None:
    made = Supervisor(settings(host=host), {})
    assert made.address == f"http://{name}:{made.port}"
    made._held.close()
