import json
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from drawn import drawn

from app.components.chart import COLUMNS, MarketChart
from app.components.chart_live import _FOLD, ChartLive, ChartScore, picture_of
from opportunity.live.running import unfinished
from opportunity.market.bars import Bar
from opportunity.scoring.ensemble import combine
from opportunity.scoring.scores import explain

MINUTE, HOUR = 60_000, 3_600_000
SPLIT = 7
"""Prices told of each base bar."""


def run(code: str) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    done = subprocess.run(
        [node, "-"], input=f"{_FOLD}\n{code}", capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _told(n: int = 150, seed: int = 3) -> list[list[tuple[float, ...]]]:
    """Return base bars of a random walk as the line tells them: growing, the last one final."""
    rng = np.random.default_rng(seed)
    price, bars = 100.0, []
    for i in range(n):
        steps = price * np.exp(np.cumsum(rng.normal(0, 0.001, SPLIT)))
        traded = np.cumsum(rng.uniform(0, 5, SPLIT))
        bars.append([
            (i * MINUTE, price, max(price, *steps[: k + 1]), min(price, *steps[: k + 1]),
             float(steps[k]), float(traded[k]))
            for k in range(SPLIT)
        ])
        price = float(steps[-1])
    return bars


def _hour(told: list[list[tuple[float, ...]]], i: int, k: int) -> Bar:
    """Return the unfinished hour up to word `k` of base bar `i`, as the agent does."""
    first = i // 60 * 60
    done = [words[-1] for words in told[first:i]]
    closed = None
    if done:
        closed = Bar(first * MINUTE, done[0][1], max(b[2] for b in done),
                     min(b[3] for b in done), done[-1][4], sum(b[5] for b in done))
    made = unfinished(closed, told[i][k], (i - 1) * MINUTE, "1h")
    assert made is not None
    return made


def _fold(script: list[Any], closed: int = -HOUR) -> list[list[float]]:
    """Hear and see in the order of `script`; return the unfinished bars."""
    return list(run(f"""
        const fold = new Fold(); fold.begin({HOUR}, 0); fold.close({closed});
        for (const [what, ...rest] of {json.dumps(script)})
          if (what === "hear") fold.hear(rest[0]); else if (what === "close") fold.close(rest[0]);
          else fold.picture(...rest);
        console.log(JSON.stringify(fold.running));"""))


@pytest.mark.parametrize("seed", range(4))
def test_picture_and_line_join_without_a_hole_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    told = _told(50, seed)
    words = [("hear", word) for bar in told for word in bar]
    at = int(rng.integers(5, 40)) * SPLIT + int(rng.integers(SPLIT))
    seen = ("see", told[at // SPLIT][at % SPLIT], tuple(_hour(told, at // SPLIT, at % SPLIT)))
    joined = int(rng.integers(0, at))  # the line begins before the picture is made
    late = int(rng.integers(at, len(words)))  # and the picture comes after more of it
    script = [*words[joined:late], seen, *words[late:]]
    (bar,) = _fold(script)
    assert bar == pytest.approx(list(_hour(told, 49, SPLIT - 1)))


def test_bars_are_closed_and_begun_by_the_line_alone() -> None:
    told = _told(150)
    script = [("see", told[10][3], tuple(_hour(told, 10, 3)))]
    script += [("hear", word) for bar in told[10:] for word in bar]
    bars = _fold(script)
    wanted = [list(_hour(told, i, SPLIT - 1)) for i in (59, 119, 149)]
    assert np.array(bars) == pytest.approx(np.array(wanted))


def test_what_is_missed_is_mended_by_the_next_picture() -> None:
    told = _told(50)
    script = [("see", told[10][3], tuple(_hour(told, 10, 3)))]
    script += [("hear", word) for bar in told[30:40] for word in bar]  # the line was down
    script += [("see", told[39][2], tuple(_hour(told, 39, 2)))]
    (bar,) = _fold(script)
    assert bar == pytest.approx(list(_hour(told, 39, SPLIT - 1)))


def test_late_and_double_words_count_once_and_closed_bars_are_left_alone() -> None:
    told = _told(70)
    script = [("see", told[61][0], tuple(_hour(told, 61, 0)))]
    script += [("hear", word) for word in (*told[61], *told[61][-1:], *told[60], *told[59])]
    (bar,) = _fold(script, closed=0)
    assert bar == pytest.approx(list(_hour(told, 61, SPLIT - 1)))
    assert _fold([*script, ("close", HOUR)]) == []


def test_nothing_is_drawn_from_the_line_before_the_first_picture() -> None:
    assert _fold([("hear", word) for word in _told(3)[0]]) == []


def test_unfinished_bars_fill_all_columns_as_the_server_does() -> None:
    bars = [[HOUR, 100, 104, 99, 103.5, 2], [2 * HOUR, 103.5, 104, 99, 100, 3]]
    chart = MarketChart()
    chart._length = HOUR
    values = np.array([bar[1:] for bar in bars], float)
    times = np.array([bar[0] for bar in bars], np.int64)
    wanted = chart._columns(times, values, np.full((2, 2), np.nan))
    empty = json.dumps({name: [] for name in COLUMNS})
    made = run(f"""const made = extended({empty}, 0, {json.dumps(bars)}, {HOUR});
        console.log(JSON.stringify(Object.fromEntries(
          Object.entries(made).map(([name, column]) => [name, Array.from(column)]))));""")
    assert set(made) == set(COLUMNS)
    for name, column in wanted.items():
        if name in ("final", "confidence"):
            assert made[name] == [None, None]  # not a number
        elif name == "tone":
            assert made[name] == column
        else:
            assert made[name] == pytest.approx(list(column))


def test_picture_belongs_together_or_is_none() -> None:
    base, forming = (HOUR, 1.0, 2.0, 0.5, 1.5, 9.0), Bar(HOUR, 1.0, 2.0, 0.5, 1.5, 90.0)
    seen = picture_of("BTC/USDT", "1h", base, forming)
    assert seen == {
        "symbol": "BTC/USDT", "timeframe": "1h", "base": base, "ahead": None,
        "forming": tuple(forming),
    }
    moved = forming._replace(close=1.6)
    assert picture_of("BTC/USDT", "1h", base, moved) is None
    assert picture_of("BTC/USDT", "1h", None, None)["forming"] is None


def test_picture_tells_what_the_bar_would_score() -> None:
    nothing = np.full(9, np.nan)
    row = combine(nothing[None], nothing[None], 0.0, 0.5).take(0)
    one = explain(row, nothing, nothing, np.full(9, 1 / 9), 0.0, 0.5, "1h", 2 * HOUR)
    forming = Bar(HOUR, 1.0, 2.0, 0.5, 1.5, 90.0)
    assert picture_of("X", "1h", None, forming, one)["ahead"] is None  # nothing is scored
    scored = replace(one, final=0.7, confidence=0.3)
    ahead = picture_of("X", "1h", None, forming, scored)["ahead"]
    assert ahead == {"closed": 2 * HOUR, "final": 0.7, "confidence": 0.3}


def test_states_name_the_stream() -> None:
    live, chart = ChartLive(), MarketChart(titled=False)
    live.wait("ETH/USDT", "1h")
    assert orjson.loads(live.state)["loading"] is True
    live.follow(chart, "ETH/USDT", "1h", 5 * HOUR)
    state = orjson.loads(live.state)
    assert (state["length"], state["origin"], state["closed"]) == (HOUR, 5 * HOUR, 5 * HOUR)
    known = {model.id for p in (chart.price, chart.score) for model in p.references()}
    assert set(state["models"].values()) <= known | {chart.figures.times.id}
    live.fail("ETH/USDT", "1h", "no history")
    assert orjson.loads(live.state)["error"] == "no history"
    assert ChartScore().styles["position"] == "absolute"


def test_a_stream_that_failed_first_begins_without_the_prices_of_the_one_before() -> None:
    chart, live, states = MarketChart(titled=False), ChartLive(), []
    live.param.watch(lambda event: states.append(event.new), "state")
    live.follow(chart, "BTC/USDT", "1h", 0)
    live.wait("ADA/USDT", "1h")
    live.fail("ADA/USDT", "1h", "no history")
    live.follow(chart, "ADA/USDT", "1h", 0)
    script = f"""
        const names = {json.dumps(list(COLUMNS))};
        const row = () => ({{ ...Object.fromEntries(names.map((n) => [n, [1]])), opened: [0] }});
        const signal = {{ connect() {{}}, disconnect() {{}}, emit() {{}} }};
        const source = {{ data: row(), change: signal, properties: {{ data: {{ change: signal }} }},
          setv(values) {{ Object.assign(source, values); }} }};
        const found = (id) => (id === {json.dumps(chart.models()["source"])} ? source : null);
        globalThis.Bokeh = {{ documents: [{{ get_model_by_id: found }}] }};
        const say = (type, detail) => document.dispatchEvent(new CustomEvent(type, {{ detail }}));
        const price = (symbol, now, volume) => say("opportunity:message", {{ type: "price", symbol,
          ts: {HOUR}, open: now, high: now, low: now, close: now, volume }});
        const seen = (symbol, now, volume) => {{
          const bar = [{HOUR}, now, now, now, now, volume];
          const told = {{ symbol, timeframe: "1h", base: bar, forming: bar, ahead: null }};
          model.set({{ picture: JSON.stringify(told) }});
        }};
        const [first, wait, failed, second] = {json.dumps(states)};
        model.set({{ state: first }});
        seen("BTC/USDT", 100_000, 5);
        price("BTC/USDT", 100_001, 900);
        for (const state of [wait, failed, second]) model.set({{ state }});
        source.data = row();
        seen("ADA/USDT", 0.5, 10);
        await new Promise((done) => setTimeout(done, 150));
        return Array.from(source.data.close);"""
    assert drawn(ChartLive, script) == [1, 0.5]
