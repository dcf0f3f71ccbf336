"""Ask one address again and again, politely: only for what is new, never too much, never for ever.

Addresses may hold secrets. Nothing here logs one, and no error carries one: not its own, and not
as the cause of another.
"""

from dataclasses import dataclass
from email.message import Message
from typing import Final

import aiohttp
import stamina

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of an unpacked body; more is refused while it is read."""

TIMEOUT_S: Final = 20.0
ATTEMPTS: Final = 3
MOST_REDIRECTS: Final = 5
LONGEST_WAIT_S: Final = 3_600.0
_CHUNK: Final = 64 * 1024
_AGENT: Final = "opportunity (feed reader)"
_ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.8, */*;q=0.5"
)


class PollError(Exception):
    """Raised when a source did not answer as it should; the text names no address.

    `wait_s` is how long the source asks to be left alone, 0 where it does not say.
    """

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class TransientError(PollError):
    """What may be gone a second later: a lost connection, a server that is busy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and the encoding that the server names for it."""

    body: bytes
    charset: str = ""


class Page:
    """One address and what its last answer said about when to send it again.

    Parameters
    ----------
    address : str
        http or https; may hold secrets.
    timeout_s : float
        For one attempt, the body included.
    attempts : int
        Before a poll counts as failed.
    """

    def __init__(
        self, address: str, timeout_s: float = TIMEOUT_S, attempts: int = ATTEMPTS
    ) -> None:
        self._address = address
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s))
        self._attempts = attempts
        self._tags: dict[str, str] = {}

    def __repr__(self) -> str:
        return "<Page>"

    async def get(self, session: aiohttp.ClientSession) -> Answer | None:
        """Return the body, or None when it is the one of last time.

        Raises
        ------
        PollError
            If no attempt brought an answer of status 200 or 304 that is small enough.
        """
        try:
            async for attempt in stamina.retry_context(
                on=TransientError, attempts=self._attempts, timeout=None,
                wait_initial=0.5, wait_max=5.0,
            ):  # fmt: skip
                with attempt:
                    return await self._ask(session)
        except PollError as error:
            raise error.with_traceback(None) from None
        raise AssertionError("an attempt returns or raises")

    def forget(self) -> None:
        """Ask for the whole body next time: the last one could not be used."""
        self._tags = {}

    async def _ask(self, session: aiohttp.ClientSession) -> Answer | None:
        headers = {"User-Agent": _AGENT, "Accept": _ACCEPT, **self._tags}
        try:
            async with session.get(
                self._address, headers=headers, timeout=self._timeout,
                max_redirects=MOST_REDIRECTS,
            ) as response:  # fmt: skip
                if response.status == 304:
                    return None
                _check(response)
                body = await _read(response)
                self._remember(response)
                return Answer(body, _charset(response))
        except TimeoutError:
            raise TransientError(f"no answer within {self._timeout.total:g} s") from None
        except aiohttp.TooManyRedirects:
            raise PollError(f"more than {MOST_REDIRECTS} redirects") from None
        except aiohttp.InvalidURL:
            raise PollError("address is not valid") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TransientError(f"connection failed ({type(error).__name__})") from None

    def _remember(self, response: aiohttp.ClientResponse) -> None:
        tags = {
            "If-None-Match": response.headers.get("ETag", ""),
            "If-Modified-Since": response.headers.get("Last-Modified", ""),
        }
        self._tags = {name: value for name, value in tags.items() if 0 < len(value) <= 500}


def _check(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == 200:
        return
    wait = _wait(response.headers.get("Retry-After", ""))
    if status in (408, 425, 500, 502, 504) or (status == 503 and not wait):
        raise TransientError(f"status {status}", wait)
    raise PollError(f"status {status}", wait)


def _wait(text: str) -> float:
    """Return the seconds of a `Retry-After`; its other form, a date, is rare and read as 0."""
    return min(float(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 0.0


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise PollError(f"body must be <= {MOST_BYTES} bytes, was longer")
    return bytes(body)


def _charset(response: aiohttp.ClientResponse) -> str:
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type", "")
    return header.get_content_charset("") or ""
