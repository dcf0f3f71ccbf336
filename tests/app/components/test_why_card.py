import orjson

from app.components.why_card import WhyCard


def test_draw_sends_the_whole_state_and_none_clears() -> None:
    card = WhyCard()
    card.draw({"symbol": "BTC/USDT", "steps": []})
    assert orjson.loads(card.state)["symbol"] == "BTC/USDT"
    card.draw(None)
    assert card.state == "{}"


def test_context_travels_by_itself() -> None:
    card = WhyCard()
    card.tell({"stamp": "simulated", "facts": [], "headlines": []})
    assert orjson.loads(card.context)["stamp"] == "simulated"
    assert card.state == "{}"
