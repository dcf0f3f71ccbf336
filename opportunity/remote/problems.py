"""What a server says when it cannot do what it was asked."""

from collections.abc import Mapping
from typing import Any

from opportunity.errors import OpportunityError


class RemoteError(OpportunityError):
    """Raised when a server refuses, fails, or is not there.

    Parameters
    ----------
    detail : str
        One sentence for people.
    status : int
        HTTP status; 0 where no answer came.
    code : str
        Stable short name of the kind of problem, e.g. ``stale``; ``unreachable`` without answer.
    problem : mapping, optional
        The problem document as it came.
    retry_after_s : float, optional
        When to ask again, seconds.
    """

    def __init__(
        self,
        detail: str,
        status: int = 0,
        code: str = "unreachable",
        problem: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code = status, code
        self.problem: Mapping[str, Any] = problem or {}
        self.retry_after_s = retry_after_s

    @property
    def field(self) -> str | None:
        """Path of the field that is at fault, where it is one."""
        return self.problem.get("field")

    @property
    def request_id(self) -> str | None:
        """Name of the request in the server's log."""
        return self.problem.get("request_id")

    @property
    def passing(self) -> bool:
        """Waiting may help: nobody answered, or the server asked to come back."""
        return self.status in (0, 429, 503)

    @classmethod
    def of(cls, status: int, body: Any, headers: Mapping[str, str]) -> "RemoteError":
        """Read a problem document; what is none is told by its status only."""
        problem = body if isinstance(body, dict) else {}
        detail = str(problem.get("detail") or f"the server answered {status}")
        wait = headers.get("Retry-After", "")
        return cls(
            detail, status, str(problem.get("code") or f"http_{status}"), problem,
            float(wait) if wait.isdecimal() else None,
        )  # fmt: skip
