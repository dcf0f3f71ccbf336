import argparse
import json

import pytest
from sessions import WARM, StepFeed, agent_of, live

from app.commands.verify import _print, add
from opportunity.backtest.parity import Match, Verification
from opportunity.storage.frames import Frame, FrameFile, pack, sealed
from opportunity.storage.session import LOG


@pytest.fixture
async def home(tmp_path):
    feed = StepFeed()
    feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 120)]
    await live(agent_of(feed, tmp_path / "sessions" / "one"), feed.done)
    return tmp_path


def run(home, *flags: str) -> int:
    parser = argparse.ArgumentParser(prog="opportunity")
    add(parser.add_subparsers(dest="verb"))
    args = parser.parse_args(["verify", "--home", str(home), *flags])
    return int(args.run(args))


def tamper(home) -> None:
    path = home / "sessions" / "one" / LOG
    frames = [s.frame for s in FrameFile(path)]
    place = next(i for i, f in enumerate(frames) if f.kind == "update") + 100
    place = next(i for i in range(place, len(frames)) if frames[i].kind == "update")
    old = frames[place]
    values = old.arrays["values"].copy()
    values[0, 3] *= 1.001
    frames[place] = Frame(old.kind, old.meta, dict(old.arrays) | {"values": values})
    path.write_bytes(b"".join(b for f in frames for b in sealed(pack(f))))


async def test_same_is_code_zero(home, capsys) -> None:
    assert run(home) == 0
    out = capsys.readouterr().out
    assert "session one" in out
    assert "the backtest does what the agent did" in out
    for kind in ("signals", "orders", "fills", "trades", "equity"):
        assert kind in out


async def test_different_is_code_one_and_named(home, capsys) -> None:
    tamper(home)
    assert run(home, "one") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "different from batch" in out
    assert "cause: data: bars in the log" in out


async def test_json_is_one_document(home, capsys) -> None:
    assert run(home, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["equal"] is True
    assert body["divergence"] is None
    assert {m["kind"]: m["share"] for m in body["matches"]}["equity"] == 1.0
    tamper(home)
    assert run(home, "--json") == 1
    body = json.loads(capsys.readouterr().out)
    assert body["divergence"]["cause"] == "data"


async def test_nothing_to_verify_is_code_one(tmp_path, capsys) -> None:
    assert run(tmp_path) == 1
    assert "must hold a session" in capsys.readouterr().err


def test_nothing_to_compare_is_not_called_the_same(capsys) -> None:
    counts = {"signals": 2, "fills": 0}
    _print(Verification(
        "one", "simulated", 3, 1, 1, 0, 60_000, "k", 0,
        tuple(Match(kind, n, n, n) for kind, n in counts.items()), None,
    ))
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines()
             if len(line.split()) > 1}
    assert "100.00%" in lines["signals"]
    assert "%" not in lines["fills"]
