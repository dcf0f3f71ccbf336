"""What the handlers of the risk manager share."""

from typing import Any, Final

from app.api.portfolio import AccountHandler
from app.api.problems import ApiError
from app.api.symbols import no_symbol, read_symbol
from opportunity.contracts.base import Body, Query
from opportunity.contracts.risk_asked import Contradiction, one_of
from opportunity.live.portfolio import OK

RETRY_S: Final = 5
"""When to try again while nothing can be stored."""


class RiskHandler(AccountHandler):
    """What all of them share: the account, and reading one value from several names."""

    def one_of(self, asked: Body | Query, *names: str) -> Any:
        """Return the value that is given under any of the names; 400 when two disagree."""
        try:
            return one_of(asked, *names)
        except Contradiction as error:
            raise ApiError(400, "contradiction", str(error), error.field) from error

    def watched(self, text: str, field: str) -> str:
        """Return a symbol that is watched; 404 for another."""
        symbol = read_symbol(text, field)
        if symbol not in self.services.symbols:
            raise no_symbol(symbol, self.services.symbols)
        return symbol

    def require_storage(self) -> None:
        """Refuse writes while nothing can be stored."""
        state = self.services.paper.state()
        if state is not None and state.storage != OK:
            raise read_only()


def read_only() -> ApiError:
    """Return the 503 of an account that cannot be stored; its own words stay inside."""
    return ApiError(
        503, "read_only", "Nothing can be stored now; nothing has changed.",
        headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
    )  # fmt: skip
