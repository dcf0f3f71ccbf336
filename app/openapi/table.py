"""Tables of the docs that are made of the routes: who may do what."""

import inspect
from typing import Final

from app.api import resources
from app.api.operations import operations_of
from app.auth.roles import Role

BEGIN: Final = "<!-- routes: made by `opportunity openapi --docs`, not by hand -->"
END: Final = "<!-- end of routes -->"
MAY: Final = "yes"

_HEAD: Final = ("route", *(role.label for role in Role), "what it does")


def table() -> str:
    """Return the table of routes by roles as Markdown; `yes` where a role may."""
    lines = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    for path, handler in sorted(resources(), key=lambda resource: resource[0]):
        for method, made in operations_of(handler):
            may = (MAY if role >= made.role else "" for role in Role)
            text = inspect.getdoc(getattr(handler, method.lower())) or ""
            about = text.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
            lines.append(f"| `{method} {path}` | {' | '.join(may)} | {about} |")
    return "\n".join(lines)


def put_in(text: str) -> str:
    """Return a Markdown text with the newest table between its markers.

    Raises
    ------
    ValueError
        If the text has not both markers, in their order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the text must have {BEGIN} and {END}, had not")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
