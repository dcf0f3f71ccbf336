"""The editor of a weights draft: sliders, presets, what changed and what if, Apply."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import orjson
import param

from app.components.island import HERE, Island, dumps, module, style
from app.components.labels import HINTS, LABELS
from app.components.language import phrase
from app.components.later import Later
from app.components.weights_file import read_weights
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError, OpportunityError
from opportunity.scoring.weights import Weights

_ROWS: Final = dumps([[n, LABELS[n], HINTS[n]] for n in DETECTOR_NAMES])
_PARTS: Final = ("what_if", "weights_menu", "weights_conflict", "weights_editor")
"""Its modules; the last one draws."""

Said = str | Mapping[str, Any]
"""Plain text, or a phrase."""


class WeightsEditor(Island):
    """Turn the nine weights of one `Weights` object.

    The sliders change `weights` at once (while dragging, ten times a second at most); what is
    marked as active changes only when `on_apply` succeeds or `set_active` is called.

    Parameters
    ----------
    weights : Weights
        The draft. In a notebook any `Weights`; a page hands in one of its own session.
    active : mapping, optional
        What is in force, marked on every slider; the draft as it is now by default.
    on_apply : callable, optional
        `on_apply(values, force)`; ConflictError asks the user whose weights shall hold,
        ValueError is shown. Without it Apply only moves the marks.
    on_save, on_delete : callable, optional
        `on_save(name, values)` and `on_delete(name)`; both return the presets that are left.
    on_history : callable, optional
        Returns what was in force before, newest first: {version, at, by, weights}.
    on_rest : callable, optional
        Called when the draft has been left as it is for a moment.
    later : Later, optional
        Of the page, where these are to be awaited.
    """

    draft = param.String("{}", doc="Weights of the draft and the newest edit heard of, JSON.")
    active = param.String("{}", doc="Weights in force by name, JSON.")
    presets = param.String("[]", doc="Presets as {name, weights, protected}, JSON.")
    labels = param.String(_ROWS, constant=True, doc="Each slider: name, label, hint; JSON.")
    absent = param.String("[]", doc="Names of detectors that have nothing to read, JSON.")
    note = param.String("{}", doc="Last outcome or conflict, JSON.")
    versions = param.String("{}", doc="What was in force before, JSON; empty before it is asked.")
    offer = param.String("{}", doc="Weights of a file for the draft, JSON.")
    what_if = param.String("{}", doc="What the draft would have earned, JSON; empty hides it.")
    looked = param.Boolean(True, doc="Whether the what-if is unfolded.")
    readonly = param.Boolean(False, doc="Whether Apply is out of reach.")

    _fill = "stretch_width"
    _esm = "\n".join([
        module(_PARTS[0]), *((HERE / f"{n}.js").read_text(encoding="utf-8") for n in _PARTS[1:])
    ])
    _stylesheets: ClassVar[list[str]] = [style("weights_editor")]

    def __init__(
        self,
        weights: Weights,
        active: Mapping[str, float] | None = None,
        on_apply: Callable[[dict[str, float], bool], Any] | None = None,
        on_save: Callable[[str, dict[str, float]], Any] | None = None,
        on_delete: Callable[[str], Any] | None = None,
        on_history: Callable[[], Any] | None = None,
        on_rest: Callable[[], None] | None = None,
        later: Later | None = None,
        **params: Any,
    ) -> None:
        values = weights.as_dict()
        self._heard = 0
        super().__init__(
            draft=dumps({"values": values, "n": 0}), active=dumps(dict(active or values)),
            **params,
        )
        self.weights = weights
        self._on_apply, self._on_save, self._on_delete = on_apply, on_save, on_delete
        self._on_history, self._on_rest = on_history, on_rest
        self._notes, self._later = 0, later or Later()
        weights.param.watch(self._follow, list(DETECTOR_NAMES))

    @property
    def in_force(self) -> dict[str, float]:
        """Weights that are marked as those in force."""
        found: dict[str, float] = orjson.loads(self.active)
        return found

    def set_active(self, values: Mapping[str, float], note: Said = "") -> None:
        """Mark other weights as those in force."""
        self.active = dumps(dict(values))
        self._say(note)

    def clash(self, text: Said) -> None:
        """Say that somebody else changed the active weights, and ask whose shall hold."""
        self._say("", conflict=text)

    def _follow(self, *_: Any) -> None:
        self.draft = dumps({"values": self.weights.as_dict(), "n": self._heard})

    def _handle_msg(self, data: Any) -> None:
        actions = {
            "draft": self._take, "apply": self._apply, "save": self._save,
            "delete": self._delete, "settle": lambda _: self._say(""),
            "history": self._history, "import": self._import,
        }
        self._heard = max(self._heard, int(data.get("n", 0)))
        action = actions.get(str(data.get("type")))
        if action is None:
            return
        try:
            action(data)
        except (OpportunityError, ValueError, KeyError) as error:
            self._refused(error)

    def _carry_out(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        def answered(found: Any, failure: Exception | None) -> None:
            if failure is None:
                done(found)
            else:
                self._refused(failure)

        self._later.carry_out(work, answered)

    def _refused(self, error: Exception) -> None:
        if isinstance(error, ConflictError):
            why = phrase("Other weights were applied since you began: {why}.", why=str(error))
            self._say("", conflict=why, asks=True)
        else:
            self._say(str(error), tone="bear")

    def _take(self, data: Mapping[str, Any]) -> None:
        self.weights.update(_values(data))
        if data.get("rest") and self._on_rest is not None:
            self._on_rest()

    def _apply(self, data: Mapping[str, Any]) -> None:
        self.weights.update(_values(data))
        values, apply = self.weights.normalized().as_dict(), self._on_apply
        force = bool(data.get("force"))

        def done(_: Any) -> None:
            self.weights.update(values)
            note = phrase("Applied for everybody.") if apply else phrase("Applied.")
            self.set_active(values, note)

        self._carry_out(lambda: apply and apply(values, force), done)

    def _save(self, data: Mapping[str, Any]) -> None:
        save = self._on_save
        if save is None:
            return
        values = Weights(**_values(data)).normalized().as_dict()
        name = str(data["name"])
        note = phrase("Saved as {name}.", name=name)
        self._carry_out(lambda: save(name, values), lambda left: self._list(left, note))

    def _delete(self, data: Mapping[str, Any]) -> None:
        delete, name = self._on_delete, str(data["name"])
        if delete is not None:
            self._carry_out(lambda: delete(name), lambda left: self._list(left, phrase("Deleted.")))

    def _history(self, _: Mapping[str, Any]) -> None:
        asked = self._on_history

        def answered(found: Sequence[Mapping[str, Any]]) -> None:
            self._notes += 1  # the same list twice is an answer twice
            self.versions = dumps({"n": self._notes, "rows": list(found)})

        if asked is not None:
            self._carry_out(asked, answered)

    def _import(self, data: Mapping[str, Any]) -> None:
        """Offer the weights of a file to the browser, where they can be undone like any others."""
        name, values = read_weights(str(data["text"]))
        self._notes += 1
        self.offer = dumps({"n": self._notes, "name": name, "values": values})
        self._say(phrase("Read into the draft."))

    def _list(self, presets: Sequence[Mapping[str, Any]], note: Said) -> None:
        self.presets = dumps(list(presets))
        self._say(note)

    def _say(
        self, text: Said, tone: str = "dim", conflict: Said = "", asks: bool = False
    ) -> None:
        self._notes += 1  # the same words twice are still news: the browser waits for an answer
        self.note = dumps({
            "n": self._notes, "text": text, "tone": tone, "conflict": conflict, "asks": asks,
        })


def _values(data: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(data["values"][name]) for name in DETECTOR_NAMES}
