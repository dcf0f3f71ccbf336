"""Code and declaration cannot differ: a handler that does anything else fails, whoever asks."""

import asyncio

import aiohttp
import pytest
from pydantic import Field
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.api.base import BaseHandler
from app.api.operations import check_places, operation, pattern_of, problems_of
from app.auth.gate import Gate
from app.auth.roles import Role
from opportunity.config import Settings
from opportunity.contracts.base import Answer, Body, Query
from opportunity.contracts.paths import NamePath, NumberPath


class Told(Answer):
    """What is answered."""

    n: int = 1


class Other(Answer):
    """Something else."""

    n: int = 2


class Asked(Query):
    """A query."""

    n: int = Field(1, ge=1)


class Given(Body):
    """A body."""

    n: int = 1


class Honest(BaseHandler):
    """Does what it says."""

    @operation(Role.VIEWER, answer=Told, query=Asked)
    def get(self):
        """Read."""
        self.send(Told(n=self.query(Asked).n))

    @operation(Role.TRADER, answer=Told, body=Given, also={202: Other})
    def post(self):
        """Write."""
        given = self.body(Given)
        self.send(Other(), 202) if given.n > 1 else self.send(Told())

    @operation(Role.TRADER, answer=Told)
    def delete(self):
        """Delete."""
        self.send(Told())


class WrongAnswer(BaseHandler):
    """Answers with something else."""

    @operation(Role.VIEWER, answer=Told)
    def get(self):
        """Read."""
        self.send(Other())

    @operation(Role.VIEWER, answer=Told, also={202: Other})
    def post(self):
        """Answer with what belongs to another status."""
        self.send(Told(), 202)

    @operation(Role.VIEWER, answer=Told)
    def put(self):
        """Answer with a status that is not declared."""
        self.set_status(201)
        self.set_header("Content-Type", "application/json")
        self.finish(b"{}")

    @operation(Role.VIEWER, media="text/csv")
    def delete(self):
        """Answer with another kind of content."""
        self.set_header("Content-Type", "text/html")
        self.finish(b"<p>")


class WrongQuestion(BaseHandler):
    """Reads something else."""

    @operation(Role.VIEWER, answer=Told)
    def get(self):
        """Read a query that is not declared."""
        self.query(Asked)
        self.send(Told())

    @operation(Role.VIEWER, answer=Told, body=Given, query=Asked)
    def post(self):
        """Read another body."""
        self.query(Asked)
        self.body(NamePath)
        self.send(Told())

    @operation(Role.VIEWER, answer=Told, query=Asked)
    def put(self):
        """Read nothing of what is declared."""
        self.send(Told())


class Placed(BaseHandler):
    """Has a place."""

    @operation(Role.VIEWER, answer=Told, path=NumberPath)
    def get(self, id: str):
        """Read it."""
        self.send(Told(n=self.places(NumberPath).id))

    @operation(Role.VIEWER, answer=Told, path=NumberPath)
    def put(self, id: str):
        """Read it past its contract."""
        self.send(Told(n=int(id)))


@pytest.fixture
async def ask():
    """Serve the handlers and ask them something."""
    given = {"services": None, "gate": Gate(Settings())}
    paths = {"/honest": Honest, "/answer": WrongAnswer, "/question": WrongQuestion,
             "/placed/{id}": Placed}  # fmt: skip
    server = HTTPServer(Application([(pattern_of(p), h, given) for p, h in paths.items()]))
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]

    async def call(method, path, **more):
        async with asyncio.timeout(30), http.request(
            method, f"http://127.0.0.1:{port}{path}", **more
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async with aiohttp.ClientSession() as http:
        yield call
    server.stop()
    await server.close_all_connections()


async def test_who_does_what_is_declared_is_served(ask):
    assert await ask("GET", "/honest?n=3") == (200, {"n": 3})
    assert await ask("POST", "/honest", json={}) == (200, {"n": 1})
    assert await ask("POST", "/honest", json={"n": 2}) == (202, {"n": 2})
    assert await ask("GET", "/placed/7") == (200, {"n": 7})


@pytest.mark.parametrize(
    ("method", "path"),
    [(m, "/answer") for m in ("GET", "POST", "PUT", "DELETE")]
    + [(m, "/question") for m in ("GET", "POST", "PUT")] + [("PUT", "/placed/7")],
)  # fmt: skip
async def test_who_does_anything_else_fails(ask, method, path):
    status, problem = await ask(method, path)
    assert (status, problem["code"]) == (500, "internal")


@pytest.mark.parametrize("path", ["/honest?surprise=1", "/placed/7?x="])
async def test_a_query_that_nobody_reads_is_refused(ask, path):
    status, problem = await ask("DELETE" if "honest" in path else "GET", path)
    assert (status, problem["code"]) == (422, "invalid")


async def test_a_place_that_breaks_its_contract_is_refused(ask):
    status, problem = await ask("GET", "/placed/x")
    assert (status, problem["field"]) == (422, "id")


def test_the_places_of_a_declaration_are_those_of_the_path():
    check_places("/placed/{id}", Placed)
    check_places("/honest", Honest)
    with pytest.raises(TypeError, match=r"path of GET /placed/\{name\} must have the places"):
        check_places("/placed/{name}", Placed)


def test_problems_follow_from_the_declaration():
    made = dict(Honest.get.operation.successes)
    assert made == {200: (Told,)}
    always = {400, 401, 403, 414, 422, 429, 431, 503}
    assert set(problems_of("/honest", "GET", Honest.get.operation)) == always
    assert set(problems_of("/honest", "POST", Honest.post.operation)) == always | {413, 415}
    assert set(problems_of("/placed/{id}", "GET", Placed.get.operation)) == always | {404}
