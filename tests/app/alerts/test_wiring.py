import asyncio

import pytest
from receiver import SECRET
from served import build, settings_of

from opportunity.config import SettingsError
from opportunity.config_lists import AlertChannel
from opportunity.storage.events import Event


async def test_the_server_has_alerts_from_its_settings(tmp_path, hook):
    settings = settings_of(
        tmp_path, alerts=(AlertChannel("ops", hook.address),), alerts_private=True
    )
    services = build(settings)
    try:
        assert list(services.alerts.channels) == ["ops"]
        await services.start()
        await services.alerts.prices.add("BTC/USDT", "above", 1.0, "", False)
        (event,) = services._memory.events.append(
            [Event("b1", 5, "breaker", {"book": "paper", "name": "drawdown", "state": "OPEN"})]
        )
        services.hub.emit("event", event)
        titles = {m["title"] for m in await asyncio.to_thread(hook.wait, 1)}
        assert all(title.startswith("[simulated]") or "alerts" in title for title in titles)
        bars = await services.alerts.prices._market.history("BTC/USDT", 3, services.agent.time)
        assert len(bars.time) == 3
        assert SECRET not in repr(settings)
    finally:
        await services.stop()


async def test_a_bad_address_ends_the_start(tmp_path):
    with pytest.raises(SettingsError, match="channel 'ops' must have a public address"):
        build(settings_of(tmp_path, alerts=(AlertChannel("ops", "json://127.0.0.1/x"),)))
