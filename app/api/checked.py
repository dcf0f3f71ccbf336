"""What resources and streams share: who calls, checked answers, and the wording of errors."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson
import structlog
from tornado.web import RequestHandler

from app.api.guard import SAFE_METHODS
from app.api.operations import Operation, operation_of
from app.api.problems import ApiError, problem_of, storage_problem
from app.auth.headers import SECURITY, STRICT_POLICY
from app.auth.roles import Caller, Role
from app.observing.requests import began, known
from opportunity.contracts.base import Answer
from opportunity.errors import DatabaseError

if TYPE_CHECKING:  # what a process that only passes the stream on does not load
    from app.auth.gate import Gate
    from app.auth.origins import Arrival
    from app.services import Services

logger = structlog.get_logger(__name__)

HEADERS: Final = {
    **SECURITY, "Content-Security-Policy": STRICT_POLICY, "Cache-Control": "no-store",
}

def iso(time_ms: int) -> str:
    """Return a time in ms UTC as ISO 8601, e.g. ``2026-01-31T12:00:00.000Z``."""
    stamp = datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


class Checked(RequestHandler):
    """A handler whose caller is checked and whose errors are problem details."""

    opens_stream: ClassVar[bool] = False
    form: ClassVar[bool] = False
    """Whether it is sent by a form of ours, which shows its origin and no token of scripts."""
    arrival: "Arrival"
    caller: Caller
    """Who the request comes from; known from `prepare` on."""
    problem_code: str | None = None
    """Of the problem that it ended in."""
    _rate: Mapping[str, str] = MappingProxyType({})

    def initialize(self, services: "Services", gate: "Gate") -> None:
        """Take what the route was made with."""
        self.services, self.gate = services, gate

    def prepare(self) -> None:
        """Refuse strangers before anything else happens."""
        began(self)
        writes = self.opens_stream or self.request.method not in SAFE_METHODS
        declared = self.operation
        role = Role.VIEWER if declared is None else declared.role
        admitted = self.gate.judge(self.request, role, writes and not self.form)
        self.caller, self.arrival = admitted.caller, admitted.arrival
        known(self)
        if writes and self.form:
            self.gate.origins.check_origin(self.request, self.arrival, strictly=True)
        if admitted.standing is not None:
            self._rate = admitted.standing.headers()
            for name, value in self._rate.items():
                self.set_header(name, value)
        if self.caller.how == "cookie" and declared is not None and declared.etag:
            self._check_precondition()

    def _check_precondition(self) -> None:
        # A page that was open for an hour writes over what somebody else has set meanwhile.
        replaces = self.request.method in ("PUT", "PATCH", "DELETE")
        if replaces and "If-Match" not in self.request.headers:
            raise ApiError(
                428, "precondition", "A write by cookie needs If-Match: read first, then write."
            )

    @property
    def operation(self) -> Operation | None:
        """What is declared of the method that is asked for; None where there is no such method."""
        return operation_of(type(self), str(self.request.method))

    @property
    def request_id(self) -> str:
        """Name of this request, in the answer's header, in problems and in the log."""
        if not hasattr(self, "_request_id"):
            self._request_id = uuid.uuid4().hex
        return self._request_id

    def set_default_headers(self) -> None:
        """Set the headers of every answer, errors included."""
        self.clear_header("Server")
        for name, value in {**HEADERS, **self._rate}.items():
            self.set_header(name, value)
        self.set_header("X-Request-Id", self.request_id)

    def compute_etag(self) -> str | None:
        """Hash nothing: resources with versions say so themselves."""
        return None

    def declared(self, answer: Answer, status: int | None = None) -> Answer:
        """Return an answer if it is what the method declares; TypeError otherwise."""
        if (made := self.operation) is not None:
            made.insist("answer", type(answer), status)
        return answer

    def send(self, answer: Answer, status: int | None = None) -> None:
        """Finish with a checked answer; its status is the declared one unless said."""
        made = self.operation
        self.set_status(status or (200 if made is None else made.status))
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps(self.declared(answer, status).model_dump()))

    def finish(self, chunk: Any = None) -> Any:
        """End the answer; a success that is not what is declared is a TypeError."""
        made, status = self.operation, self.get_status()
        if made is not None and 200 <= status < 300:
            media = str(self._headers.get("Content-Type", "")).partition(";")[0]
            if status not in made.successes:
                raise TypeError(f"status must be one of {list(made.successes)}, was {status}")
            if chunk is not None and media not in made.medias:
                raise TypeError(f"media type must be one of {made.medias}, was {media!r}")
        return super().finish(chunk)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Finish with an error; a database that takes nothing now is a 503, not our fault."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, DatabaseError):
            refused = storage_problem(error)
            status_code, kwargs["exc_info"] = 503, (ApiError, refused, error.__traceback__)
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with problem details, whoever raised the error."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        problem = problem_of(status_code, error, self.request.path[:200], self.request_id)
        self.problem_code = problem.code
        self.set_header("Content-Type", "application/problem+json; charset=utf-8")
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        if isinstance(error, ApiError):
            for name, value in error.headers.items():
                self.set_header(name, value)
        told = {name: value for name, value in problem.model_dump().items() if value is not None}
        self.finish(orjson.dumps(told))

    @classmethod
    def methods(cls) -> list[str]:
        """Return the HTTP methods that the class has, upper case and sorted."""
        missing = RequestHandler._unimplemented_method
        return sorted(
            name
            for name in RequestHandler.SUPPORTED_METHODS
            if getattr(cls, name.lower()) is not missing
        )

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log refusals in one quiet line and our own faults with their trace."""
        about = {"path": self.request.path[:200], "request_id": self.request_id}
        if isinstance(value, ApiError) and value.status_code < 500:
            logger.info("request refused", code=value.code, **about)
        elif isinstance(value, DatabaseError):
            logger.warning("storage failed", error=str(value), **about)
        elif isinstance(value, ApiError) and value.status_code == 503:
            logger.debug("request not served yet", code=value.code, **about)
        elif isinstance(value, ApiError):
            logger.warning("request not served", code=value.code, **about)
        elif getattr(value, "status_code", 500) < 500:
            logger.info("request refused", status=getattr(value, "status_code", 0), **about)
        elif typ is not None and value is not None:
            logger.error("request failed", exc_info=(typ, value, tb), **about)
