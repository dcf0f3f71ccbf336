"""Words of the server as a reader of English sees them."""

from typing import Any

from app.components.language import t


def english(said: Any) -> str:
    """Put a text, a phrase whose values may be phrases, or a list of them into one line."""
    if isinstance(said, list):
        return " · ".join(filter(None, map(english, said)))
    if isinstance(said, dict):
        values = {
            name: english(value) if isinstance(value, dict | list) else value
            for name, value in said["values"].items()
        }
        return t("en", said["text"], **values)
    return str(said)
