"""What every resource does: read query, places and JSON by what is declared, and answer."""

from typing import TYPE_CHECKING, Any, Final, TypeVar

import pydantic
from tornado.web import stream_request_body

from app.api.checked import HEADERS as HEADERS
from app.api.checked import Checked as Checked
from app.api.checked import iso as iso
from app.api.parsing import JsonError, parse_json
from app.api.problems import ApiError, schema_error
from opportunity.contracts.base import Query

if TYPE_CHECKING:  # what a process that only passes the stream on does not load
    from app.auth.gate import Gate
    from app.services import Services

MAX_BODY: Final = 1 << 20
MAX_DRAIN: Final = 8 << 20
"""Bodies up to here are read to the end and dropped, so that the sender gets to see the 413."""

Model = TypeVar("Model", bound=pydantic.BaseModel)


@stream_request_body  # the body arrives in pieces, so size is checked first and forms never parsed
class BaseHandler(Checked):
    """A REST resource; a subclass defines `get`, `put`, `post` or `delete`."""

    def initialize(self, services: "Services", gate: "Gate") -> None:
        """Take what the route was made with."""
        super().initialize(services, gate)
        self._chunks = bytearray()
        self._too_large = False
        self._accepted = False
        self._read: set[str] = set()

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
        if (made := self.operation) is not None and made.query is None:
            read_model(Query, self._given_query())

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
        self._insist("body", model)
        return read_model(model, self._json())

    def query(self, model: type[Model]) -> Model:
        """Read the query string as `model`.

        Raises
        ------
        ApiError
            422 if a parameter is unknown, given twice, or breaks the model.
        """
        self._insist("query", model)
        self._check_size()
        return read_model(model, self._given_query())

    def places(self, model: type[Model]) -> Model:
        """Read the places of the path as `model`, whose fields they are in their order.

        Raises
        ------
        ApiError
            422 if one breaks the model.
        """
        self._insist("path", model)
        return read_model(model, dict(zip(model.model_fields, self.path_args, strict=True)))

    def finish(self, chunk: Any = None) -> Any:
        """End the answer; a success is a TypeError if nobody looked at what was declared."""
        made = self.operation
        if made is not None and 200 <= self.get_status() < 300:
            for what in ("query", "path", "body"):
                if getattr(made, what) is not None and what not in self._read:
                    raise TypeError(f"{what} must be read as declared, was not")
        return super().finish(chunk)

    def _insist(self, what: str, model: type) -> None:
        self._read.add(what)
        if (made := self.operation) is not None:
            made.insist(what, model)

    def _given_query(self) -> dict[str, str]:
        given: dict[str, str] = {}
        for name in self.request.query_arguments:
            values = self.get_query_arguments(name)
            if len(values) > 1:
                raise ApiError(422, "invalid", f"{name[:64]} must be given once", name[:64])
            given[name] = values[0]
        return given

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

    def text(self, media: str) -> str:
        """Return the body as text of a media type; ApiError 413, 415 or 400 for anything else."""
        self._check_size()
        given = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if self._chunks and given != media:
            raise ApiError(415, "media", f"The body must be {media}.")
        try:
            return bytes(self._chunks).decode()
        except UnicodeDecodeError as error:
            raise ApiError(400, "bad_text", "The body must be UTF-8.") from error

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
