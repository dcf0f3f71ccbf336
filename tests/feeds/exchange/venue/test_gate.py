import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.failures import LONGEST_MS, VenueError
from opportunity.feeds.exchange.venue.gate import BANNED_MS, LIMITED_MS, Gate, Patience, Timing

NOW = 1_760_000_000_000


class Machine:
    """A gate whose clocks move when it waits, or when told."""

    def __init__(self, path=None, patience=None, wall=NOW):
        self.real, self.wall = 100.0, wall
        self.path, self.patience = path, patience or Patience()
        self.gate = self.start()

    def start(self):
        timing = Timing(lambda: self.wall, lambda: self.real, self.sleep)
        return Gate("binance", Bans(self.path), timing, self.patience)

    async def sleep(self, seconds):
        self.skip(seconds)
        await asyncio.sleep(0)

    def skip(self, seconds):
        self.real += seconds
        self.wall += round(seconds * 1000)

    async def refused(self):
        with pytest.raises(VenueError) as caught:
            await self.gate.enter()
        return caught.value


async def test_calls_go_out_while_nothing_is_wrong():
    machine = Machine()
    await machine.gate.enter()
    machine.gate.succeeded()
    assert (machine.gate.why, machine.gate.paused_until) == ("", None)
    assert machine.gate.calls.out == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "limited"), (418, "banned")]
)
async def test_a_pause_that_was_asked_for_is_kept_to_the_millisecond(status, kind):
    machine = Machine()
    await machine.gate.enter()
    error = machine.gate.limited(status, {"retry-after": "60"})
    assert (error.kind, error.retry_at) == (kind, NOW + 60_000)
    assert (machine.gate.why, machine.gate.paused_until) == (kind, NOW + 60_000)
    machine.skip(54.999)
    assert (await machine.refused()).kind == kind
    with pytest.raises(VenueError):
        machine.gate.check()
    machine.skip(0.002)  # less than the patience is left: it waits
    await machine.gate.enter()
    assert machine.real >= 160.0
    assert machine.gate.why == ""


async def test_pauses_grow_while_the_venue_does_not_say_how_long():
    machine, pauses, kinds = Machine(), [], []
    for _ in range(8):
        error = machine.gate.limited(429, {})
        pauses.append(error.retry_at - machine.wall)
        kinds.append(error.kind)
        machine.skip(pauses[-1] / 1000 + 0.001)
    assert pauses[:3] == [LIMITED_MS, 2 * LIMITED_MS, 4 * LIMITED_MS]
    assert pauses[3:] == [BANNED_MS << n for n in range(5)]
    assert kinds == ["limited"] * 3 + ["banned"] * 5


async def test_bans_double_and_forget_after_an_answer():
    machine = Machine()
    for n in range(3):
        error = machine.gate.limited(418, {})
        assert error.retry_at - machine.wall == BANNED_MS << n
        machine.skip(5_000)
    await machine.gate.enter()
    machine.gate.succeeded()
    assert machine.gate.limited(418, {}).retry_at - machine.wall == BANNED_MS


def test_calls_that_went_out_together_are_one_offence():
    machine = Machine()
    for _ in range(10):
        machine.gate.limited(429, {})
    assert machine.gate.paused_until == NOW + LIMITED_MS


def test_a_shorter_pause_does_not_end_a_longer_one():
    machine = Machine()
    machine.gate.limited(418, {"Retry-After": "100"})
    machine.gate.limited(429, {"Retry-After": "1"})
    assert (machine.gate.paused_until, machine.gate.why) == (NOW + 100_000, "banned")
    machine.gate.succeeded()  # an older call comes back
    assert machine.gate.paused_until == NOW + 100_000


async def test_a_ban_outlives_the_process_and_escalates_on(tmp_path):
    machine = Machine(tmp_path / "bans" / "binance.json")
    machine.gate.limited(418, {})
    machine.skip(60)
    machine.gate = machine.start()
    error = await machine.refused()
    assert (error.kind, error.retry_at) == ("banned", NOW + BANNED_MS)
    machine.skip(61)
    await machine.gate.enter()
    assert machine.gate.limited(418, {}).retry_at - machine.wall == 2 * BANNED_MS


async def test_processes_share_a_ban_and_the_longer_one_counts(tmp_path):
    one = Machine(tmp_path / "binance.json")
    two = Machine(tmp_path / "binance.json")
    await two.gate.enter()
    one.gate.limited(429, {"Retry-After": "90"})
    assert (await two.refused()).retry_at == NOW + 90_000
    two.gate.limited(429, {"Retry-After": "10"})
    assert one.gate.paused_until == two.gate.paused_until == NOW + 90_000


@pytest.mark.parametrize("jump", [-86_400_000, -3_600_000, -1, 1, 3_600_000, 86_400_000])
async def test_a_jump_of_the_wall_clock_neither_ends_nor_prolongs_a_ban(tmp_path, jump):
    machine = Machine(tmp_path / "binance.json")
    machine.gate.limited(418, {"Retry-After": "120"})
    machine.wall += jump
    machine.skip(114)
    assert (await machine.refused()).kind == "banned"
    machine.skip(7)
    await machine.gate.enter()


async def test_a_restart_after_the_clock_went_back_waits_the_ban_again_and_no_more(tmp_path):
    machine = Machine(tmp_path / "binance.json")
    machine.gate.limited(418, {"Retry-After": "120"})
    machine.wall -= 86_400_000
    machine.gate = machine.start()
    assert (await machine.refused()).retry_at == machine.wall + 120_000
    machine.skip(121)
    await machine.gate.enter()


async def test_failures_in_a_row_shut_the_gate_and_one_probe_opens_it():
    machine = Machine()
    for _ in range(4):
        machine.gate.failed("unreachable")
    machine.gate.succeeded()
    for _ in range(5):
        assert machine.gate.why == ""
        machine.gate.failed("garbled")
    error = await machine.refused()
    assert (error.kind, error.retry_at) == ("unreachable", NOW + 30_000)
    assert machine.gate.why == "failing"
    machine.gate.check()  # a stream may be dialled: the venue did not ask for a pause
    machine.skip(30)
    await machine.gate.enter()
    machine.gate.failed("unreachable")  # the probe
    assert machine.gate.why == "failing"
    machine.skip(30)
    await machine.gate.enter()
    machine.gate.succeeded()
    assert machine.gate.why == ""
    await machine.gate.enter()


async def test_only_one_call_probes_and_the_others_follow():
    machine = Machine()
    machine.gate.limited(429, {"Retry-After": "3"})
    machine.skip(3)
    await machine.gate.enter()
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(machine.gate.enter()) for _ in range(5)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert not any(t.done() for t in others)
        machine.gate.succeeded()
    assert machine.gate.calls.out == 6


async def test_a_probe_that_was_given_up_lets_the_next_one_go():
    machine = Machine()
    machine.gate.limited(429, {"Retry-After": "3"})
    machine.skip(3)
    await machine.gate.enter()
    other = asyncio.ensure_future(machine.gate.enter())
    await asyncio.sleep(0)
    machine.gate.abandoned()
    await other
    machine.skip(31)  # this one never says anything
    await machine.gate.enter()


async def test_a_probe_that_takes_too_long_fails_who_waits():
    machine = Machine(patience=Patience(wait_s=0.01))
    machine.gate.limited(429, {"Retry-After": "3"})
    machine.skip(3)
    await machine.gate.enter()
    assert (await machine.refused()).kind == "unreachable"


async def test_refusals_are_no_failures():
    machine = Machine()
    for _ in range(20):
        machine.gate.failed("refused")
    await machine.gate.enter()


async def test_wait_unpaused_takes_no_part_in_probing():
    machine = Machine()
    machine.gate.limited(429, {"Retry-After": "3"})
    await machine.gate.wait_unpaused()
    await machine.gate.wait_unpaused()
    assert machine.real >= 103
    await machine.gate.enter()
    machine.gate.limited(429, {"Retry-After": "6"})
    with pytest.raises(VenueError):
        await machine.gate.wait_unpaused()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["429", "418", "ok", "fail", "skip"]),
            st.one_of(st.none(), st.floats(0.001, 400_000.0)),
        ),
        max_size=40,
    )
)
def test_no_call_is_let_out_inside_any_pause(events):
    machine, until = Machine(), -1.0
    for kind, value in events:
        if kind == "skip":
            machine.skip(value or 1.0)
        elif kind in ("429", "418"):
            headers = {} if value is None else {"Retry-After": str(value)}
            error = machine.gate.limited(int(kind), headers)
            assert error.retry_at is not None
            assert error.retry_at - machine.wall <= LONGEST_MS + 1
            if value is not None:
                until = max(until, machine.real + min(value, LONGEST_MS / 1000))
        elif kind == "ok":
            machine.gate.succeeded()
        else:
            machine.gate.failed("unreachable")
        try:
            asyncio.run(machine.gate.enter())
        except VenueError:
            continue
        assert machine.real >= until - 1e-9
        machine.gate.abandoned()


def test_pauses_between_attempts_have_full_jitter():
    patience = Patience()
    for attempt, longest in ((1, 0.5), (2, 1.0), (20, 30.0)):
        drawn = [patience.pause_s(attempt) for _ in range(300)]
        assert min(drawn) < 0.1 * longest
        assert 0.9 * longest < max(drawn) <= longest
