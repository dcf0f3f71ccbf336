"""The weights of one open Live page: its draft, what is active and what if, presets, Apply."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from app.auth.pages import act
from app.auth.roles import Role
from app.components.island import dumps
from app.components.language import phrase
from app.components.weights_editor import WeightsEditor
from app.pages.head import Head
from app.pages.live_what_if import LiveWhatIf, Pair
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.weights import Weights
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

SAME: Final = 1e-9
"""Weights nearer than this are equal: what travels through JSON and sliders is rounded."""


class LiveWeights:
    """What one page knows of the weights; only Apply changes what others see.

    Parameters
    ----------
    services : Services
        The server's side.
    head : Head
        Of the page: who looks, and where answers that take time are awaited.
    moved : callable
        Called when the draft has moved: the ranking is to be drawn again.

    Attributes
    ----------
    draft : Weights
        Of this page alone.
    editor : WeightsEditor
        The component.
    what_if : LiveWhatIf
        What the draft would have earned.
    """

    def __init__(self, services: "Services", head: Head, moved: Callable[[], None]) -> None:
        self.services, self.head, self._moved = services, head, moved
        self._active = services.weights.as_dict()
        self._based_on = self._heard = services.controls.weights_version
        self.draft = Weights(**self._active)
        self.editor = WeightsEditor(
            self.draft, active=self._active, on_apply=self._apply, on_save=self._save_preset,
            on_delete=self._delete_preset, on_history=self._history, on_rest=self._rests,
            later=head.later,
        )
        self.what_if = LiveWhatIf(services, head.doc, self._pair, self._draw_what_if)
        self.editor.param.watch(lambda event: self.what_if.want(event.new), "looked")
        self.draft.param.watch(self._draft_moved, list(DETECTOR_NAMES))

    def open(self) -> None:
        """Show what the server keeps; called once the browser shows the page."""
        if self.services.controls.weights_version != self._heard:  # applied while it was on its way
            self._heard = self._based_on = self.services.controls.weights_version
            self._active = self.services.weights.as_dict()
            self.draft.update(self._active)
            self.editor.set_active(self._active)
        self.read_presets()
        self.what_if.open()

    def read_presets(self) -> None:
        """Show the presets as they are kept now, also those that another page saved."""

        def shown(found: list[dict[str, Any]], failure: Exception | None) -> None:
            if failure is None:
                self.editor.presets = dumps(found)
            else:
                logger.warning("presets not read for the page", error=str(failure))

        self.head.later.carry_out(lambda: asyncio.to_thread(self._presets), shown)

    def close(self) -> None:
        """Ask for nothing more."""
        self.what_if.close()

    @property
    def turned(self) -> bool:
        """Whether the draft differs from what is active."""
        return any(abs(getattr(self.draft, n) - w) > SAME for n, w in self._active.items())

    def rank(self, shared: Evaluation | None) -> Evaluation | None:
        """Return the ranking to show: the shared one, or that of a draft that was turned."""
        found = self.services.evaluate(self.draft) if self.turned else shared
        if found is not None:
            there = zip(DETECTOR_NAMES, found.snapshot.exists, strict=True)
            self.editor.absent = dumps([name for name, exists in there if not exists])
            self.what_if.tick()
        return found

    def changed(self, change: Mapping[str, Any]) -> None:
        """Follow new active weights; a draft that was turned is kept, and its user asked."""
        turned, version = self.turned, int(change["version"])
        self._heard = version
        mine = version == self._based_on
        self._active = dict(change["value"])
        if not turned:
            self._based_on = version
            self.draft.update(self._active)
            if not mine:
                note = phrase("New weights ({by}).", by=change["by"])
                self.editor.set_active(self._active, note)
        elif not mine:
            self.editor.set_active(self._active)
            self.editor.clash(
                phrase("The active weights were changed ({by}) meanwhile.", by=change["by"])
            )
        self.what_if.ask()

    def _draft_moved(self, *_: Any) -> None:
        if not self.turned:
            self._based_on = self._heard  # what is newer is not shown yet: it is still to be told
        self._moved()
        self.what_if.ask()

    def _rests(self) -> None:
        if self.turned:  # what is stored is no matter of who may only look
            self.what_if.ask(counts=self.head.who.role >= Role.TRADER)

    def _pair(self) -> Pair:
        """Return the weights in force, and the draft where it differs."""
        active = Weights(**self._active).as_array()
        return active, self.draft.as_array() if self.turned else None

    def _draw_what_if(self, state: dict[str, Any]) -> None:
        self.editor.what_if = dumps(state)

    async def _apply(self, values: dict[str, float], force: bool) -> None:
        based_on = None if force else self._based_on
        by = act(self.services, self.head.who)
        version = await self.services.controls.apply_weights(values, by, based_on)
        self._based_on = self._heard = version
        self._active = dict(values)

    def _presets(self) -> list[dict[str, Any]]:
        return [
            {"name": p.name, "weights": p.weights, "protected": p.protected}
            for p in self.services.controls.presets()
        ]

    async def _save_preset(self, name: str, values: dict[str, float]) -> list[dict[str, Any]]:
        by = act(self.services, self.head.who)
        await self.services.controls.save_preset(name, values, by)
        return await asyncio.to_thread(self._presets)

    async def _delete_preset(self, name: str) -> list[dict[str, Any]]:
        by = act(self.services, self.head.who)
        await self.services.controls.delete_preset(name, by)
        return await asyncio.to_thread(self._presets)

    async def _history(self) -> list[dict[str, Any]]:
        return [
            {"version": v.version, "at": v.created_at, "by": v.set_by, "weights": v.weights}
            for v in await self.services.controls.weights_history()
        ]
