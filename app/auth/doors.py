"""Pages, their files and Bokeh's WebSockets behind the gate.

Bokeh and Panel bring handlers of their own. Each of them, whichever it is, passes the gate before
it does anything: `Doors.close_off` wraps all that are not ours, so that what a later version adds
is closed, too.
"""

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bokeh.util.token import check_token_signature, get_token_payload
from tornado.web import (
    Application,
    RequestHandler,
    create_signed_value,
    stream_request_body,
)
from tornado.websocket import WebSocketHandler

from app.api.base import Checked, NotFound
from app.api.guard import SAFE_METHODS
from app.api.problems import ApiError
from app.auth.gate import Gate
from app.auth.html import OwnDoor, PageErrors, login_address
from app.auth.pages import CALLER_COOKIE, PAGE, USER_COOKIE, caller, read, sign
from app.auth.roles import LOCAL, Caller, Role
from app.components.language import LANGUAGE_COOKIE
from app.components.theme import THEME_COOKIE
from opportunity.feeds.clock import wall_ms

KEPT_COOKIES: Final = [USER_COOKIE, CALLER_COOKIE, THEME_COOKIE, LANGUAGE_COOKIE]
KEPT_HEADERS: Final = ["Accept-Language"]
"""All of a request that a page's token holds: it stands in the page, where every script sees it."""

LOOK_S: Final = 1.0
SEEN_S: Final = 60.0
MAX_PAGES: Final = 300
MAX_PAGES_OF_ONE: Final = 30
"""Open pages, each of which holds some megabytes: of all, and of one who logged in."""
RETRY_S: Final = 20
MAX_MESSAGE: Final = 1 << 20
"""Largest message of a browser to its page, bytes."""

ENDED: Final = 4001
UNUSED: Final = ("autoload.js", "metadata")
"""Bokeh's, for pages that are embedded elsewhere; ours are not."""


@dataclass(eq=False)
class Doors:
    """All that is no handler of ours, behind the gate.

    Parameters
    ----------
    gate : Gate
    services : Services
    secret : str
        Signs who looks at a page.
    """

    gate: Gate
    services: Any
    secret: str

    def __post_init__(self) -> None:
        self._open: dict[WebSocketHandler, Caller] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._beats = 0

    def close_off(self, application: Application) -> None:
        """Put every handler of the application behind the gate; call once, on its loop."""
        for rule in application.wildcard_router.rules:
            target: Any = rule.target
            if not inspect.isclass(target) or issubclass(target, Checked | OwnDoor):
                continue
            path = getattr(rule.matcher, "_path", "") or ""
            if path.endswith(UNUSED):
                rule.target = NotFound
                rule.target_kwargs = {"services": self.services, "gate": self.gate}
            else:
                kind = PageSocket if issubclass(target, WebSocketHandler) else Guarded
                made = type(f"Guarded{target.__name__}", (kind, target), {"doors": self})
                rule.target = made if kind is PageSocket else stream_request_body(made)
        self._application = application
        self._tick()

    def close(self) -> None:
        """Look no more after open pages."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def admit(self, handler: RequestHandler, writes: bool) -> Caller:
        """Return who asks for a page, a file or a page's WebSocket, and note it for the page."""
        found = self.gate.judge(handler.request, Role.VIEWER, writes).caller
        who = PAGE if found is LOCAL else found
        cookies: Any = handler.request.cookies
        cookies[CALLER_COOKIE] = sign(self.secret, who)
        cookies[USER_COOKIE] = create_signed_value(self.secret, USER_COOKIE, who.name).decode()
        return who

    def check_room(self, who: Caller) -> None:
        """Refuse one page too many; ApiError 503."""
        application: Any = self._application
        sessions = [s for path in application.app_paths for s in application.get_sessions(path)]
        if who is not PAGE:
            own = sum(caller(session.document).name == who.name for session in sessions)
        else:
            own = 0
        if len(sessions) >= MAX_PAGES or own >= MAX_PAGES_OF_ONE:
            raise ApiError(
                503, "pages", "Too many pages are open; close some.",
                headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
            )  # fmt: skip

    def check_owner(self, who: Caller, token: str) -> None:
        """Refuse a WebSocket to a page that somebody else opened; ApiError 403."""
        application: Any = self._application
        owner = None
        if check_token_signature(token, signed=True, secret_key=application.secret_key):
            owner = read(self.secret, get_token_payload(token).get("cookies", {}))
        if owner is None or (owner.name, owner.role, owner.token) != (
            who.name, who.role, who.token,
        ):  # fmt: skip
            raise ApiError(403, "not_yours", "This page was opened by another login.")

    def opened(self, socket: WebSocketHandler, who: Caller) -> None:
        """Look after a page until `closed`."""
        self._open[socket] = who

    def closed(self, socket: WebSocketHandler) -> None:
        """Look after it no more."""
        self._open.pop(socket, None)

    def _tick(self) -> None:
        self._beats += 1
        accounts = self.gate.accounts
        for socket, who in tuple(self._open.items()):
            now = who if accounts is None else accounts.still(who, wall_ms())
            if now is None or now.role != who.role:
                self.closed(socket)
                socket.close(ENDED, "login ended")
            elif accounts is not None and self._beats % int(SEEN_S / LOOK_S) == 0:
                accounts.seen(who)
        self._ticker = asyncio.get_running_loop().call_later(LOOK_S, self._tick)


class Guarded(PageErrors):
    """What stands before a handler of Bokeh or Tornado: a page, or a file."""

    doors: ClassVar[Doors]

    async def prepare(self) -> None:
        """Let in who is logged in; send who may log in to the page for that."""
        handler: Any = self
        if handler.request.method not in SAFE_METHODS:
            raise ApiError(
                405, "method_not_allowed", "The resource does not have this method.",
                headers={"Allow": "GET, HEAD", "Connection": "close"},
            )  # fmt: skip
        try:
            who = self.doors.admit(handler, writes=False)
        except ApiError as error:
            handler.set_header("Connection", "close")  # as Tornado does before a body was read
            if error.status_code != 401 or "application_context" not in vars(handler):
                raise
            handler.redirect(login_address(handler.request), status=302)
            return
        if "application_context" in vars(handler):
            _refuse_given_session(handler)
            self.doors.check_room(who)
        handler.current_user = who.name
        await _prepare(super())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with an error, and the connection: Tornado ends it where no body was read."""
        handler: Any = self
        handler.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def data_received(self, chunk: bytes) -> None:
        """Drop what is sent along: pages and files take nothing."""


class PageSocket(Guarded):
    """What stands before Bokeh's WebSocket."""

    async def prepare(self) -> None:
        """Let in who opened the page that it belongs to."""
        handler: Any = self
        who = self.doors.admit(handler, writes=True)
        offered = handler.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        _refuse_given_session(handler)
        self.doors.check_owner(who, offered[-1].strip())
        handler.current_user = self._who = who.name
        self._caller = who
        await _prepare(super(Guarded, self))

    def check_origin(self, origin: str) -> bool:
        """Say yes: the gate has said no to all others, by exact sets."""
        return True

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Look after the page from now on."""
        self.doors.opened(self, self._caller)  # type: ignore[arg-type]  # mixed into a handler
        return super().open(*args, **kwargs)  # type: ignore[misc]  # as above

    def on_close(self) -> None:
        """Look after it no more."""
        self.doors.closed(self)  # type: ignore[arg-type]  # as above
        super().on_close()  # type: ignore[misc]  # as above


async def _prepare(parent: Any) -> None:
    waiting = parent.prepare()
    if inspect.isawaitable(waiting):
        await waiting


def _refuse_given_session(handler: Any) -> None:
    """Refuse to join a page by an id that came from outside: each page has its own."""
    request = handler.request
    given = {"bokeh-session-id", "bokeh-token"} & set(request.query_arguments)
    if given or "Bokeh-Session-Id" in request.headers:
        raise ApiError(400, "session", "A page's session cannot be chosen.")
