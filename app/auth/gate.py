"""The gate: every request of the API, every WebSocket and every page passes it first.

In this order: bounds of the request, where it comes from, who it is from, how often, and at last
whether that one may do it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tornado.httputil import HTTPServerRequest

from app.api.guard import SAFE_METHODS, check_bounds
from app.api.problems import ApiError
from app.auth.credentials import Shown, check_xsrf, shown_by, unauthorized
from app.auth.limiter import Limiter, Standing
from app.auth.origins import Arrival, Origins, is_forwarded
from app.auth.roles import EDGE, LOCAL, NOBODY, Caller, Role
from opportunity.config import Settings
from opportunity.market.wall import wall_ms

if TYPE_CHECKING:
    from app.auth.accounts import Accounts

LOGIN: Final = "/login"
"""The one page whose address may hold a token: the link of the first start."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, from where, and what is left of the limit of requests."""

    caller: Caller
    arrival: Arrival
    standing: Standing | None


class Gate:
    """Tells who calls and refuses who may not.

    Parameters
    ----------
    settings : Settings
    accounts : Accounts, optional
        Users and tokens; without them no credential is worth anything.
    edge_secret : str, optional
        By which other processes of this server show that they belong to it.
    now_ms : callable, optional
        Wall time, ms UTC.
    """

    def __init__(
        self,
        settings: Settings,
        accounts: "Accounts | None" = None,
        edge_secret: str = "",
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self.accounts, self._now_ms = accounts, now_ms
        self.closed = settings.login_required
        """Whether everybody must log in, also programs of this machine."""
        self.origins = Origins(settings, edge_secret or settings.edge_secret.get_secret_value())
        self.limiter = Limiter(settings.requests_per_minute, now_ms)

    @classmethod
    def of(cls, services: Any) -> "Gate":
        """Return the gate of a server; each call makes one, with counts of its own."""
        return cls(services.settings, getattr(services, "accounts", None))

    def admit(self, request: HTTPServerRequest, role: Role, writes: bool) -> Caller:
        """Return who calls; see `judge`."""
        return self.judge(request, role, writes).caller

    def judge(self, request: HTTPServerRequest, role: Role, writes: bool) -> Admission:
        """Return who calls, and what is left to them.

        Parameters
        ----------
        request : HTTPServerRequest
            As Tornado read it.
        role : Role
            That is needed at least; for `Role.ANYBODY` credentials need not be worth anything.
        writes : bool
            Whether it may change something or opens a WebSocket.

        Raises
        ------
        ApiError
            400, 414 or 431 for what no honest client sends, 401 where nobody is logged in, 403
            where the role is not enough or the request comes from somewhere else, 429 for too
            many requests.
        """
        caller, arrival, shown = self._identify(request, role, counts=True)
        standing = self.count(caller, arrival, request)
        if writes:
            self._check_writer(request, arrival, shown)
        self._check_role(caller, role)
        return Admission(caller, arrival, standing)

    def look(self, request: HTTPServerRequest, role: Role, writes: bool) -> Admission:
        """Return who calls if they may, and count nothing.

        Whoever is let in by it is counted by `count`; whoever is not is asked about by `judge`,
        which counts, and says why. See there for what is taken and raised.
        """
        caller, arrival, shown = self._identify(request, role, counts=False)
        if writes:
            self._check_writer(request, arrival, shown)
        self._check_role(caller, role)
        return Admission(caller, arrival, None)

    def count(
        self, caller: Caller, arrival: Arrival, request: HTTPServerRequest
    ) -> Standing | None:
        """Count a request; None where there is no limit, ApiError 429 for one too many."""
        if caller is LOCAL or caller is EDGE:
            return None
        changes = request.method not in SAFE_METHODS
        return self.limiter.admit(caller, arrival.address, changes)

    def _identify(
        self, request: HTTPServerRequest, role: Role, counts: bool
    ) -> tuple[Caller, Arrival, Shown | None]:
        check_bounds(request, link=request.path == LOGIN)
        arrival = self.origins.arrival(request)
        request.scheme_used = arrival.scheme  # type: ignore[attr-defined]  # for HSTS, see headers
        try:
            caller, shown = self._shown(request, arrival)
        except ApiError:
            if counts:
                self.limiter.refuse(arrival.address)
            if role > Role.ANYBODY or not counts:
                raise
            return NOBODY, arrival, None
        if caller is not None:
            return caller, arrival, shown
        if self.origins.is_edge(request) and "X-Forwarded-For" not in request.headers:
            return EDGE, arrival, None
        if not self.closed:
            return self._local(request, arrival), arrival, None
        return NOBODY, arrival, None

    def _shown(
        self, request: HTTPServerRequest, arrival: Arrival
    ) -> tuple[Caller | None, Shown | None]:
        """Return whose credential came along; ApiError 401 for one that is worth nothing."""
        shown = shown_by(request, arrival.scheme)
        caller = None if shown is None else self._known(shown)
        if shown is not None and caller is None and shown.kind != "cookie":
            raise unauthorized("The token is unknown, expired or revoked.", "invalid_token")
        return caller, shown

    def _known(self, shown: Shown) -> Caller | None:
        if self.accounts is None:
            return None
        match shown.kind:
            case "bearer":
                return self.accounts.verify_bearer(shown.secret, self._now_ms())
            case "ticket":
                return self.accounts.redeem(shown.secret)
            case "cookie":
                return self.accounts.verify_session(shown.secret)

    @staticmethod
    def _local(request: HTTPServerRequest, arrival: Arrival) -> Caller:
        if arrival.loopback:
            return LOCAL
        header = is_forwarded(request)
        if header:
            raise ApiError(403, "proxied", f"Behind a proxy ({header}) a login is needed.")
        raise ApiError(403, "not_loopback", "Without login only this machine may call.")

    def _check_writer(
        self, request: HTTPServerRequest, arrival: Arrival, shown: Shown | None
    ) -> None:
        if shown is not None and shown.kind != "cookie":
            return  # a page of another site does not know the token
        self.origins.check_origin(request, arrival, strictly=shown is not None)
        if shown is not None and request.method not in SAFE_METHODS:
            check_xsrf(request, shown.secret)

    @staticmethod
    def _check_role(caller: Caller, role: Role) -> None:
        if role <= caller.role:
            return
        if caller is LOCAL:
            raise ApiError(403, "role", f"This needs the role {role.label}, by a token.")
        if caller.role is Role.ANYBODY:
            raise unauthorized("This needs a login.")
        raise ApiError(
            403, "role", f"This needs the role {role.label}; {caller.name} is {caller.role.label}."
        )
