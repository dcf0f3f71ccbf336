"""What people turn, over the real services."""

import asyncio
import threading

import numpy as np
import pytest
from served import GIVEN, NAMES, Ears, build, settings_of, until

from app.presets import check_weights
from opportunity.errors import ConflictError, ThreadError
from opportunity.feeds.clock import wall_ms
from opportunity.market.timeframe import TIMEFRAMES
from opportunity.scoring.presets import PRESETS
from opportunity.storage.failures import DatabaseError
from opportunity.storage.repositories import SettingRepository, WeightsRepository
from opportunity.strategy import evaluate


async def test_applied_weights_are_shared_stored_and_told(services, again) -> None:
    ears, first = Ears(services), services.controls.weights_version
    assert await services.controls.apply_weights(GIVEN, by="page", expected=first) == first + 1
    assert services.weights.as_dict() == GIVEN
    event = await ears.event()
    assert (event["what"], event["value"], event["version"], event["by"]) == (
        "weights", GIVEN, first + 1, "page",
    )
    assert abs(event["ts"] - wall_ms()) < 10_000
    await ears.nothing(services)  # once, not once more as set by Python
    restarted = await again(services)
    assert restarted.weights.as_dict() == GIVEN
    assert restarted.controls.weights_version == first + 1


async def test_history_of_the_weights_is_newest_first(services) -> None:
    first = services.controls.weights_version
    await services.controls.apply_weights(GIVEN, by="page")
    newest, before = await services.controls.weights_history()
    assert (newest.version, newest.weights, newest.set_by) == (first + 1, GIVEN, "page")
    assert before.version == first
    assert await services.controls.weights_history(1) == (newest,)


async def test_ranking_follows_applied_weights(live) -> None:
    await live.controls.apply_weights(GIVEN, by="api")
    wanted = evaluate(live.snapshot(), GIVEN, live.rules).combined.net
    await until(lambda: np.array_equal(live.evaluation().combined.net, wanted))


async def test_of_two_who_apply_at_once_one_is_told(services) -> None:
    version = services.controls.weights_version
    ears = Ears(services)
    await services.controls.apply_weights(GIVEN, by="page", expected=version)
    assert (await ears.event())["by"] == "page"
    with pytest.raises(ConflictError, match=f"was {version}"):
        await services.controls.apply_weights(PRESETS["conservative"], by="api", expected=version)
    assert services.weights.as_dict() == GIVEN
    assert services.controls.weights_version == version + 1
    await ears.nothing(services)


BALANCED = PRESETS["balanced"]
WRONG = [
    ({}, "without"),
    ({k: v for k, v in BALANCED.items() if k != "sar"}, r"without \['sar'\]"),
    (BALANCED | {"sarr": 0.0}, "Did you mean 'sar'"),
    (BALANCED | {"sar": -0.1}, "sar"),
    (BALANCED | {"sar": 1.1}, "sar must be 0 to 1, was 1.1"),
    (BALANCED | {"sar": float("nan")}, "sar"),
    (BALANCED | {"sar": "0.1"}, "sar must be a number"),
    (BALANCED | {"sar": None}, "sar must be a number"),
    (BALANCED | {"sar": 0.15}, "sum to 1 within 0.01, was 1.05"),
    (dict.fromkeys(BALANCED, 0.0), "was 0"),
]


@pytest.mark.parametrize(("values", "words"), WRONG, ids=range(len(WRONG)))
async def test_wrong_weights_change_nothing(services, values, words) -> None:
    version, ears = services.controls.weights_version, Ears(services)
    with pytest.raises(ValueError, match=words):
        await services.controls.apply_weights(values, by="api")
    with pytest.raises(ValueError, match=words):
        await services.controls.save_preset("mine", values, by="api")
    assert services.weights.as_dict() == BALANCED
    assert services.controls.weights_version == version
    assert len(services.controls.presets()) == len(PRESETS)
    await ears.nothing(services)


def test_sum_may_be_off_by_what_people_round() -> None:
    assert check_weights(BALANCED | {"sar": 0.105})["sar"] == 0.105
    assert list(check_weights(dict(reversed(BALANCED.items())))) == list(BALANCED)


async def test_weights_set_in_python_are_stored_and_told_too(services, again) -> None:
    ears, version = Ears(services), services.controls.weights_version
    services.weights.update(sar=2.0, smc=0.5)
    event = await ears.event()
    assert (event["value"]["sar"], event["version"], event["by"]) == (2.0, version + 1, "python")
    await ears.nothing(services)  # one event for the whole update
    services.weights.sar = 2.0  # as it is
    await ears.nothing(services)
    with pytest.raises(ConflictError):
        await services.controls.apply_weights(GIVEN, by="page", expected=version)
    restarted = await again(services)
    assert (restarted.weights.sar, restarted.weights.smc) == (2.0, 0.5)


async def test_shared_objects_belong_to_the_loop_of_the_server(services) -> None:
    for owner, name, value in (
        (services.weights, "sar", 1.0),
        (services.rules, "threshold", 0.7),
        (services.agent, "enabled", False),
    ):
        before = getattr(owner, name)
        with pytest.raises(ThreadError, match=name):
            await asyncio.to_thread(setattr, owner, name, value)
        assert getattr(owner, name) == before
    version = services.controls.weights_version
    with pytest.raises(ThreadError):
        await asyncio.to_thread(services.weights.update, sar=1.0)
    assert services.controls.weights_version == version


async def test_first_start_has_balanced_weights_and_version_one(services) -> None:
    assert services.weights.as_dict() == BALANCED
    assert services.controls.weights_version == 1


# -- presets ------------------------------------------------------------------------------------


async def test_presets_are_kept_over_a_restart(services, again) -> None:
    await services.controls.save_preset("swing trading 2.0", GIVEN, by="api")
    await services.controls.save_preset("Änderung", BALANCED, by="api")
    replacing = PRESETS["conservative"]
    await services.controls.save_preset("swing trading 2.0", replacing, by="api")
    restarted = await again(services)
    saved = {p.name: p.weights for p in restarted.controls.presets() if not p.protected}
    assert saved == {"swing trading 2.0": PRESETS["conservative"], "Änderung": BALANCED}
    await restarted.controls.delete_preset("Änderung", by="api")
    assert [p.name for p in restarted.controls.presets()] == [*PRESETS, "swing trading 2.0"]


async def test_who_saves_and_deletes_presets_is_in_the_audit(services) -> None:
    controls, other = services.controls, PRESETS["conservative"]
    await controls.save_preset("mine", GIVEN, by="tom")
    await controls.save_preset("mine", other, by="page")
    await controls.delete_preset("mine", by="key:bot")
    with pytest.raises(KeyError):
        await controls.delete_preset("mine", by="tom")  # changes nothing: no line
    with pytest.raises(PermissionError):
        await controls.save_preset("balanced", GIVEN, by="tom")
    for found in (await services.paper.audit("preset"), await services.paper.audit()):
        assert [(e.kind, e.body["what"], e.body["by"]) for e in found] == [
            ("preset", "preset mine", by) for by in ("key:bot", "page", "tom")
        ]
        changes = [(e.body["before"], e.body["after"]) for e in found]
        assert changes == [(other, None), (GIVEN, other), (None, GIVEN)]


async def test_pages_hear_of_presets_that_are_saved_and_deleted(services) -> None:
    told = []
    leave = services.hub.subscribe(lambda states, events: told.extend(events))
    await services.controls.save_preset("mine", GIVEN, by="tom")
    await services.controls.delete_preset("mine", by="page")
    with pytest.raises(KeyError):
        await services.controls.delete_preset("mine", by="page")
    await until(lambda: len(told) == 2)
    leave()
    assert [(topic, one["what"], one["value"], one["by"]) for topic, one in told] == [
        ("config", "preset", {"name": "mine", "weights": GIVEN}, "tom"),
        ("config", "preset", {"name": "mine", "weights": None}, "page"),
    ]


async def test_unknown_preset_cannot_be_deleted(services) -> None:
    await services.controls.save_preset("swing", GIVEN, by="api")
    with pytest.raises(KeyError, match="Did you mean 'swing'"):
        await services.controls.delete_preset("swin", by="api")


@pytest.mark.parametrize("name", ["balanced", "Aggressive", "CONSERVATIVE"])
async def test_built_in_presets_stay_as_they_are(services, name) -> None:
    with pytest.raises(PermissionError, match=name):
        await services.controls.save_preset(name, GIVEN, by="api")
    with pytest.raises(PermissionError, match=name):
        await services.controls.delete_preset(name, by="api")
    assert {p.name: p.weights for p in services.controls.presets() if p.protected} == PRESETS


@pytest.mark.parametrize(
    "name", ["", " ", "...", "a" * 65, "a/b", "<b>", "a\nb", "a\n", " a", "a ", "a\x00", "🚀"]
)
async def test_names_that_cannot_be_shown_or_found_are_refused(services, name) -> None:
    with pytest.raises(ValueError, match="name must be 1 to 64"):
        await services.controls.save_preset(name, GIVEN, by="api")


async def test_preset_given_out_is_a_copy(services) -> None:
    services.controls.presets()[0].weights["sar"] = 9.0
    assert PRESETS["balanced"]["sar"] == 0.1
    assert services.controls.presets()[0].weights["sar"] == 0.1


# -- agent --------------------------------------------------------------------------------------


async def test_switch_is_told_once_and_kept(services, again) -> None:
    ears = Ears(services)
    await services.controls.set_enabled(False, by="page")
    await services.controls.set_enabled(False, by="api")
    event = await ears.event()
    assert (event["what"], event["value"], event["by"]) == ("agent", {"enabled": False}, "page")
    await ears.nothing(services)
    restarted = await again(services)
    assert not restarted.agent.enabled  # although the settings say on
    await restarted.controls.set_enabled(True, by="api")
    assert restarted.agent.enabled


async def test_switch_turned_in_python_is_stored_and_told(services, again) -> None:
    ears = Ears(services)
    services.agent.enabled = False
    services.agent.scan_interval_ms = 500
    assert (await ears.event())["by"] == "python"
    assert (await ears.event())["value"] == {"scan_interval_ms": 500}
    restarted = await again(services)
    assert (restarted.agent.enabled, restarted.agent.scan_interval_ms) == (False, 500)


@pytest.mark.parametrize("value", ["yes", None, 1])
async def test_switch_takes_only_on_and_off(services, again, value) -> None:
    with pytest.raises(ValueError, match="enabled"):
        await services.controls.set_enabled(value, by="api")
    assert services.agent.enabled
    assert (await again(services)).agent.enabled


async def test_settings_count_until_somebody_switches(services, again) -> None:
    assert not (await again(services, agent_enabled=False)).agent.enabled


@pytest.mark.parametrize("value", [99, 60_001, -1, 0])
async def test_interval_keeps_its_bounds(services, value) -> None:
    before = services.agent.scan_interval_ms
    with pytest.raises(ValueError, match=f"100 to 60000, was {value}"):
        await services.controls.set_interval(value, by="api")
    assert services.agent.scan_interval_ms == before


async def test_interval_is_whole_told_and_kept(services, again) -> None:
    ears = Ears(services)
    with pytest.raises(ValueError, match="scan_interval_ms"):
        await services.controls.set_interval(250.5, by="api")
    for value in (100, 60_000, 250):
        await services.controls.set_interval(value, by="api")
    assert [(await ears.event())["value"]["scan_interval_ms"] for _ in range(2)] == [100, 60_000]
    assert (await again(services)).agent.scan_interval_ms == 250


async def test_what_cannot_be_stored_is_not_turned(services, monkeypatch) -> None:
    """Or it would be in force until the next start, which knows nothing of it."""
    ears, before = Ears(services), services.rules.as_dict()

    def fail(self, *events, **values):
        raise DatabaseError("settings must be kept, were not")

    monkeypatch.setattr(SettingRepository, "write", fail)
    for turn in (
        lambda: services.controls.set_enabled(False, by="api"),
        lambda: services.controls.set_interval(500, by="api"),
        lambda: services.controls.set_rules({"type": "any"}, by="api"),
    ):
        with pytest.raises(DatabaseError):
            await turn()
    assert services.agent.enabled
    assert services.agent.scan_interval_ms == 60_000
    assert services.rules.as_dict() == before
    await ears.nothing(services)
    monkeypatch.undo()


async def test_status_of_the_agent_is_published(services) -> None:
    ears = Ears(services)
    await services.controls.set_enabled(False, by="api")
    await until(lambda: ("status", "") in ears.states)


# -- subscription and rules -----------------------------------------------------------------------


async def test_subscription_takes_any_spelling_and_is_kept(services, again) -> None:
    assert services.controls.subscribed == ()
    told = await services.controls.subscribe(["ethusdt", "BTC-USDT", "ETH/USDT"])
    assert told == ("ETH/USDT", "BTC/USDT")
    assert services.symbols == NAMES  # the universe stays
    restarted = await again(services)
    assert restarted.controls.subscribed == ("ETH/USDT", "BTC/USDT")
    assert await restarted.controls.subscribe([]) == ()


async def test_subscription_to_what_is_no_longer_watched_is_left_out(services, again) -> None:
    await services.controls.subscribe(["SOL/USDT", "BTC/USDT"])
    fewer = await again(services, symbols=("BTC/USDT", "ETH/USDT"))
    assert fewer.controls.subscribed == ("BTC/USDT",)


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        (["???"], "symbol must be"),
        (["SOLL/USDT"], "Did you mean 'SOL/USDT'"),
        (["BTC/USDT", "ETH/USDT", "SOL/USDT"], "at most 2, was 3"),
    ],
)
async def test_wrong_subscription_changes_nothing(tmp_path, symbols, words) -> None:
    services = build(settings_of(tmp_path, max_symbols=2))
    await services.controls.subscribe(["SOL/USDT"])
    with pytest.raises(ValueError, match=words):
        await services.controls.subscribe(symbols)
    assert services.controls.subscribed == ("SOL/USDT",)
    await services.stop()


async def test_rules_change_together_are_told_and_kept(services, again) -> None:
    ears, before = Ears(services), services.rules.as_dict()
    await services.controls.set_rules({"type": "any", "exclude_symbols": ["BTC/USDT"]}, by="api")
    event = await ears.event()
    assert (event["what"], event["by"], event["value"]["type"]) == ("rules", "api", "any")
    await ears.nothing(services)
    wanted = before | {"type": "any", "exclude_symbols": ["BTC/USDT"]}
    assert services.rules.as_dict() == wanted
    assert (await again(services)).rules.as_dict() == wanted


async def test_timeframe_weights_rank_for_everybody_and_are_kept_and_audited(
    services, again
) -> None:
    frame = str(services.timeframes[0])
    await services.controls.set_rules({"timeframe_weights": {frame: 0.9}}, by="trader")
    assert services.rules.record().timeframe_weights == ((frame, 0.9),)
    kept = await again(services)
    assert kept.rules.timeframe_weights == {frame: 0.9}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"threshold": 1.2}, "threshold"),
        ({"threshold": 0.7, "min_confidence": -1}, "min_confidence"),
        ({"type": "most"}, "type"),
        ({"thresold": 0.7}, "Did you mean 'threshold'"),
        ({"exclude_symbols": ["???"]}, "symbol must be"),
        ({"exclude_symbols": "BTC/USDT"}, "exclude_symbols"),
        ({"direction": "UP"}, "direction"),
        ({"timeframe_weights": {"7h": 1}}, "timeframe must be"),
        ({"timeframe_weights": [1]}, "timeframe_weights"),
        ({"timeframe_weights": dict.fromkeys(TIMEFRAMES, 0)}, "one timeframe weight must be > 0"),
    ],
    ids=str,
)
async def test_wrong_rules_change_nothing(services, again, values, words) -> None:
    ears, before = Ears(services), services.rules.as_dict()
    with pytest.raises(ValueError, match=words):
        await services.controls.set_rules(values, by="api")
    assert services.rules.as_dict() == before
    await ears.nothing(services)
    assert (await again(services)).rules.as_dict() == before


async def test_rules_set_in_python_are_kept_and_wrong_ones_refused(services, again) -> None:
    with pytest.raises(ValueError, match="symbol must be"):
        services.rules.exclude_symbols = ["???"]
    services.rules.threshold = 0.8
    services.weights.sar = 0.5  # the agent still takes a new config
    assert (await again(services)).rules.threshold == 0.8


# -- a database that takes nothing -----------------------------------------------------------------


@pytest.fixture
def broken(services):
    """Let nothing be stored; what is returned repairs it."""

    def rename(old: str, new: str) -> None:
        with services._memory._engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename("event", "gone")  # the last that is written: all before it must go back, too
    return lambda: rename("gone", "event")


async def test_what_cannot_be_stored_is_neither_in_force_nor_told(services, again, broken) -> None:
    ears, controls = Ears(services), services.controls
    before = services.rules.as_dict(), services.agent.scan_interval_ms, controls.weights_version
    for work in (
        lambda: controls.set_enabled(False, by="page"),
        lambda: controls.set_interval(500, by="api"),
        lambda: controls.set_rules({"threshold": 0.7}, by="api"),
        lambda: controls.apply_weights(GIVEN, by="api"),
        lambda: controls.save_preset("mine", GIVEN, by="api"),
    ):
        with pytest.raises(DatabaseError):
            await work()
    assert [p.name for p in controls.presets()] == [*PRESETS]
    assert services.agent.enabled
    now = services.rules.as_dict(), services.agent.scan_interval_ms, controls.weights_version
    assert now == before
    assert services.weights.as_dict() == BALANCED
    await ears.nothing(services)
    broken()
    restarted = await again(services)
    assert (restarted.agent.enabled, restarted.agent.scan_interval_ms) == (True, before[1])
    assert restarted.weights.as_dict() == BALANCED
    assert restarted.controls.weights_version == before[2]


async def test_what_python_sets_holds_even_if_it_cannot_be_stored(services, broken) -> None:
    ears = Ears(services)
    services.agent.enabled = False
    services.weights.update(GIVEN)
    services.rules.threshold = 0.7
    told = [await ears.event() for _ in range(3)]
    assert [(e["what"], e["by"]) for e in told] == [
        ("agent", "python"), ("weights", "python"), ("rules", "python"),
    ]  # fmt: skip
    broken()
    await services.controls.set_enabled(True, by="page")  # and goes on as if nothing had been
    (event,) = await services.paper.audit("agent")
    assert (event.body["before"], event.body["after"]) == ({"enabled": False}, {"enabled": True})


@pytest.fixture
def locked(services):
    """Let somebody else hold the database; what is returned lets go of it."""
    other = services._memory._engine.connect()
    other.exec_driver_sql("BEGIN IMMEDIATE")
    yield other.close
    other.close()


async def test_a_locked_database_holds_up_nobody_else(services, locked) -> None:
    controls, loop = services.controls, asyncio.get_running_loop()
    works = [
        asyncio.ensure_future(work)
        for work in (
            controls.set_enabled(False, by="page"), controls.set_interval(500, by="api"),
            controls.set_rules({"threshold": 0.7}, by="api"), controls.subscribe(["BTC/USDT"]),
            controls.apply_weights(GIVEN, by="api"), controls.save_preset("mine", GIVEN, by="api"),
            controls.delete_preset("mine", by="api"),
        )
    ]  # fmt: skip
    longest, end = 0.0, loop.time() + 0.5
    while (began := loop.time()) < end:
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - began)
    assert longest < 0.25
    assert not any(work.done() for work in works)
    assert services.agent.enabled  # stored first, then in force
    locked()
    await asyncio.gather(*works)
    assert (services.agent.enabled, services.agent.scan_interval_ms) == (False, 500)
    assert (services.rules.threshold, controls.subscribed) == (0.7, ("BTC/USDT",))
    assert services.weights.as_dict() == GIVEN
    assert [p.name for p in controls.presets()] == [*PRESETS]


async def test_who_comes_first_is_carried_out_first(services, locked) -> None:
    controls, version = services.controls, services.controls.weights_version
    works = [
        asyncio.ensure_future(controls.set_enabled(n % 2 == 0, by="api")) for n in range(6)
    ]
    quick = asyncio.ensure_future(controls.apply_weights(GIVEN, "page", version))
    late = asyncio.ensure_future(controls.apply_weights(PRESETS["conservative"], "api", version))
    await asyncio.sleep(0)
    locked()
    await asyncio.gather(*works)
    assert services.agent.enabled is False
    assert await quick == version + 1
    with pytest.raises(ConflictError):
        await late
    assert services.weights.as_dict() == GIVEN
    told = await services.paper.audit("agent", 20)
    assert [e.body["after"]["enabled"] for e in reversed(told)] == [False, True, False, True, False]


async def test_what_python_sets_meanwhile_is_not_lost_between_the_two(
    services, again, monkeypatch
) -> None:
    """Whatever holds in the end is what the next start has."""
    controls, loop = services.controls, asyncio.get_running_loop()
    write, add = SettingRepository.write, WeightsRepository.add

    def meanwhile(function):
        done = threading.Event()
        loop.call_soon_threadsafe(lambda: (function(), done.set()))
        assert done.wait(10)

    def written(self, *events, **values):
        write(self, *events, **values)
        if threading.current_thread() is not threading.main_thread():
            monkeypatch.setattr(SettingRepository, "write", write)
            meanwhile(lambda: services.agent.param.update(scan_interval_ms=700, enabled=False))
            meanwhile(lambda: services.rules.param.update(threshold=0.61, min_trust=0.4))

    def added(self, *asked, **more):
        found = add(self, *asked, **more)
        if threading.current_thread() is not threading.main_thread():
            meanwhile(lambda: services.weights.update(PRESETS["conservative"]))
        return found

    for turn in (
        lambda: controls.set_interval(500, by="api"),
        lambda: controls.set_rules({"threshold": 0.7}, by="api"),
    ):
        monkeypatch.setattr(SettingRepository, "write", written)
        await turn()
    monkeypatch.setattr(WeightsRepository, "add", added)
    version = await controls.apply_weights(GIVEN, by="api")
    monkeypatch.undo()
    assert controls.weights_version == version + 1  # Python was later
    assert services.weights.as_dict() == PRESETS["conservative"]
    now = services.rules.as_dict(), services.agent.enabled, services.agent.scan_interval_ms
    assert now[0]["threshold"] == 0.7
    assert now[0]["min_trust"] == 0.4
    restarted = await again(services)
    assert restarted.weights.as_dict() == PRESETS["conservative"]
    assert (
        restarted.rules.as_dict(), restarted.agent.enabled, restarted.agent.scan_interval_ms
    ) == now
