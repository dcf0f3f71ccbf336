import orjson
import pytest
import sqlalchemy as sa
from drawn import drawn
from shadowed import MARKET, contest, wall

from app.comparisons import Comparisons
from app.components.challengers import Challengers, challengers_state, story_state
from app.components.island import dumps
from opportunity.contracts import DETECTOR_NAMES
from opportunity.storage.database import open_database
from opportunity.storage.shadows import ShadowRepository

EVEN = dict.fromkeys(DETECTOR_NAMES, 1 / 9)


@pytest.fixture
def kept(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield _Kept(engine)
    engine.dispose()


class _Kept:
    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.shadows = engine, ShadowRepository(engine, MARKET, wall)
        self.comparisons = Comparisons(self.shadows)

    def challenger(self, name: str, n_days: int, ahead: float) -> None:
        self.shadows.add(name, EVEN)
        contest(self.engine, name, n_days, ahead)


def test_a_better_one_is_ahead_with_its_interval_above_zero(kept) -> None:
    kept.challenger("bold", 60, 0.01)
    kept.shadows.add("new", EVEN)
    states = [kept.comparisons.state(one) for one in kept.shadows.read()]
    found = challengers_state(states, kept.shadows.standing(), "simulated")
    rows = {row["name"]: row for row in orjson.loads(dumps(found))["rows"]}
    bold = rows["bold"]
    assert bold["verdict"] == "better"
    assert bold["words"]["text"] == "better than the champion ({n} days)"
    assert 0 < bold["low"] < bold["mean"] < bold["high"]
    assert bold["earned"] > bold["champion"]
    assert (rows["new"]["mean"], rows["new"]["earned"], rows["new"]["days"]) == (None, None, 0)
    assert found["champion"]["equity"] > 0


def test_a_worse_one_is_behind_and_an_even_one_cannot_be_told(kept) -> None:
    kept.challenger("bad", 60, -0.01)
    (state,) = [kept.comparisons.state(one) for one in kept.shadows.read()]
    (row,) = challengers_state([state], None, "x")["rows"]
    assert row["verdict"] == "worse"
    assert row["low"] < row["mean"] < row["high"] < 0


def test_the_story_has_both_curves_and_the_band_day_by_day(kept) -> None:
    assert story_state(None) == {}
    kept.challenger("bold", 30, 0.01)
    story = story_state(kept.comparisons.story(kept.shadows.find("bold")))
    assert story["name"] == "bold"
    assert story["champion"][0] == story["challenger"][0] == 1.0
    assert len(story["days"]) == len(story["mean"]) == 30
    assert all(a <= b <= c for a, b, c in zip(story["low"], story["mean"], story["high"],
                                              strict=True))  # fmt: skip
    assert story["mean"][-1] > 0


def test_presses_reach_the_page_and_what_was_refused_is_told() -> None:
    asked: list = []

    def do(wanted):
        asked.append(wanted)
        if wanted["type"] == "stop":
            raise KeyError("no challenger of that name")
        return {"text": "done", "values": {}}

    part = Challengers(do)
    part._handle_msg({"type": "add", "name": "a"})
    assert orjson.loads(part.answer) == {
        "n": 1, "text": {"text": "done", "values": {}}, "error": ""
    }  # fmt: skip
    part._handle_msg({"type": "stop", "name": "a"})
    assert orjson.loads(part.answer) == {
        "n": 2, "text": None, "error": "no challenger of that name"
    }  # fmt: skip
    part._handle_msg("nonsense")
    assert len(asked) == 2


def test_presets_that_changed_are_offered_though_as_many() -> None:
    seen = drawn(Challengers, """
        const select = root.querySelector("select");
        const names = () => select.options.map((one) => one.value);
        const seen = [names()];
        select.value = "bold";
        model.set({ presets: '["bold", "new"]' });
        return [...seen, names(), select.value];""", presets='["bold", "old"]')
    assert seen == [["bold", "old"], ["bold", "new"], "bold"]
