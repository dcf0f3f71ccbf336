import orjson

from app.components.signal_table import SignalTable


def test_rows_and_prices_travel_as_whole_states() -> None:
    table = SignalTable()
    table.draw({"rows": [[1, "BTC/USDT"]], "total": 1})
    table.quote({"BTC/USDT": 2.5})
    assert orjson.loads(table.rows)["total"] == 1
    assert orjson.loads(table.prices) == {"BTC/USDT": 2.5}
