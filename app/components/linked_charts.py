"""Linked figures that live in the browser alone.

A picture of four figures is 340 models. Kept in the page's document they would cost the server's
loop 150 ms when they come, memory as long as the page is open, and a message for every zoom. So
they travel as one text, made on another thread, and the browser embeds it.
"""

from typing import Any, ClassVar, Final

import param
from bokeh.embed import json_item

from app.components.island import Island, dumps, module, style

DRAWING: Final = "Drawing the charts …"
EMPTY: Final = "There is nothing to draw."


class LinkedCharts(Island):
    """Figures in one column on one time axis; a drawing that replaces another keeps its view."""

    item = param.String("", doc="What is drawn, JSON; see `packed`.")
    note = param.String("", doc="What is said where nothing is drawn yet.")
    view = param.String("", doc="Part of the time axis to move to, JSON: n, start, end in ms.")

    _fill = "stretch_width"
    _esm = module("linked_charts")
    _stylesheets: ClassVar[list[str]] = [style("linked_charts")]


def packed(model: Any, id: str) -> str:
    """Return a Bokeh model as text for `LinkedCharts.item`; on any thread.

    Parameters
    ----------
    model : Model
        Of no document.
    id : str
        Of what it shows: another drawing of the same keeps the view.
    """
    return dumps({"id": id, "item": json_item(model)})
