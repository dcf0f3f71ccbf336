"""The editor of a weights draft: sliders, presets, what changed, Apply."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import param

from app.components.island import Island, dumps, module, style
from app.components.labels import HINTS, LABELS
from app.components.later import Later
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError, OpportunityError
from opportunity.scoring.weights import Weights

_ROWS: Final = dumps([[n, LABELS[n], HINTS[n]] for n in DETECTOR_NAMES])


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
    later : Later, optional
        Of the page, where these three are to be awaited.
    """

    draft = param.String("{}", doc="Weights of the draft and the newest edit heard of, JSON.")
    active = param.String("{}", doc="Weights in force by name, JSON.")
    presets = param.String("[]", doc="Presets as {name, weights, protected}, JSON.")
    labels = param.String(_ROWS, constant=True, doc="Each slider: name, label, hint; JSON.")
    absent = param.String("[]", doc="Names of detectors that have nothing to read, JSON.")
    note = param.String("{}", doc="Last outcome or conflict, JSON.")
    readonly = param.Boolean(False, doc="Whether Apply is out of reach.")

    _fill = "stretch_width"
    _esm = module("weights_editor")
    _stylesheets: ClassVar[list[str]] = [style("weights_editor")]

    def __init__(
        self,
        weights: Weights,
        active: Mapping[str, float] | None = None,
        on_apply: Callable[[dict[str, float], bool], Any] | None = None,
        on_save: Callable[[str, dict[str, float]], Any] | None = None,
        on_delete: Callable[[str], Any] | None = None,
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
        self._notes, self._later = 0, later or Later()
        weights.param.watch(self._follow, list(DETECTOR_NAMES))

    def set_active(self, values: Mapping[str, float], note: str = "") -> None:
        """Mark other weights as those in force."""
        self.active = dumps(dict(values))
        self._say(note)

    def clash(self, text: str) -> None:
        """Say that somebody else changed the active weights, and ask whose shall hold."""
        self._say("", conflict=text)

    def _follow(self, *_: Any) -> None:
        self.draft = dumps({"values": self.weights.as_dict(), "n": self._heard})

    def _handle_msg(self, data: Any) -> None:
        actions = {
            "draft": self._take, "apply": self._apply, "save": self._save,
            "delete": self._delete, "settle": lambda _: self._say(""),
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
            self._say("", conflict=str(error))
        else:
            self._say(str(error), tone="bear")

    def _take(self, data: Mapping[str, Any]) -> None:
        self.weights.update(_values(data))

    def _apply(self, data: Mapping[str, Any]) -> None:
        self.weights.update(_values(data))
        values, apply = self.weights.normalized().as_dict(), self._on_apply
        force = bool(data.get("force"))

        def done(_: Any) -> None:
            self.weights.update(values)
            self.set_active(values, note="Applied for everybody." if apply else "Applied.")

        self._carry_out(lambda: apply and apply(values, force), done)

    def _save(self, data: Mapping[str, Any]) -> None:
        save = self._on_save
        if save is None:
            return
        values = Weights(**_values(data)).normalized().as_dict()
        name = str(data["name"])
        note = f"Saved as {name}."
        self._carry_out(lambda: save(name, values), lambda left: self._list(left, note))

    def _delete(self, data: Mapping[str, Any]) -> None:
        delete, name = self._on_delete, str(data["name"])
        if delete is not None:
            self._carry_out(lambda: delete(name), lambda left: self._list(left, "Deleted."))

    def _list(self, presets: Sequence[Mapping[str, Any]], note: str) -> None:
        self.presets = dumps(list(presets))
        self._say(note)

    def _say(self, text: str, tone: str = "dim", conflict: str = "") -> None:
        self._notes += 1  # the same words twice are still news: the browser waits for an answer
        self.note = dumps({"n": self._notes, "text": text, "tone": tone, "conflict": conflict})


def _values(data: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(data["values"][name]) for name in DETECTOR_NAMES}
