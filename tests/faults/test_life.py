"""A server's life as Hypothesis thinks it up: whatever happens in whatever order, laws hold."""

import asyncio
import atexit
import functools
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from life_laws import (
    Seen,
    check_breakers,
    check_money,
    check_promises,
    check_shown,
    check_survived,
    rows_of,
)
from lives import EAGER, NAMES, Life, Market, Server

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError, OpportunityError
from opportunity.live import bookkeeper, desk, learner
from opportunity.live.account import Account
from opportunity.live.trader import Trader
from opportunity.scoring.presets import PRESETS
from opportunity.storage import ledger_postings
from opportunity.storage.books import Book
from opportunity.storage.failures import DatabaseError
from opportunity.storage.trading_tables import paper_order
from opportunity.trading.costs import Sizing

CALM = {
    "max_losses": 3, "cooldown_h": 2.0, "max_daily_loss": 0.1, "max_drawdown": 0.9,
    "max_volume": 0.0, "max_positions": 3,
}  # fmt: skip
"""Limits under which breakers trip now and then, and let go soon."""
LIMITS = [
    {"max_positions": 1}, {"max_positions": 2}, {"max_positions": 4},
    {"max_position": 0.05}, {"max_position": 0.5}, {"max_leverage": 0.3}, {"max_leverage": 3.0},
    {"max_daily_loss": 0.002}, {"max_daily_loss": 0.5},
    {"max_drawdown": 0.003, "cooldown_h": 1.0}, {"max_drawdown": 0.9},
    {"max_losses": 1, "cooldown_h": 0.5}, {"max_losses": 2, "cooldown_h": 2.0}, {"max_losses": 0},
    {"risk_per_trade": 0.002}, {"risk_per_trade": 0.02}, {"max_volume": 0.01}, {"kelly": 0.0},
]  # fmt: skip
RULES = [
    {"fill": "open"}, {"fill": "close"}, {"fill": "limit", "limit_atr": 0.1}, {"opposite": False},
    {"stop_atr": 0.5}, {"stop_atr": 2.0}, {"trail_atr": 0.0}, {"time_stop": 2}, {"time_stop": 0},
    {"targets_r": [], "shares": []}, {"targets_r": [0.3, 0.6], "shares": [0.5, 0.5]},
    {"direction": "BULLISH"}, {"direction": None}, {"min_score": 0.6},
]  # fmt: skip
WRONG = [
    {"max_positions": 0}, {"max_position": float("nan")}, {"max_leverage": -1.0}, {"nothing": 1},
    {"risk_per_trade": 2.0}, {"cooldown_h": float("inf")},
]  # fmt: skip
WRONG_RULES = [
    {"stop_atr": 0.0}, {"fill": "never"}, {"targets_r": [1.0]}, {"shares": [2.0, 2.0]},
    {"trail_atr": float("nan")}, {"nothing": 1},
]  # fmt: skip
WEIGHTS = [*PRESETS.values(), *(
    {n: 0.6 if n == name else 0.05 for n in DETECTOR_NAMES} for name in DETECTOR_NAMES[:3]
)]  # fmt: skip
TITLES = ("mine", "other one", "third.")
LISTS = ("majors", "watch me")
DEATHS = ("bars", "bars", "flatten", "reset", "weights", "preset", "limits")
"""In the middle of what a server dies."""

PROTECTED = next(iter(PRESETS))

rows = st.sets(st.integers(0, len(NAMES) - 1), max_size=len(NAMES) - 1)
rarely = st.one_of(st.just(frozenset()), st.just(frozenset()), rows)


@functools.cache
def template() -> Path:
    """A server that has begun, and stopped: all that the first start of a machine costs."""
    folder, server = Path(tempfile.mkdtemp(prefix="life-")), Server()
    life = Life(folder, Market(), server)
    life.start()
    server.do(life.services.paper.set_rules, EAGER, "test")
    server.do(life.services.paper.set_limits, CALM, "test")
    life.close()
    server.close()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Machine(RuleBasedStateMachine):
    """Everything that may happen to a server, beside plain values of what should be in force."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        shutil.copytree(template(), self.folder, dirs_exist_ok=True)
        self.server, self.market, self.seen = Server(), Market(), Seen()
        self.life = Life(self.folder, self.market, self.server)
        self.on = self.failing = False
        self.model: dict[str, Any] = {}

    @initialize()
    def begin(self) -> None:
        self._start()
        self.model = self._turned()
        self.epoch = self.life.ledger.read_book("paper").epoch

    def teardown(self) -> None:
        self.life.close()
        self.server.close()
        shutil.rmtree(self.folder)

    # -- helpers -----------------------------------------------------------------------------

    def _do(self, function: Any, *args: Any, **named: Any) -> Any:
        return self.server.do(function, *args, **named)

    def _turned(self) -> dict[str, Any]:
        """Return what is in force, as the server says."""

        def read() -> dict[str, Any]:
            s = self.life.services
            return {
                "weights": s.weights.as_dict(), "version": s.controls.weights_version,
                "enabled": s.agent.enabled, "interval": s.agent.scan_interval_ms,
                "presets": {p.name: p.weights for p in s.controls.presets() if not p.protected},
                "limits": s.paper.limits(), "rules": s.paper.rules(),
                "subscribed": s.controls.subscribed,
                "lists": {w.name: w.symbols for w in s.watchlists.read()},
            }  # fmt: skip

        return self._do(read)

    def _check_turned(self, *others: dict[str, Any]) -> None:
        now = self._turned()
        fits = [{n for n in now if now[n] != one[n]} for one in others or (self.model,)]
        assert set() in fits, {n: (now[n], self.model[n]) for n in fits[0]}

    def _start(self) -> None:
        self.life.start()
        self.on = True
        trading = self.life.services.paper.trading
        self.seen.limits = [*self.seen.limits[-1:], trading.risk.as_dict()]
        self.seen.fills = [*self.seen.fills[-1:], trading.rules.fill]

    def _give(self, event: Any) -> None:
        """Give a batch, and take note of what it may lead to."""
        agent, time = self.life.services.agent, self.market.time
        if agent.enabled:
            self.seen.heard.add(time)
            if not agent.storage_error:
                self.seen.loud.add(time)
        self.life.give(event)
        if self.failing:
            self.life.wait(lambda: bool(agent.storage_error))

    def _bytes(self) -> dict[str, Any]:
        """Return all of the account that a restart must not change."""
        trader = self.life.trader
        held = {
            trader.broker.symbols[row]: trader.broker.positions[row : row + 1].tobytes()
            for row in trader.active.tolist()
        }
        account = trader.broker.account
        told = {name: account[name].tolist() for name in account.dtype.names}
        return {"account": told, "tally": trader.broker.tally.tobytes(), "held": held,
                "epoch": trader.epoch, "time": trader.time, "begun": trader.begun}  # fmt: skip

    def _refused(self, function: Any, *args: Any, kind: Any = DatabaseError, **named: Any) -> None:
        with pytest.raises(kind):
            self._do(function, *args, **named)

    # -- time --------------------------------------------------------------------------------

    @precondition(lambda self: self.on)
    @rule(n=st.integers(1, 8), missing=rarely, held=rarely)
    def tick(self, n: int, missing: set[int], held: set[int]) -> None:
        """Bars close; in the first some are missing, some come later."""
        for event in [self.market.advance(missing, held)] + [None] * (n - 1):
            self._give(event or self.market.advance())

    @precondition(lambda self: self.on)
    @rule(n=st.integers(4, 16))
    def hours(self, n: int) -> None:
        for _ in range(n):
            self._give(self.market.advance())

    @precondition(lambda self: self.on)
    @rule(n=st.integers(8, 24))
    def more_hours(self, n: int) -> None:
        self.hours(n)

    @precondition(lambda self: self.on and self.market.held)
    @rule()
    def late_bars(self) -> None:
        for event in self.market.release():
            self._give(event)

    @precondition(lambda self: self.on)
    @rule(row=st.integers(0, len(NAMES) - 1), ago=st.integers(1, 6))
    def corrected(self, row: int, ago: int) -> None:
        bar = self.market.next - ago
        if (row, bar) not in self.market.held | self.market.missing:
            self.life.give(self.market.correct(row, bar))

    @precondition(lambda self: not self.on)
    @rule(n=st.integers(1, 12), missing=rarely)
    def nobody_looks(self, n: int, missing: set[int]) -> None:
        """Bars close while the server is down."""
        for _ in range(n):
            self.market.advance(missing)
            missing = set()

    # -- starting, stopping, dying -------------------------------------------------------------

    @precondition(lambda self: self.on and not self.failing)
    @rule()
    def stop(self) -> None:
        self.life.settle()
        self.life.stop()
        self.on = False

    @precondition(lambda self: not self.on)
    @rule()
    def start(self) -> None:
        self._start()
        assert self.life.trader.time == self.market.time
        self._check_turned()

    @precondition(lambda self: self.on and not self.failing)
    @rule()
    def restart(self) -> None:
        """Nothing is changed by it."""
        for event in self.market.release():
            self._give(event)
        self.life.settle()
        before = self._bytes()
        self.life.stop()
        self._start()
        assert self._bytes() == before
        self._check_turned()

    @precondition(lambda self: self.on)
    @rule(left=st.integers(0, 60), what=st.sampled_from(DEATHS), at=st.integers(0, 5))
    def crash(self, left: int, what: str, at: int) -> None:
        """Die after some statements, in the middle of something."""
        self.life.power.left = left
        either = dict(self.model)
        services, done = self.life.services, False
        try:
            if what == "flatten":
                self.server.run(services.paper.flatten("test"))
            elif what == "reset":
                self.server.run(services.paper.reset(10_000.0, "test"))
            elif what == "weights":
                values = WEIGHTS[at]
                either |= {"weights": values, "version": self.model["version"] + 1}
                self._do(services.controls.apply_weights, values, "test")
            elif what == "preset":
                either["presets"] = self.model["presets"] | {TITLES[0]: WEIGHTS[at]}
                self._do(services.controls.save_preset, TITLES[0], WEIGHTS[at], "test")
            elif what == "limits":
                either["limits"] = self.model["limits"] | LIMITS[at]
                self._do(services.paper.set_limits, LIMITS[at], "test")
            else:
                for _ in range(at + 1):
                    self.life.settle()
                    self._give(self.market.advance())
            done = True
        except OpportunityError:
            pass
        self.life.die()
        self.failing = False
        self._start()
        check_survived(self.life)
        self._check_turned(*([either] if done else [self.model, either]))
        now = self._turned()
        epoch = self.life.ledger.read_book("paper").epoch
        assert epoch == self.epoch + 1 if done and what == "reset" else epoch - self.epoch in (0, 1)
        self.model, self.epoch = now, epoch

    @precondition(lambda self: self.on and not self.failing)
    @rule()
    def disk_fails(self) -> None:
        self.life.settle()
        self.life.power.failing = self.failing = True

    @precondition(lambda self: self.failing)
    @rule()
    def disk_works_again(self) -> None:
        self.life.power.failing = self.failing = False
        agent, paper = self.life.services.agent, self.life.services.paper
        self.life.wait(lambda: not (agent.storage_error or self.life.keeper.n_waiting))
        self.life.wait(lambda: not self.life.trader.broker.account["breaker"][0, 3])
        self.life.settle()
        self.life.wait(lambda: paper.state().storage == "ok")

    # -- what people turn ----------------------------------------------------------------------

    @precondition(lambda self: self.on)
    @rule(enabled=st.booleans())
    def switch(self, enabled: bool) -> None:
        controls = self.life.services.controls
        if not self.failing:
            self._do(controls.set_enabled, enabled, "test")
            self.model["enabled"] = enabled
        elif enabled != self.model["enabled"]:
            self._refused(controls.set_enabled, enabled, "test")

    @precondition(lambda self: self.on)
    @rule(values=st.sampled_from(WEIGHTS), stale=st.integers(0, 1))
    def weights(self, values: dict[str, float], stale: int) -> None:
        controls = self.life.services.controls
        expected = self.model["version"] - stale
        if self.failing or stale:
            kind = DatabaseError if self.failing else ConflictError
            self._refused(controls.apply_weights, values, "test", expected, kind=kind)
            return
        assert self._do(controls.apply_weights, values, "test", expected) == expected + 1
        self.model |= {"weights": values, "version": expected + 1}

    @precondition(lambda self: self.on and not self.failing)
    @rule(one=st.sampled_from(WEIGHTS), other=st.sampled_from(WEIGHTS))
    def two_at_once(self, one: dict[str, float], other: dict[str, float]) -> None:
        """Of two who start from the same version one loses."""
        version, controls = self.model["version"], self.life.services.controls

        async def apply(values: dict[str, float]) -> int:
            await asyncio.sleep(0)
            return await controls.apply_weights(values, "test", version)

        async def both() -> list[Any]:
            return await asyncio.gather(apply(one), apply(other), return_exceptions=True)

        first, second = self.server.run(both())
        assert first == version + 1
        assert isinstance(second, ConflictError)
        self.model |= {"weights": one, "version": version + 1}

    @precondition(lambda self: self.on)
    @rule(
        name=st.sampled_from(TITLES), values=st.sampled_from(WEIGHTS),
        new=st.sampled_from([None, *TITLES]),
    )  # fmt: skip
    def save_preset(self, name: str, values: dict[str, float], new: str | None) -> None:
        """Save one; or rename it: save it under the other name and delete it."""
        controls, there = self.life.services.controls, self.model["presets"]
        if self.failing:
            self._refused(controls.save_preset, name, values, "test")
            return
        if new is None or name not in there or new == name:
            self._do(controls.save_preset, name, values, "test")
            self.model["presets"] = there | {name: values}
            return
        self._do(controls.save_preset, new, there[name], "test")
        self._do(controls.delete_preset, name, "test")
        self.model["presets"] = {n: w for n, w in there.items() if n != name} | {new: there[name]}

    @precondition(lambda self: self.on)
    @rule(name=st.sampled_from([*TITLES, PROTECTED, PROTECTED.upper()]))
    def delete_preset(self, name: str) -> None:
        controls, there = self.life.services.controls, self.model["presets"]
        if name not in TITLES:
            self._refused(controls.delete_preset, name, "test", kind=PermissionError)
            self._refused(controls.save_preset, name, WEIGHTS[0], "test", kind=PermissionError)
        elif self.failing or name not in there:
            self._refused(controls.delete_preset, name, "test", kind=(DatabaseError, KeyError))
        else:
            self._do(controls.delete_preset, name, "test")
            self.model["presets"] = {n: w for n, w in there.items() if n != name}

    @precondition(lambda self: self.on)
    @rule(values=st.sampled_from(LIMITS), stale=st.booleans())
    def limits(self, values: dict[str, Any], stale: bool) -> None:
        paper = self.life.services.paper
        expected = paper.limits_version - stale
        if self.failing or stale:
            kind = DatabaseError if self.failing else ConflictError
            self._refused(paper.set_limits, values, "test", expected, kind=kind)
            return
        self._do(paper.set_limits, values, "test", expected)
        self.model["limits"] = self.model["limits"] | values
        self.seen.limits.append(paper.trading.risk.as_dict())

    @precondition(lambda self: self.on)
    @rule(values=st.sampled_from(RULES))
    def rules_of_trade(self, values: dict[str, Any]) -> None:
        paper = self.life.services.paper
        if self.failing:
            self._refused(paper.set_rules, values, "test")
            return
        self._do(paper.set_rules, values, "test")
        self.model["rules"] = self.model["rules"] | values
        self.seen.fills.append(paper.trading.rules.fill)

    @precondition(lambda self: self.on)
    @rule(wrong=st.sampled_from(WRONG), wrong_rule=st.sampled_from(WRONG_RULES))
    def nonsense(self, wrong: dict[str, Any], wrong_rule: dict[str, Any]) -> None:
        paper, controls = self.life.services.paper, self.life.services.controls
        self._refused(paper.set_limits, wrong, "test", kind=(ValueError, TypeError))
        self._refused(paper.set_rules, wrong_rule, "test", kind=(ValueError, TypeError))
        self._refused(controls.apply_weights, {"SMC": 1.0}, "test", kind=ValueError)
        self._refused(controls.subscribe, ["NO/SUCH"], kind=ValueError)
        self._refused(controls.set_interval, 1, "test", kind=ValueError)

    @precondition(lambda self: self.on and not self.failing)
    @rule(share=st.sampled_from([0.001, 0.005, 0.03]))
    def sizing(self, share: float) -> None:
        """Python code sizes otherwise."""
        self._do(self.life.services.agent.set_sizing, Sizing.risk(share))
        self.model["limits"] = self.model["limits"] | {"risk_per_trade": share}

    @precondition(lambda self: self.on and not self.failing)
    @rule(
        name=st.sampled_from(LISTS), symbols=st.permutations(NAMES), keep=st.booleans(),
        interval=st.sampled_from([30_000, 60_000]),
    )  # fmt: skip
    def lists(self, name: str, symbols: list[str], keep: bool, interval: int) -> None:
        """Watchlists, the default subscription and the heartbeat."""
        services, there = self.life.services, self.model["lists"]
        if keep:
            services.watchlists.write(name, symbols[:2])
            self.model["lists"] = there | {name: tuple(symbols[:2])}
        elif name in there:
            services.watchlists.delete(name)
            self.model["lists"] = {n: s for n, s in there.items() if n != name}
        self._do(services.controls.subscribe, symbols[1:])
        self._do(services.controls.set_interval, interval, "test")
        self.model |= {"subscribed": tuple(symbols[1:]), "interval": interval}

    # -- by hand -------------------------------------------------------------------------------

    def _by_hand(self, work: Any) -> Any:
        """Do something to the account; while the disk fails it must change nothing."""
        if not self.failing:
            return self.server.run(work)
        before = self._bytes()
        with pytest.raises(DatabaseError):
            self.server.run(work)
        after = self._bytes()
        for one in (before, after):  # entries stop as soon as it is known that the disk fails
            for name in ("breaker", "tripped", "n_trips"):
                one["account"][name][0].pop()
        assert after == before
        return None

    @precondition(lambda self: self.on)
    @rule(row=st.integers(0, len(NAMES) - 1))
    def close_one(self, row: int) -> None:
        active = self.life.trader.active.tolist()
        if row in active:
            number = self._by_hand(self.life.services.paper.close(NAMES[row], "test"))
            known = rows_of(self.life, paper_order, book="paper", epoch=self.epoch)
            assert number is None or number in {order.number for order in known}
        elif not self.failing:
            with pytest.raises(ValueError, match="must be held"):
                self.server.run(self.life.services.paper.close(NAMES[row], "test"))

    @precondition(lambda self: self.on)
    @rule()
    def flatten(self) -> None:
        if not self.failing or self.life.trader.active.size:
            self._by_hand(self.life.services.paper.flatten("test"))
        if not self.failing:
            p = self.life.trader.broker.positions
            assert not p["wanted"].any()
            assert p["exit"][p["side"] != 0].all()

    @precondition(lambda self: self.on)
    @rule(cash=st.sampled_from([100.0, 10_000.0, 1e6]))
    def reset(self, cash: float) -> None:
        self._by_hand(self.life.services.paper.reset(cash, "test"))
        if not self.failing:
            self.epoch += 1
            book = self.life.ledger.read_book("paper")
            assert (book.epoch, book.cash, len(book.positions)) == (self.epoch, cash, 0)

    @precondition(lambda self: self.on)
    @rule(name=st.sampled_from([None, "drawdown", "losing_streak", "daily_loss"]))
    def reset_breakers(self, name: str | None) -> None:
        states = self.life.trader.broker.account["breaker"][0]
        names = ("daily_loss", "drawdown", "losing_streak", "stale_data")
        due = tuple(n for n, s in zip(names, states, strict=True) if s and name in (None, n))
        if not self.failing:
            done = self._by_hand(self.life.services.paper.reset_breakers(name, "test"))
            assert done == due
            now = dict(zip(names, self.life.trader.broker.account["breaker"][0], strict=True))
            assert not any(now[n] for n in due)
        elif due:
            self._by_hand(self.life.services.paper.reset_breakers(name, "test"))

    # -- what always holds -----------------------------------------------------------------------

    @invariant()
    def laws(self) -> None:
        if not self.on or not self.model:
            return
        assert self.life.services.agent.running
        self._check_turned()
        account = self.life.trader.broker.account[0]
        assert np.isfinite([account[n] for n in ("cash", "equity", "peak", "fees")]).all()
        if self.failing:
            return
        self.life.settle()
        book = check_money(self.life, self.seen)
        assert book.epoch == self.epoch
        check_breakers(self.life, book)
        check_shown(self.life, self.seen, book)
        check_promises(self.life)
        self.seen.limits, self.seen.fills = self.seen.limits[-2:], self.seen.fills[-2:]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the wall clock, and nothing is learned beside."""
    monkeypatch.setattr(bookkeeper, "FIRST_S", 0.005)
    monkeypatch.setattr(bookkeeper, "LONGEST_S", 0.02)
    monkeypatch.setattr(bookkeeper, "CLOSE_S", 0.01)
    monkeypatch.setattr(desk, "TICK_S", 0.02)
    monkeypatch.setattr(learner, "AFTER_S", 3_600.0)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def live(examples: int, steps: int, **given: Any) -> None:
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        derandomize=True, suppress_health_check=list(HealthCheck), **given,
    ))  # fmt: skip


def test_laws_hold_in_every_life() -> None:
    live(10, 30, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.slow
def test_laws_hold_in_many_lives() -> None:
    live(300, 50)


def notices() -> None:
    """Insist that the machine finds what is wrong; the shortest way to it is not looked for."""
    with pytest.raises((AssertionError, HypothesisException)):
        live(60, 40, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.slow
def test_the_machine_notices_a_commit_without_the_positions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_postings, "_hold", lambda *_: None)
    notices()


@pytest.mark.slow
def test_the_machine_notices_a_breaker_that_is_not_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resume = Account.resume

    def without(self: Account, stored: Book) -> Any:
        account = stored.account.copy()
        account["breaker"], account["until"] = 0, 0
        return resume(self, replace(stored, account=account))

    monkeypatch.setattr(Account, "resume", without)
    notices()


@pytest.mark.slow
def test_the_machine_notices_an_agent_that_trades_while_it_is_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide = Trader._decide
    monkeypatch.setattr(Trader, "_decide", lambda self, *given: decide(self, *given[:-1], True))
    notices()
