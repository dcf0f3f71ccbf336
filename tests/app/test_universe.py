import pytest
from served import NAMES, build, settings_of

from app.universe import SIMULATED_TOP, Choice, in_force, overruled
from opportunity.config import Settings

STORED = Choice("EUR", 7)
NAMED = Choice(symbols=("BTC/USDT",))


@pytest.mark.parametrize(
    ("given", "stored", "wanted", "by"),
    [
        ({}, None, Choice(), ""),
        ({}, STORED, STORED, ""),
        ({}, NAMED, NAMED, ""),
        ({}, Choice(), Choice(), ""),
        ({"symbols": "ethusdt,BTC-USDT"}, STORED, Choice("", None, ("ETH/USDT", "BTC/USDT")),
         "symbols"),
        ({"feed": "exchange"}, None, Choice("", 40), ""),
        ({"feed": "exchange"}, Choice("EUR"), Choice("EUR", 40), ""),
        ({"feed": "exchange", "top": 9}, STORED, Choice("", 9), "top"),
        ({"feed": "exchange", "quote": "USD"}, Choice(top=3), Choice("USD", 3), ""),
    ],
)
def test_settings_that_name_symbols_win_over_a_choice(given, stored, wanted, by):
    settings = Settings(**given)
    assert in_force(settings, stored) == wanted
    assert overruled(settings) == by


def test_a_choice_survives_as_plain_values():
    for choice in (STORED, NAMED, Choice()):
        assert Choice.of(choice.as_dict()) == choice
    assert Choice.of({}) is None


@pytest.fixture
async def universe(tmp_path):
    services = build(settings_of(tmp_path))
    yield services.universe
    await services.stop()


async def test_what_a_choice_of_the_invented_market_gives(universe):
    found = await universe.look(Choice(top=5))
    assert len(found.symbols) == 5
    assert {q.symbol for q in found.symbols} >= {"BTC/USDT", "ETH/USDT"}
    assert len((await universe.look(Choice())).symbols) == SIMULATED_TOP
    named = await universe.look(Choice(symbols=("SOL/USDT",)), "name")
    assert [q.symbol for q in named.symbols] == ["SOL/USDT"]
    with pytest.raises(ValueError, match="Did you mean"):
        await universe.look(Choice(symbols=("SOLL/USDT",)))
    with pytest.raises(ValueError, match="quote must be USDT"):
        await universe.look(Choice(quote="EUR"))


async def test_open_positions_are_always_in_it(universe):
    universe._held = lambda: ("DOGE/USDT", "BTC/USDT")
    found = await universe.look(NAMED)
    assert {q.symbol for q in found.symbols} == {"BTC/USDT", "DOGE/USDT"}
    assert found.held == ("DOGE/USDT",)


async def test_choice_is_kept_and_audited(universe):
    assert await universe.chosen() is None
    await universe.choose(Choice(top=5), "api", "fewer")
    assert await universe.chosen() == Choice(top=5)
    with pytest.raises(ValueError, match="must be"):
        await universe.choose(Choice(symbols=("NOPE/USDT",)), "api")
    assert await universe.chosen() == Choice(top=5)


async def test_watched_by_name_or_volume(universe):
    assert [q.symbol for q in universe.watched("name")] == sorted(NAMES)
    assert {q.symbol for q in universe.watched()} == set(NAMES)


async def test_quotes_of_a_running_market(live):
    watched = live.universe.watched()
    volumes = [q.volume for q in watched]
    assert volumes == sorted(volumes, reverse=True)
    assert all(v > 0 for v in volumes)
