from app.exchange.bar_faults import Correction, Flat, Gap
from app.exchange.core import Core

MINUTE = 60_000


def run(core: Core, real: list[float], minutes: int) -> None:
    for _ in range(minutes):
        real[0] += 60
        core.advance()


def test_open_bar_is_left_alone_and_the_next_is_struck(core: Core, real: list[float]) -> None:
    opened = core.advance()
    core.faults.add(Gap(times=1, symbols=("ETH/USDT",)))
    core.advance()
    assert core.view.changes[1] == {}
    run(core, real, 2)
    assert list(core.view.changes[1]) == [opened + MINUTE]
    assert core.view.changes[0] == {}


def test_strike_is_counted_when_the_bar_is_over(core: Core, real: list[float]) -> None:
    core.advance()
    core.faults.add(Gap(times=1))
    run(core, real, 1)
    assert core.faults.injected == {}
    run(core, real, 1)
    assert core.faults.injected == {"gap": 1}


def test_draw_depends_on_the_bar_not_on_who_asks_when(core: Core, real: list[float]) -> None:
    core.faults.add(Gap(probability=0.3, seed=5))
    run(core, real, 60)
    steady = {row: set(core.view.changes[row]) for row in range(3)}
    assert 30 < sum(map(len, steady.values())) < 80
    other = Core(core.market, core.clock)
    other.planner._planned = min(min(s) for s in steady.values()) - MINUTE
    other.faults.add(Gap(probability=0.3, seed=5))
    other.advance()  # all at once
    assert {row: set(other.view.changes[row]) for row in range(3)} == steady


def test_another_seed_strikes_other_bars(core: Core, real: list[float]) -> None:
    other = Core(core.market, core.clock)
    core.faults.add(Gap(probability=0.3, seed=5))
    other.faults.add(Gap(probability=0.3, seed=6))
    for _ in range(60):
        run(core, real, 1)
        other.advance()
    assert core.view.changes != other.view.changes


def test_past_bars_may_be_named(core: Core, real: list[float]) -> None:
    past = core.advance() - 5 * MINUTE
    core.faults.add(Gap(bars=(past,), symbols=("BTC/USDT",)))
    core.advance()
    assert list(core.view.changes[0]) == [past]
    assert core.faults.injected == {"gap": 1}


def test_correction_is_due_once(core: Core, real: list[float]) -> None:
    opened = core.advance()
    core.faults.add(Correction(after_bars=2, frame=True, times=1))
    run(core, real, 3)
    assert core.due() == []
    run(core, real, 1)
    due = core.due()
    assert [(d.row, d.opened, d.frame) for d in due] == [(0, opened + MINUTE, True)]
    assert core.due() == []


def test_flat_bars_in_a_row_stay_at_one_price(core: Core, real: list[float]) -> None:
    opened = core.advance()
    core.faults.add(Flat(times=3, symbols=("BTC/USDT",)))
    run(core, real, 5)
    before = core.view.closed(0, opened, core.advance())
    assert before is not None
    for k in (1, 2, 3):
        flat = core.view.closed(0, opened + k * MINUTE, core.advance())
        assert flat == (before[3],) * 4 + (0.0,)


def test_a_fault_that_is_over_strikes_no_more(core: Core, real: list[float]) -> None:
    core.faults.add(Gap(for_s=150.0))
    run(core, real, 6)
    assert len(core.view.changes[0]) == 2
