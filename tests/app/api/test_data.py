from dataclasses import replace

import numpy as np
import pytest

from opportunity.market.trust import FACTORS, N_FACTORS, weigh

PATH = "/api/data/trust"


def doubt(world):
    """Let ETH miss bars on 15m, and SOL's price be unconfirmed."""
    market = world.services.market
    facts = np.zeros((*market.trust.shape, N_FACTORS))
    facts[1, 1, FACTORS.index("gaps")] = 0.105
    facts[2, :, FACTORS.index("price")] = 1
    world.services.market = replace(market, distrust=facts, trust=weigh(facts)[1])


async def test_all_streams_the_least_trusted_first(world):
    doubt(world)
    status, body, _ = await world.call("GET", PATH)
    assert status == 200
    assert (body["total"], len(body["streams"]), body["source"]) == (24, 24, "simulated")
    assert [s["trust"] for s in body["streams"][:6]] == [0, 0, 0, 0, 0.5, 1]
    assert {s["symbol"] for s in body["streams"][:4]} == {"SOL/USDT"}
    worst = body["streams"][4]
    assert (worst["symbol"], worst["id"], worst["timeframe"]) == ("ETH/USDT", "ETHUSDT", "15m")
    assert worst["factors"] == dict.fromkeys(FACTORS, 1.0) | {"gaps": 0.5}
    assert worst["note"] == "10 % of the 15m bars missing lately"
    assert worst["bar_close"] == body["ts"]
    assert (body["lowest"], body["median"], body["vetoed"], body["symbols"]) == (0, 1, 1, 5)
    assert body["min_trust"] == 0.5


async def test_one_stream_and_a_limit(world):
    doubt(world)
    _, body, _ = await world.call("GET", f"{PATH}?symbol=eth-usdt&timeframe=15m")
    assert [(s["symbol"], s["timeframe"]) for s in body["streams"]] == [("ETH/USDT", "15m")]
    assert body["vetoed"] == 1  # of the whole market
    _, body, _ = await world.call("GET", f"{PATH}?limit=2")
    assert (len(body["streams"]), body["total"]) == (2, 24)


async def test_low_trust_travels_with_scans_and_scores(world):
    doubt(world)
    rules = {"type": "any", "threshold": 0, "min_confidence": 0, "max_risk": "HIGH",
             "min_volume_usd": 0, "exclude_neutral": False}
    body = {"symbols": ["ETHUSDT", "SOLUSDT"], "timeframes": ["5m", "15m"], "rules": rules}
    _, answer, _ = await world.call("POST", "/api/scanner/run", json=body)
    (row,) = answer["results"]
    assert row["symbol"] == "ETH/USDT"
    assert row["trust"] == pytest.approx((0.1 + 0.15 * 0.5) / 0.25)
    assert row["trust_note"] == "10 % of the 15m bars missing lately"
    parts = row["timeframe_breakdown"]
    assert [(parts[t]["trust"], parts[t]["trust_note"]) for t in ("5m", "15m")] == [
        (1.0, ""), (0.5, "10 % of the 15m bars missing lately"),
    ]
    _, answer, _ = await world.call(
        "POST", "/api/scanner/run", json=body | {"rules": rules | {"min_trust": 0}}
    )
    assert [r["symbol"] for r in answer["results"]] == ["ETH/USDT", "SOL/USDT"]
    assert answer["results"][1]["confidence"] == 0
    _, answer, _ = await world.call(
        "POST", "/api/signals/score", json={"symbol": "SOLUSDT", "timeframe": "5m"}
    )
    assert answer["confidence"] == answer["result"]["trust"] == 0
    assert answer["result"]["trust_note"] == "the newest price is not confirmed"


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("?symbol=%3F%3F", 422, "symbol"), ("?symbol=NOPEUSDT", 404, "symbol"),
        ("?timeframe=7h", 422, "timeframe"), ("?timeframe=1w", 400, "timeframe"),
        ("?limit=0", 422, "limit"), ("?since=1", 422, "since"),
    ],
)  # fmt: skip
async def test_bad_question_names_its_field(world, query, status, field):
    assert (await world.refused(status, "GET", PATH + query))["field"] == field


async def test_nothing_is_known_while_the_agent_warms_up(world):
    world.services.market = None
    assert (await world.refused(503, "GET", PATH))["code"] == "warming_up"
