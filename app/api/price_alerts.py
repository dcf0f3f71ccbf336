"""Prices that people want to be told of."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.api.symbols import no_symbol, read_symbol
from app.auth.roles import Role
from opportunity.contracts.alerts import (
    PriceAlertBody,
    PriceAlertDeleted,
    PriceAlertItem,
    PriceAlertsAnswer,
)
from opportunity.contracts.paths import NumberPath
from opportunity.storage.price_alerts import PriceAlert, TooManyError


class PriceAlertsHandler(BaseHandler):
    """All price alerts."""

    @operation(Role.VIEWER, answer=PriceAlertsAnswer)
    def get(self) -> None:
        """Return the price alerts, newest first."""
        services = self.services
        items = [_item(alert) for alert in services.alerts.prices.all()]
        self.send(PriceAlertsAnswer(alerts=items, source=services.source))

    @operation(
        Role.TRADER, answer=PriceAlertItem, body=PriceAlertBody, status=201,
        problems=(404, 409),
    )
    async def post(self) -> None:
        """Watch a price of a watched symbol; it is told when a bar touches it."""
        asked, services = self.body(PriceAlertBody), self.services
        symbol = read_symbol(asked.symbol, "symbol")
        if symbol not in services.symbols:
            raise no_symbol(symbol, services.symbols)
        try:
            made = await services.alerts.prices.add(
                symbol, asked.rule, asked.price, asked.note, asked.again
            )
        except TooManyError as error:
            raise ApiError(409, "too_many", str(error)) from error
        self.send(_item(made), status=201)


class PriceAlertHandler(BaseHandler):
    """One price alert."""

    @operation(Role.TRADER, answer=PriceAlertDeleted, path=NumberPath)
    async def delete(self, id: str) -> None:
        """Delete a price alert."""
        number = self.places(NumberPath).id
        if not await self.services.alerts.prices.remove(number):
            raise ApiError(404, "unknown_alert", f"There is no price alert {number}.", "id")
        self.send(PriceAlertDeleted(id=number))


def _item(alert: PriceAlert) -> PriceAlertItem:
    state = "waiting" if alert.active else "leaving" if alert.again else "fired"
    return PriceAlertItem(
        id=alert.id, symbol=alert.symbol, rule=alert.rule, price=alert.price, note=alert.note,
        again=alert.again, state=state, created_at=alert.created_at, fired_at=alert.fired_at,
    )  # fmt: skip


routes = [
    ("/api/price-alerts", PriceAlertsHandler),
    ("/api/price-alerts/{id}", PriceAlertHandler),
]
