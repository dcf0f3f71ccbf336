import pytest

from app.names import state_name, symbols_key, time_key
from opportunity.config import Settings

URL = "http://127.0.0.1:9000"


def test_markets_that_differ_have_names_that_differ(tmp_path):
    several = [
        Settings(),
        Settings(seed=8),
        Settings(feed="exchange"),
        Settings(feed="exchange", exchange="kraken"),
        Settings(feed="exchange", exchange_url=URL),
        Settings(feed="replay", data=tmp_path / "a"),
        Settings(feed="replay", data=tmp_path / "b"),
    ]
    assert len({state_name(s) for s in several}) == len(several)
    assert len({symbols_key(s) for s in several}) == len(several)
    assert time_key("replay") != time_key("simulated")


@pytest.mark.parametrize("values", [{"exchange": "binance"}, {"top": 7}, {"quote": "EUR"}])
def test_the_same_exchange_keeps_its_name(values):
    assert state_name(Settings(feed="exchange", **values)) == "binance"


def test_no_name_holds_an_address_or_a_folder(tmp_path):
    for settings in (
        Settings(feed="exchange", exchange_url=URL), Settings(feed="replay", data=tmp_path)
    ):
        assert "/" not in state_name(settings)
        assert "9000" not in state_name(settings)
