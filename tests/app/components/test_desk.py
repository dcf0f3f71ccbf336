import pytest

from app.components.desk import Desk
from app.components.frame_weights import FrameWeights
from app.components.price_alerts import PriceAlerts
from app.components.universe_picker import UniversePicker
from app.components.watchlists import Watchlists


@pytest.mark.parametrize("tool", [Watchlists, PriceAlerts, UniversePicker, FrameWeights])
def test_a_tool_has_what_tools_share_and_asks_the_server(tool) -> None:
    heard = []
    one = tool(on_ask=lambda asked: heard.append(dict(asked)))
    one._handle_msg({"what": "read", "n": 1})
    one._handle_msg("nonsense")
    assert heard == [{"what": "read", "n": 1}]
    assert isinstance(one, Desk)
    assert tool._esm.count("export function render") == 1
    assert "function deskOf" in tool._esm
