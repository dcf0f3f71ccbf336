"""Labels that would lie on each other: the more important one stays, the others move or go.

Sizes are those of a usual screen (`Frame.pixel`, `BAR_PX`): text is measured, not drawn, so this
is an estimate. A mark whose label goes keeps its tooltip.
"""

from itertools import product
from typing import Final, NamedTuple

from app.components.overlay_tables import BAR_PX, CHAR_PX, Frame, Overlay

LINE_PX: Final = 13.0
GLYPH_PX: Final = 8.0
ASIDE: Final = 7
"""How far the label of a level stands off its line, pixels."""


class Box(NamedTuple):
    """A rectangle in pixels, y downwards."""

    left: float
    right: float
    top: float
    bottom: float


class Room:
    """Rectangles that are taken already."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._taken: list[Box] = []

    def box(self, x: float, y: float, width: float, height: float, align: float = 0.5) -> Box:
        """Return the rectangle of something at a time and price.

        Parameters
        ----------
        x, y : float
            Milliseconds and quote currency.
        width, height : float
            Pixels.
        align : float
            Part of the width that lies left of `x`.
        """
        across = (x - self._frame.right) / self._frame.length * BAR_PX - align * width
        down = -y / self._frame.pixel
        return Box(across, across + width, down - height / 2, down + height / 2)

    def take(self, box: Box) -> None:
        """Take a rectangle whether it is free or not."""
        self._taken.append(box)

    def claim(self, box: Box) -> bool:
        """Take a rectangle if nothing lies on it."""
        free = not any(
            box.left < o.right and o.left < box.right and box.top < o.bottom and o.top < box.bottom
            for o in self._taken
        )
        if free:
            self._taken.append(box)
        return free


def clear_labels(drawn: Overlay, frame: Frame) -> None:
    """Leave out labels for which there is no room; levels may turn theirs to the other side.

    Letters at pivots come first, then levels, the names of marks from the newest on, and bands.
    """
    room = Room(frame)
    _letters(drawn, room, frame)
    marks = drawn.marks
    for x, y in zip(marks["x"], marks["y"], strict=True):
        room.take(room.box(x, y, GLYPH_PX, GLYPH_PX))
    _levels(drawn, room, frame)
    for i in sorted(range(len(marks["x"])), key=lambda i: -marks["x"][i]):
        y = marks["y"][i] - marks["offset"][i] * frame.pixel
        if not _fits(room, marks["label"][i], marks["x"][i], y):
            marks["label"][i] = ""
    bands = drawn.bands
    for i in sorted(range(len(bands["left"])), key=lambda i: -bands["strength"][i]):
        y = bands["top"][i] - LINE_PX * frame.pixel
        if not _fits(room, bands["label"][i], bands["label_x"][i], y, 0.0):
            bands["label"][i] = ""


def _letters(drawn: Overlay, room: Room, frame: Frame) -> None:
    letters = drawn.letters
    for i, label in enumerate(letters["label"]):
        y = letters["y"][i] - letters["offset"][i] * frame.pixel
        if not _fits(room, label, letters["x"][i], y):
            letters["label"][i] = ""


def _levels(drawn: Overlay, room: Room, frame: Frame) -> None:
    levels = drawn.levels
    # From the right edge to the left: what counts now comes before what has been.
    for i in sorted(range(len(levels["y"])), key=lambda i: -levels["x1"][i]):
        ends = ((levels["x1"][i], "right", 1.0), (levels["x0"][i], "left", 0.0))
        for (x, align, part), offset in product(ends, (-ASIDE, ASIDE)):
            y = levels["y"][i] - offset * frame.pixel
            if _fits(room, levels["label"][i], x, y, part):
                levels["offset"][i], levels["label_x"][i] = offset, x
                levels["align"][i] = align
                break
        else:
            levels["label"][i] = ""


def _fits(room: Room, label: str, x: float, y: float, align: float = 0.5) -> bool:
    return not label or room.claim(room.box(x, y, CHAR_PX * len(label), LINE_PX, align))
