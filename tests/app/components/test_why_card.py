import orjson

from app.components.why_card import WhyCard


def test_draw_sends_the_whole_state_and_none_clears() -> None:
    card = WhyCard()
    card.draw({"symbol": "BTC/USDT", "steps": []})
    assert orjson.loads(card.state)["symbol"] == "BTC/USDT"
    card.draw(None)
    assert card.state == "{}"
