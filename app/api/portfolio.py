"""The paper account: what it holds, did and earned, and commands by hand."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson

from app.api.account import (
    fill_of,
    order_of,
    performance_of,
    portfolio_of,
    position_of,
    trade_of,
)
from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.api.symbols import read_symbol
from app.auth.roles import Role
from app.once import KeyTakenError
from opportunity.contracts.base import Answer
from opportunity.contracts.portfolio import (
    CloseBody,
    Command,
    EquityAnswer,
    EquityQuery,
    FillsAnswer,
    FlattenBody,
    Ordered,
    OrdersAnswer,
    PageQuery,
    PerformanceAnswer,
    PortfolioAnswer,
    PositionsAnswer,
    ResetAnswer,
    ResetBody,
    TradesAnswer,
)
from opportunity.errors import OpportunityError
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.failures import DatabaseError

CONFIRM: Final = "RESET"
KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
OPENING_S: Final = 5


class AccountHandler(BaseHandler):
    """What handlers of the account share."""

    def state(self) -> PortfolioState:
        """Return the account; 503 before there is one."""
        found = self.services.paper.state()
        if found is None:
            raise ApiError(
                503, "no_account", "The paper account is not open yet: the agent is warming up.",
                headers={"Retry-After": str(OPENING_S)}, retry_after_s=OPENING_S,
            )  # fmt: skip
        return found

    def page(self) -> tuple[int, int | None, str | None]:
        """Return which page is asked for: limit, after, symbol."""
        asked = self.query(PageQuery)
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        return asked.limit, asked.after, symbol


class PortfolioHandler(AccountHandler):
    """The account as a whole."""

    @operation(Role.VIEWER, answer=PortfolioAnswer)
    def get(self) -> None:
        """Return it as it was committed last."""
        self.send(portfolio_of(self.state()))


class PositionsHandler(AccountHandler):
    """What is held."""

    @operation(Role.VIEWER, answer=PositionsAnswer)
    def get(self) -> None:
        """Return the open positions."""
        state = self.state()
        lines = [position_of(line) for line in state.positions]
        self.send(PositionsAnswer(positions=lines, time=state.time, source=state.source))


class OrdersHandler(AccountHandler):
    """Orders of this epoch."""

    @operation(Role.VIEWER, answer=OrdersAnswer, query=PageQuery)
    async def get(self) -> None:
        """Return a page of them, newest first."""
        page = await self.services.paper.orders(*self.page())
        self.send(OrdersAnswer(
            orders=[order_of(row) for row in page.rows], next=page.after,
            source=self.services.source,
        ))  # fmt: skip


class FillsHandler(AccountHandler):
    """Fills of this epoch."""

    @operation(Role.VIEWER, answer=FillsAnswer, query=PageQuery)
    async def get(self) -> None:
        """Return a page of them, newest first."""
        page = await self.services.paper.fills(*self.page())
        self.send(FillsAnswer(
            fills=[fill_of(row) for row in page.rows], next=page.after, source=self.services.source
        ))


class TradesHandler(AccountHandler):
    """Trades of this epoch that are over."""

    @operation(Role.VIEWER, answer=TradesAnswer, query=PageQuery)
    async def get(self) -> None:
        """Return a page of them, newest first."""
        page = await self.services.paper.trades(*self.page())
        self.send(TradesAnswer(
            trades=[trade_of(row) for row in page.rows], next=page.after,
            source=self.services.source,
        ))  # fmt: skip


class EquityHandler(AccountHandler):
    """The equity curve of this epoch."""

    @operation(Role.VIEWER, answer=EquityAnswer, query=EquityQuery)
    async def get(self) -> None:
        """Return it, thinned to `most` points."""
        asked = self.query(EquityQuery)
        curve = await self.services.paper.equity(asked.since, asked.until, asked.most)
        self.send(EquityAnswer(
            time=curve.time.tolist(), equity=curve.equity.tolist(), cash=curve.cash.tolist(),
            gross=curve.gross.tolist(), drawdown=curve.drawdown.tolist(),
            source=self.services.source,
        ))  # fmt: skip


class PerformanceHandler(AccountHandler):
    """What the account earned."""

    @operation(Role.VIEWER, answer=PerformanceAnswer)
    async def get(self) -> None:
        """Return sums, and ratios where there are trades enough for them."""
        state = self.state()
        self.send(performance_of(state, await self.services.paper.performance()))


class CommandHandler(AccountHandler):
    """What commands by hand share: done once under an Idempotency-Key, stored before answered."""

    async def carry_out(
        self, asked: Command, work: Callable[[], Awaitable[Answer]]
    ) -> None:
        """Do what is asked, unless it was done under this key, and answer."""
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not KEY.fullmatch(key):
            raise ApiError(
                400, "bad_key", "Idempotency-Key must be 1 to 128 visible ASCII characters."
            )

        async def done() -> tuple[int, Any]:
            return 200, self.declared(await work()).model_dump()

        try:
            status, answer = await self.services.once.answer(
                self.request.path, key, asked.model_dump(), done
            )
        except KeyTakenError as error:
            raise ApiError(422, "key_used", f"{error}.") from error
        except DatabaseError:
            raise
        except OpportunityError as error:
            raise ApiError(409, "not_now", f"{_sentence(error)}") from error
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps(answer))


class CloseHandler(CommandHandler):
    """Leave one position."""

    @operation(Role.TRADER, answer=Ordered, body=CloseBody, idempotent=True, problems=(404, 409))
    async def post(self) -> None:
        """Leave it at its next open; 404 where nothing is held."""
        asked = self.body(CloseBody)
        symbol = read_symbol(asked.symbol, "symbol")

        async def work() -> Answer:
            try:
                number = await self.services.paper.close(symbol, self.caller.name, asked.why)
            except ValueError as error:
                raise ApiError(
                    404, "no_position", f"Nothing is held of {symbol}.", "symbol"
                ) from error
            return Ordered(orders=[number], message=f"{symbol} is left at its next open.")

        await self.carry_out(asked, work)


class FlattenHandler(CommandHandler):
    """Leave everything."""

    @operation(Role.TRADER, answer=Ordered, body=FlattenBody, idempotent=True, problems=(409,))
    async def post(self) -> None:
        """Leave every position at its next open; fine when there is none."""
        asked = self.body(FlattenBody)

        async def work() -> Answer:
            orders = await self.services.paper.flatten(self.caller.name, asked.why)
            n = len(orders)
            what = f"{n} position{'' if n == 1 else 's'} left at the next open."
            return Ordered(orders=list(orders), message=what if n else "Nothing is held.")

        await self.carry_out(asked, work)


class ResetHandler(CommandHandler):
    """Begin the account anew."""

    @operation(Role.TRADER, answer=ResetAnswer, body=ResetBody, idempotent=True, problems=(409,))
    async def post(self) -> None:
        """Begin a new epoch with cash and nothing else; asks for the word RESET."""
        asked = self.body(ResetBody)
        if asked.confirm != CONFIRM:
            raise ApiError(
                400, "not_confirmed",
                f'confirm must be "{CONFIRM}": the account begins anew and nothing is held then.',
                "confirm",
            )

        async def work() -> Answer:
            await self.services.paper.reset(asked.cash, self.caller.name, asked.why)
            return ResetAnswer(cash=asked.cash, message="The paper account has begun anew.")

        await self.carry_out(asked, work)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


routes = [
    ("/api/portfolio", PortfolioHandler),
    ("/api/portfolio/positions", PositionsHandler),
    ("/api/portfolio/orders", OrdersHandler),
    ("/api/portfolio/fills", FillsHandler),
    ("/api/portfolio/trades", TradesHandler),
    ("/api/portfolio/equity", EquityHandler),
    ("/api/portfolio/performance", PerformanceHandler),
    ("/api/portfolio/close", CloseHandler),
    ("/api/portfolio/flatten", FlattenHandler),
    ("/api/portfolio/reset", ResetHandler),
]
