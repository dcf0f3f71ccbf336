"""The limits that every entry keeps, as a form: the rule beside the field, changes by whom."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import param

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from app.components.island import dumps
from app.components.risk_words import GROUPS, LIMITS, RISK_PER_TRADE
from opportunity.storage.events import StoredEvent
from opportunity.trading.bounds import WHOLE
from opportunity.trading.costs import Sizing
from opportunity.trading.risk import RiskRecord

MOST_CHANGES: Final = 6
"""Newest changes that are listed."""


class LimitsForm(Commanding):
    """Fields of a draft; only Apply changes what everybody uses.

    A press is ``{"type": "limits", "values": {...}, "version": 3, "why": "..."}``.
    """

    conflict = param.String("{}", doc="What somebody else has set meanwhile, JSON; {} without.")
    changes = param.String("[]", doc="The newest changes, JSON; see `changes_state`.")

    _esm = figured_module("limits_form")
    _stylesheets: ClassVar[list[str]] = [figured_style("limits_form")]

    def clash(self, theirs: Mapping[str, Any] | None, version: int = 0) -> None:
        """Ask what to keep: somebody else was quicker. None: it is settled."""
        told = {} if theirs is None else {"values": dict(theirs), "version": version,
                                          "n": self._presses}  # fmt: skip
        self._presses += 1
        self.conflict = dumps(told)


def limits_state(values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return every limit with its value, its rule and what it is without being set.

    Parameters
    ----------
    values : mapping
        By name; a limit that is None is sized otherwise and cannot be left so by the form.
    version : int
        Of the values.
    """
    usual = RiskRecord().as_dict() | {RISK_PER_TRADE: Sizing().amount}
    return {
        "version": version,
        "groups": [
            {"title": title, "fields": [_field(name, values.get(name), usual) for name in group]}
            for title, group in GROUPS
        ],
    }


def changes_state(events: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    """Return who changed which limits when, newest first, of the audit's events."""
    told = []
    for one in events[:MOST_CHANGES]:
        before, after = one.body.get("before") or {}, one.body.get("after") or {}
        changed = [
            {"title": LIMITS[name].title, "unit": LIMITS[name].unit, "before": before.get(name),
             "after": value}
            for name, value in after.items()
            if name in LIMITS and before.get(name) != value
        ]  # fmt: skip
        told.append({"at": one.at, "by": one.body.get("by", ""), "why": one.body.get("why", ""),
                     "changed": changed})  # fmt: skip
    return told


def _field(name: str, value: Any, usual: Mapping[str, Any]) -> dict[str, Any]:
    words = LIMITS[name]
    low, high = words.bounds(name)
    return {
        "name": name, "title": words.title, "means": words.means, "unit": words.unit,
        "value": value, "low": low, "high": high, "above": name == RISK_PER_TRADE,
        "whole": name in WHOLE, "off": words.off, "usual": usual[name],
    }  # fmt: skip
