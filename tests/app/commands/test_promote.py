import json

import pytest
from walks import walk_bars

from app.cli import main
from opportunity.market.store import BarStore
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    BarStore(root, "binance").write(walk_bars())
    return root


@pytest.fixture
def base(data, tmp_path):
    return ("promote", "BTC/USDT", "--data", data, "--from", "2024-01-01", "--timeframes", "1h",
            "--rules", "min_score=0.5,min_confidence=0", "--home", tmp_path)  # fmt: skip


@pytest.fixture
def memory(tmp_path):
    memory = Memory(open_database(f"sqlite:///{tmp_path / 'opportunity.sqlite'}"), lambda: 5)
    yield memory
    memory.close()


def run(capsys, *args):
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_failing_guard_refuses_and_nothing_changes(base, memory, capsys):
    code, out, err = run(capsys, *base, "--preset", "aggressive")
    assert code == 1
    assert "FAILED" in out
    assert "refused:" in err
    assert memory.weights.newest() is None
    assert memory.promotions().read() == ()


def test_a_forced_one_becomes_the_newest_version_and_is_written_down(base, memory, capsys):
    force = ("--force", "--why", "paper only", "--by", "ann")
    code, out, err = run(capsys, *base, "--preset", "aggressive", *force, "--json")
    assert code == 0, err
    body = json.loads(out)
    assert (body["promoted"], body["forced"], body["target"]) == (True, True, "live")
    assert memory.weights.newest().weights == pytest.approx(PRESETS["aggressive"])
    (row,) = memory.promotions().read()
    assert (row.by, row.why, row.forced) == ("ann", "paper only", True)


def test_weights_are_scaled_and_saved_as_a_preset(base, memory, capsys):
    force = ("--force", "--why", "a try", "--to-preset", "mine")
    code, out, err = run(capsys, *base, "--weights", "smc=3,sar=0", *force)
    assert code == 0, err
    assert "in use as mine" in out
    assert sum(memory.presets.read()["mine"].values()) == pytest.approx(1)
    assert memory.weights.newest() is None
    assert memory.promotions().read()[0].target == "mine"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "give --weights or --preset"),
        (("--preset", "balanced", "--force"), "--force needs --why"),
        (("--preset", "balanced", "--to-preset", "balanced"), "built-in"),
        (("--preset", "balanced", "--to-preset", "../x"), "name must be"),
    ],
)
def test_bad_usage_is_2_before_anything_is_read(base, capsys, args, text):
    code, _, err = run(capsys, *base, *args)
    assert code == 2
    assert text in err


def test_missing_history_fails(base, capsys):
    code, _, err = run(capsys, *base, "--preset", "balanced", "--to", "2024-09-01")
    assert code == 1
    assert "ends at" in err
