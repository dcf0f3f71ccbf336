"""The hot resources as an idiomatic FastAPI application on uvicorn, for comparison.

Same models, a dependency that checks a bearer token by its hash, another one that counts it in a
sliding window, a response model on each route, the headers of every answer set by the second
dependency (a middleware would cost more). Dependencies and handlers are coroutines, which is the
faster way: plain functions go through a thread pool. The models are made once, at the start, of
what our server answered: nothing is computed per request, and both send the same JSON.
"""

import hashlib
import json
import sys
import uuid
from typing import Annotated, Any, Final

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from opportunity.contracts.agent import AgentStatus
from opportunity.contracts.market import PriceAnswer
from opportunity.contracts.scanner import ScannerResponse, ScanRequest
from opportunity.contracts.signal_lists import LiveQuery, LiveSignals
from opportunity.contracts.signals import ScoreRequest, ScoreResponse
from opportunity.contracts.weights import WeightValues

MODELS: Final[dict[str, Any]] = {
    "status": AgentStatus, "weights": WeightValues, "price": PriceAnswer, "live": LiveSignals,
    "score": ScoreResponse, "scan": ScannerResponse,
}  # fmt: skip

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def build(given: dict[str, Any]) -> FastAPI:
    """Return the application for what stdin gave: a token and the answers."""
    app = FastAPI()
    users = {hashlib.sha256(given["token"].encode()).hexdigest(): "bench"}
    counts = SlidingWindowCounterRateLimiter(MemoryStorage())
    item = RateLimitItemPerMinute(given["per_minute"])

    async def caller(authorization: Annotated[str, Header()] = "") -> str:
        shown = authorization.removeprefix("Bearer ").encode()
        name = users.get(hashlib.sha256(shown).hexdigest())
        if name is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return name

    async def limited(response: Response, name: Annotated[str, Depends(caller)]) -> None:
        if not counts.hit(item, "default", name):
            raise HTTPException(429)
        stats = counts.get_window_stats(item, "default", name)
        response.headers.update(HEADERS)
        response.headers["X-Request-Id"] = uuid.uuid4().hex
        response.headers["RateLimit-Policy"] = f'"default";q={item.amount};w=60'
        response.headers["RateLimit"] = f'"default";r={stats.remaining};t=60'

    models = {name: model(**given["answers"][name]) for name, model in MODELS.items()}
    guarded = [Depends(limited)]

    @app.get("/api/agent/status", response_model=AgentStatus, dependencies=guarded)
    async def status() -> Any:
        return models["status"]

    @app.get("/api/config/weights", response_model=WeightValues, dependencies=guarded)
    async def weights(response: Response) -> Any:
        response.headers["ETag"] = '"1"'
        return models["weights"]

    @app.get("/api/price/{symbol}", response_model=PriceAnswer, dependencies=guarded)
    async def price(symbol: str) -> Any:
        return models["price"]

    @app.get("/api/signals/live", response_model=LiveSignals, dependencies=guarded)
    async def live(asked: Annotated[LiveQuery, Query()]) -> Any:
        return models["live"]

    @app.post("/api/signals/score", response_model=ScoreResponse, dependencies=guarded)
    async def score(asked: ScoreRequest) -> Any:
        return models["score"]

    @app.post("/api/scanner/run", response_model=ScannerResponse, dependencies=guarded)
    async def scan(asked: ScanRequest) -> Any:
        return models["scan"]

    return app


def main() -> int:
    """Serve until killed; the first line of stdin says what."""
    given = json.loads(sys.stdin.readline())
    uvicorn.run(
        build(given), host="127.0.0.1", port=given["port"], loop="uvloop", http="httptools",
        log_level="warning", access_log=False,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
