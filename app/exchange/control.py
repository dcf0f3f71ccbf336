"""Orders to misbehave, over HTTP: /control/faults and /control/state."""

from typing import Final

from tornado.web import RequestHandler

from app.api.parsing import JsonError, parse_json
from app.exchange import wire
from app.exchange.core import Core
from opportunity.errors import OpportunityError

_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Control(RequestHandler):
    """What /control pages share: only this machine's own programs are listened to."""

    def initialize(self, core: Core) -> None:
        """Take the exchange."""
        self.core = core

    def prepare(self) -> None:
        """Refuse what a web page of somebody else could have sent."""
        self.set_header("Content-Type", "application/json;charset=UTF-8")
        host = self.request.host.rpartition(":")[0] or self.request.host
        if host not in _HOSTS or self.request.headers.get("Origin"):
            self._refuse(403, "orders are taken from programs on this machine only")

    def _refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.finish(wire.dump({"error": message}))


class FaultsControl(Control):
    """POST a fault, GET those that are on, DELETE one (``?id=``) or all."""

    def get(self) -> None:
        """List."""
        self.finish(wire.dump(self.core.faults.listed()))

    def post(self) -> None:
        """Switch one on."""
        if not self.request.headers.get("Content-Type", "").startswith("application/json"):
            return self._refuse(415, "Content-Type must be application/json")
        try:
            number = self.core.order(parse_json(self.request.body))
        except (JsonError, ValueError, OpportunityError) as error:
            return self._refuse(400, str(error))
        self.set_status(201)
        self.finish(wire.dump(next(f for f in self.core.faults.listed() if f["id"] == number)))
        return None

    def delete(self) -> None:
        """Take back one or all."""
        number = self.get_query_argument("id", "")
        if number and not number.isdecimal():
            return self._refuse(400, f"id must be a whole number, was {number[:20]!r}")
        try:
            if number:
                self.core.faults.remove(int(number))
            else:
                self.core.faults.clear()
        except ValueError as error:
            return self._refuse(404, str(error))
        self.finish(wire.dump(self.core.faults.listed()))
        return None


class StateControl(Control):
    """GET what the exchange is and what it has done wrong so far."""

    def get(self) -> None:
        """Tell."""
        core, faults = self.core, self.core.faults
        now = core.advance()
        self.finish(wire.dump({
            "source": core.market.source, "speed": core.clock.speed, "now": now,
            "told": core.told(now), "symbols": len(core.ids), "calls": faults.calls,
            "calls_in_ban": faults.calls_in_ban, "injected": dict(faults.injected),
            "log": [{"time": i.time, "kind": i.kind, "what": i.what} for i in faults.log],
        }))  # fmt: skip
