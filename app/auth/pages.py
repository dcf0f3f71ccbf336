"""Who looks at an open page, and what their role lets them press.

The gate knows when the page is opened; `doors` puts it into the page's token, signed, and here it
is read back. What is pressed is checked again each time.
"""

import json
from typing import Any, Final

import panel as pn
from bokeh.document import Document
from tornado.web import create_signed_value, decode_signed_value

from app.auth.roles import Caller, Role
from opportunity.errors import OpportunityError

USER_COOKIE: Final = "user"
"""Where Panel looks for the name: `pn.state.user`."""
CALLER_COOKIE: Final = "opportunity-caller"
DAYS: Final = 31.0

PAGE: Final = Caller("page", Role.TRADER, "loopback")
"""Who turns something on a page where no login is asked for; so it stands in the audit."""


class NotAllowedError(OpportunityError, PermissionError):
    """Raised when somebody presses what their role does not allow."""


def caller(doc: Document | None = None) -> Caller:
    """Return who looks at a page, as the gate knew them when the page was opened.

    Parameters
    ----------
    doc : Document, optional
        The page's; by default the one that is being worked on. Without a session behind it, as
        in a notebook, nobody else can be meant than who runs it.
    """
    doc = pn.state.curdoc if doc is None else doc
    context: Any = None if doc is None else doc.session_context
    request = None if context is None else context.request
    if request is None:
        return PAGE
    return read(pn.config.cookie_secret, request.cookies) or Caller("", Role.ANYBODY, "none")


def act(services: Any, who: Caller, role: Role = Role.TRADER) -> str:
    """Return the name for the audit of somebody who may do this now.

    Raises
    ------
    NotAllowedError
        If the login has ended meanwhile, or the role is not enough.
    """
    accounts = getattr(services, "accounts", None)
    now = who if accounts is None else accounts.still(who)
    if now is None:
        raise NotAllowedError("the login must go on, has ended: load the page again")
    if now.role < role:
        raise NotAllowedError(f"role must be {role.label}, was {now.role.label}")
    return str(now.name)


def sign(secret: str, who: Caller) -> str:
    """Return a caller as a page's token holds them."""
    text = json.dumps([who.name, int(who.role), who.how, who.expires, who.token])
    return create_signed_value(secret, CALLER_COOKIE, text).decode()


def read(secret: str | None, cookies: Any) -> Caller | None:
    """Return the caller that `sign` put there; None if it is not from us."""
    value = cookies.get(CALLER_COOKIE)
    if not secret or value is None:
        return None
    text = decode_signed_value(secret, CALLER_COOKIE, value, max_age_days=DAYS)
    if text is None:
        return None
    name, role, how, expires, token = json.loads(text)
    return Caller(name, Role(role), how, expires, token)
