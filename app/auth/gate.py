"""The gate: every request of the API, every WebSocket and every page passes it first."""

from tornado.httputil import HTTPServerRequest

from app.api.guard import check_caller
from app.api.problems import ApiError
from app.auth.roles import LOCAL, Caller, Role
from opportunity.config import Settings


class Gate:
    """Tells who calls and refuses who may not.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def admit(self, request: HTTPServerRequest, role: Role, writes: bool) -> Caller:
        """Return who calls.

        Parameters
        ----------
        request : HTTPServerRequest
            As Tornado read it.
        role : Role
            That is needed at least.
        writes : bool
            Whether it may change something or opens a WebSocket.

        Raises
        ------
        ApiError
            401 where nobody is logged in, 403 where the role is not enough or the request comes
            from somewhere else.
        """
        check_caller(request, writes)
        if role > LOCAL.role:
            raise ApiError(403, "role", f"This needs the role {role.label}, by a token.")
        return LOCAL
