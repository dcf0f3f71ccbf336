import random
import signal
import subprocess
import sys
import threading

import pytest
from receiver import SECRET

from app.alerts import worker as module
from app.alerts.channels import open_channels
from app.alerts.pace import Pace, mark_of
from app.alerts.worker import Worker
from opportunity.config_lists import AlertChannel
from opportunity.feeds.clock import wall_ms
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note
from opportunity.storage.trading_tables import outbox as table

QUICK = Pace(gap_ms=0, per_minute=1_000, first_ms=1, limited_ms=0, hold_ms=1_000)
DAY = 86_400_000


class Now:
    def __init__(self) -> None:
        self.at = 1_767_225_600_000

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def box(engine, now) -> Outbox:
    return Outbox(engine, now)


def fill(box: Outbox, *keys: str) -> None:
    box.put([(Note(key, "breaker", f"title {key}", f"body {key}"), ["ops"]) for key in keys])


def statuses(box: Outbox) -> list[str]:
    return [row.status for row in reversed(box.page().rows)]


@pytest.fixture
def worker(channel, box, now) -> Worker:
    return Worker(channel, box, now, Pace(), random.Random(3))


def test_sent_alone_then_what_piled_up_in_one(worker, box, now, hook):
    fill(box, "a")
    assert worker.step() == 0
    fill(box, "b", "c")
    assert worker.step() == 5.0  # one kind rests
    now.at += 5_000
    assert worker.step() == 0
    assert [m["title"] for m in hook.got] == ["title a", "2 alerts"]
    assert all(mark_of(row) in hook.texts() for row in box.page().rows)
    assert statuses(box) == ["sent", "sent", "digested"]
    assert worker.step() == 60


def test_failures_are_tried_again_later_and_in_order(worker, box, now, hook):
    fill(box, "a")
    hook.answers.extend([500, 429, "die"])
    waits = []
    for _ in range(4):
        assert worker.step() == 0
        waiting = box.waiting("ops")
        if waiting:
            waits.append(waiting[0].next_at - now.at)
            fill(box, f"late {len(waits)}")
            now.at = waiting[0].next_at
    assert statuses(box) == ["sent", "digested", "digested", "digested"]
    lines = hook.got[0]["message"].splitlines()
    assert [line.split()[2] for line in lines] == ["a:", "late", "late", "late"]
    assert waits[0] <= 5_000
    assert 30_000 <= waits[1] <= 40_000


def test_given_up_after_a_day(worker, box, now, hook):
    fill(box, "a")
    hook.answers.append(500)
    worker.step()
    now.at += DAY + 1
    fill(box, "b")
    worker.step()
    assert statuses(box) == ["failed", "sent"]
    assert box.page(status="failed").rows[0].error == "status 500"


def test_the_pace_survives_a_restart(channel, box, now, hook):
    fill(box, "a")
    Worker(channel, box, now).step()
    fill(box, "b")
    assert Worker(channel, box, now).step() == 5.0


def test_what_another_server_took_is_left_to_it(worker, box, now, hook, monkeypatch):
    fill(box, "a")
    monkeypatch.setattr(box, "claim", lambda rows, until: False)
    assert worker.step() == 1.0
    assert hook.n_asked == 0


def running(channel, box) -> Worker:
    worker = Worker(channel, box, wall_ms, QUICK, random.Random(1))
    worker.start()
    return worker


def test_its_thread_sends_until_it_is_closed(engine, channel, hook):
    box = Outbox(engine, wall_ms)
    worker = running(channel, box)
    hook.answers.extend([500, "die", 429])
    fill(box, "a")
    worker.wake()
    hook.wait(1)
    worker.close()
    assert statuses(box) == ["sent"]
    assert not any(t.name == "alerts ops" for t in threading.enumerate())


def test_a_channel_that_hangs_holds_up_no_other(engine, hook):
    box = Outbox(engine, wall_ms)
    slow, quick = open_channels(
        [AlertChannel("ops", hook.address + "?rto=1"), AlertChannel("phone", hook.address)], True
    )
    hook.answers.append("hang")
    workers = [running(slow, box)]
    fill(box, "a")
    workers[0].wake()
    hook.wait_asked(1)
    workers.append(running(quick, box))
    box.put([(Note("b", "breaker", "title b", "x"), ["phone"])])
    workers[1].wake()
    assert hook.wait(1)[0]["title"] == "title b"
    assert box.waiting("ops")
    for worker in workers:
        worker.close()


def test_a_database_that_is_gone_for_a_while_is_waited_for(engine, channel, hook, monkeypatch):
    monkeypatch.setattr("app.alerts.worker.NO_DATABASE_S", 0.01)
    box = Outbox(engine, wall_ms)
    fill(box, "a")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox RENAME TO away")
    worker = running(channel, box)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO outbox")
    hook.wait(1)
    worker.close()
    assert statuses(box) == ["sent"]


CHILD = """
import os, signal, sys
from app.alerts.channels import open_channels
from app.alerts.pace import Pace
from app.alerts.worker import Worker
from opportunity.config import AlertChannel
from opportunity.feeds.clock import wall_ms
from opportunity.storage.database import open_database
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note
url, address, where = sys.argv[1:]
box = Outbox(open_database(url), wall_ms)
(channel,) = open_channels([AlertChannel("ops", address)], True)
worker = Worker(channel, box, wall_ms, Pace(gap_ms=0, hold_ms=300))
box.put([(Note(f"k{i}", "breaker", f"title {i}", "body"), ["ops"]) for i in range(3)])
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if where == "written":
    die()
if where == "claimed":
    channel.send = die
if where == "sent":
    box.mark_sent = die
worker.step()
"""


@pytest.mark.parametrize("where", ["written", "claimed", "sent"])
def test_a_kill_at_any_point_loses_nothing(engine, channel, hook, where):
    args = [sys.executable, "-c", CHILD, str(engine.url), hook.address, where]
    ended = subprocess.run(args, timeout=60, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    assert SECRET not in ended.stdout + ended.stderr
    assert len(hook.got) == (where == "sent")
    box = Outbox(engine, wall_ms)
    worker = running(channel, box)
    before = len(hook.got)
    (again,) = hook.wait(before + 1)[before:]
    worker.close()
    assert statuses(box) == ["sent", "digested", "digested"]
    assert [line.split()[2] for line in again["message"].splitlines()] == ["0:", "1:", "2:"]
    if where == "sent":  # told twice, and recognisable by the marks
        assert {w for w in again["message"].split() if w.startswith("#")} == {
            w for w in hook.got[0]["message"].split() if w.startswith("#")
        }


def test_the_outbox_holds_no_address(engine, worker, box, hook, now):
    hook.answers.extend([500, "die"])
    fill(box, "a")
    for _ in range(3):
        worker.step()
        now.at += 60_000
    with engine.connect() as connection:
        kept = str(connection.execute(table.select()).all())
    assert "title a" in kept
    assert SECRET not in kept
    assert "127.0.0.1" not in kept




def test_an_odd_failure_does_not_end_the_channel(worker, box, hook, monkeypatch):
    monkeypatch.setattr(module, "NO_DATABASE_S", 0.01)
    waiting, failed = box.waiting, []

    def once(channel, limit=100):
        if not failed:
            failed.append(channel)
            raise TypeError("odd")
        return waiting(channel, limit)

    monkeypatch.setattr(box, "waiting", once)
    fill(box, "a")
    worker.start()
    assert hook.wait(1)[0]["title"] == "title a"
    assert failed
    worker.close()
