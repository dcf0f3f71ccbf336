"""What every handler does: check the caller, read JSON, check and send answers, word errors."""

import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, ClassVar, Final, TypeVar

import orjson
import pydantic
import structlog
from tornado.web import RequestHandler, stream_request_body

from app.api.guard import SAFE_METHODS
from app.api.operations import Operation, operation_of
from app.api.parsing import JsonError, parse_json
from app.api.problems import ApiError, problem_of, schema_error, storage_problem
from app.auth.gate import Gate
from app.auth.roles import Caller, Role
from app.services import Services
from opportunity.contracts.base import Answer
from opportunity.storage.failures import DatabaseError

logger = structlog.get_logger(__name__)

MAX_BODY: Final = 1 << 20
MAX_DRAIN: Final = 8 << 20
"""Bodies up to here are read to the end and dropped, so that the sender gets to see the 413."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Model = TypeVar("Model", bound=pydantic.BaseModel)


def iso(time_ms: int) -> str:
    """Return a time in ms UTC as ISO 8601, e.g. ``2026-01-31T12:00:00.000Z``."""
    stamp = datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


class Checked(RequestHandler):
    """A handler whose caller is checked and whose errors are problem details."""

    opens_stream: ClassVar[bool] = False
    caller: Caller
    """Who the request comes from; known from `prepare` on."""

    def initialize(self, services: Services, gate: Gate) -> None:
        """Take what the route was made with."""
        self.services, self.gate = services, gate

    def prepare(self) -> None:
        """Refuse strangers before anything else happens."""
        writes = self.opens_stream or self.request.method not in SAFE_METHODS
        declared = self.operation
        role = Role.VIEWER if declared is None else declared.role
        self.caller = self.gate.admit(self.request, role, writes)

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
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("X-Request-Id", self.request_id)

    def compute_etag(self) -> str | None:
        """Hash nothing: resources with versions say so themselves."""
        return None

    def send(self, answer: Answer, status: int = 200) -> None:
        """Finish with a checked answer."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps(answer.model_dump()))

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
        self.set_header("Content-Type", "application/problem+json; charset=utf-8")
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        if isinstance(error, ApiError):
            for name, value in error.headers.items():
                self.set_header(name, value)
        self.finish(orjson.dumps(problem.model_dump(exclude_none=True)))

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


@stream_request_body  # the body arrives in pieces, so size is checked first and forms never parsed
class BaseHandler(Checked):
    """A REST resource; a subclass defines `get`, `put`, `post` or `delete`."""

    def initialize(self, services: Services, gate: Gate) -> None:
        """Take what the route was made with."""
        super().initialize(services, gate)
        self._chunks = bytearray()
        self._too_large = False
        self._accepted = False

    def prepare(self) -> None:
        """Refuse strangers and bodies far beyond the limit before reading them."""
        super().prepare()
        declared = self.request.headers.get("Content-Length", "")
        length = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
        waits = self.request.headers.get("Expect", "").lower() == "100-continue"
        self._too_large = length > MAX_BODY
        if self._too_large and (waits or length > MAX_DRAIN):
            raise self._oversize()
        self._accepted = True

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with problem details; say so when the connection ends with them."""
        if not self._accepted:  # the body stays unread, so Tornado will hang up after this
            self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def data_received(self, chunk: bytes) -> None:
        """Keep the body up to the limit; beyond it, count and drop."""
        if self._too_large or len(self._chunks) + len(chunk) > MAX_BODY:
            self._too_large = True
            self._chunks.clear()
        else:
            self._chunks += chunk

    def head(self, *args: str) -> Any:
        """Answer like GET, without the body."""
        return self.get(*args)

    def options(self, *args: str) -> None:
        """List the methods; no other origin is allowed anything."""
        self.set_header("Allow", ", ".join(self.methods()))
        self.set_status(204)

    @classmethod
    def methods(cls) -> list[str]:
        """Return the HTTP methods that the class has; HEAD only where there is GET."""
        names = super().methods()
        return names if "GET" in names else [name for name in names if name != "HEAD"]

    def body(self, model: type[Model]) -> Model:
        """Read the JSON body as `model`; an empty body is an empty object.

        Raises
        ------
        ApiError
            413 over the limit, 415 for another media type, 400 for what is not JSON, 422 for
            JSON that breaks the model.
        """
        return read_model(model, self._json())

    def query(self, model: type[Model]) -> Model:
        """Read the query string as `model`.

        Raises
        ------
        ApiError
            422 if a parameter is unknown, given twice, or breaks the model.
        """
        self._check_size()
        given: dict[str, str] = {}
        for name in self.request.query_arguments:
            values = self.get_query_arguments(name)
            if len(values) > 1:
                raise ApiError(422, "invalid", f"{name[:64]} must be given once", name[:64])
            given[name] = values[0]
        return read_model(model, given)

    def _json(self) -> Any:
        self._check_size()
        if not self._chunks:
            return {}
        media = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media != "application/json" and not media.endswith("+json"):
            raise ApiError(415, "not_json", "The body must be application/json.")
        try:
            return parse_json(bytes(self._chunks))
        except JsonError as error:
            raise ApiError(400, "bad_json", str(error)) from error

    def _check_size(self) -> None:
        if self._too_large:
            raise self._oversize()

    @staticmethod
    def _oversize() -> ApiError:
        return ApiError(413, "too_large", f"The body must be at most {MAX_BODY} bytes.")


def read_model(model: type[Model], value: Any) -> Model:
    """Check `value` against `model`; 422 naming every field that breaks it."""
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        raise schema_error(error, model) from error


class NotFound(BaseHandler):
    """What answers where nothing is; also the application's default."""

    def prepare(self) -> None:
        """Answer 404 whatever the method."""
        super().prepare()
        self._accepted = False
        raise ApiError(404, "not_found", "There is nothing at this path.")
