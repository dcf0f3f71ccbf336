import json

import numpy as np
import pytest

from opportunity.backtest.session_input import BEFORE, read
from opportunity.storage.frames import Frame
from opportunity.storage.session import SessionError, SessionWriter, read_session
from opportunity.trading.records import ACCOUNT, DECISION, HALF_OPEN, ORDER
from opportunity.trading.setup import TradeSetup

HEADER = {
    "symbols": ["A/USDT"], "timeframes": ["1h"], "base": "1h", "decision_timeframe": "1h",
}  # fmt: skip
CONFIG = {
    "version": 3, "enabled": True, "weights": [0.1] * 9, "trade": TradeSetup().as_dict(),
}  # fmt: skip
OUTCOME = {"time": 1, "closed": 1, "equity": 1.0, "cash": 1.0, "version": 1, "config": 3}


def orders(numbers: list[int], status: int) -> dict[str, np.ndarray]:
    rows = np.zeros(len(numbers), ORDER)
    rows["status"] = status
    return {"order_numbers": np.array(numbers), "orders": rows}


def session(folder, *frames: Frame, header=HEADER):
    writer = SessionWriter(folder, header)
    for frame in frames:
        writer.append(frame)
    writer.close()
    return read(read_session(folder))


def call(kind: str, **arrays) -> Frame:
    return Frame(kind, {"streams": 0}, arrays)


START = (
    Frame("stream", {"streams": 0, "symbols": ["A/USDT"]}), call("begin", time=np.array(5)),
    Frame("ready", {"streams": 0, "time": 5}), Frame("config", CONFIG),
)  # fmt: skip


def test_calls_belong_to_their_batch(tmp_path) -> None:
    found = session(
        tmp_path / "s", *START, call("update"), call("flush"), Frame("batch", OUTCOME),
        call("update"), Frame("batch", OUTCOME), call("update"),
    )
    assert [(c.kind, c.batch) for c in found.calls] == [
        ("begin", BEFORE), ("update", 0), ("flush", 0), ("update", 1),
    ]  # the last one led to nothing
    assert (found.main, found.start, found.n_batches) == (0, 5, 2)
    assert found.configs[3].setup == TradeSetup()
    assert found.first_config == 3


def test_orders_are_as_they_were_at_the_end(tmp_path) -> None:
    outcomes = [
        Frame("batch", OUTCOME, orders([0, 1], 0)), Frame("batch", OUTCOME),
        Frame("batch", OUTCOME, orders([1, 2], 1)),
    ]  # fmt: skip
    found = session(tmp_path / "s", *START, *outcomes).orders()
    assert found["status"].tolist() == [0, 1, 1]


def test_columns_are_put_together(tmp_path) -> None:
    rows = np.zeros(2, DECISION)
    rows["symbol"] = 4
    found = session(
        tmp_path / "s", *START, Frame("batch", OUTCOME),
        Frame("batch", OUTCOME, {"decisions": rows}),
    )
    assert found.column("decisions")["symbol"].tolist() == [4, 4]
    assert found.column("said").shape == (0, 6)
    assert found.column("fills").size == 0
    assert found.orders().size == 0


def test_faults_hold_until_others_come(tmp_path) -> None:
    zero, no = np.zeros(1), np.zeros(1, bool)
    arrays = {
        "overdue": zero, "missing": zero, "pending": no, "mismatch": zero, "revised": zero,
        "suspicious": no, "ended": no, "skew_ms": np.array(7),
    }  # fmt: skip
    batch = Frame("batch", OUTCOME)
    found = session(
        tmp_path / "s", *START, batch, Frame("faults", {}, arrays), batch, batch,
        Frame("faults"), batch,
    )
    told = [o.faults for o in found.outcomes]
    assert [f is None for f in told] == [True, False, False, True]
    assert told[1].skew_ms == 7


def test_log_without_a_start_is_an_error(tmp_path) -> None:
    with pytest.raises(SessionError, match="ended before the first"):
        session(tmp_path / "s", *START[:2])


@pytest.mark.parametrize("name", sorted(HEADER))
def test_header_that_lacks_something_is_an_error(tmp_path, name) -> None:
    header = {n: v for n, v in HEADER.items() if n != name}
    with pytest.raises(SessionError, match=f"must be complete.*{name}"):
        session(tmp_path / "s", *START, header=json.loads(json.dumps(header)))


def test_hands_belong_to_the_batch_before_them(tmp_path) -> None:
    leave = Frame("hand", {"what": "leave", "reason": 6}, {"rows": np.array([0])})
    reset = Frame("hand", {"what": "reset_breaker", "index": 2})
    batch = Frame("batch", OUTCOME)
    found = session(tmp_path / "s", *START, reset, batch, leave, reset, batch, leave)
    assert [(h.what, h.batch, h.reason, h.index, h.rows.tolist()) for h in found.hands] == [
        ("reset_breaker", BEFORE, BEFORE, 2, []), ("leave", 0, 6, BEFORE, [0]),
        ("reset_breaker", 0, BEFORE, 2, []),
    ]  # nothing was seen of the last one


def test_stale_data_and_volumes_are_those_of_their_batch(tmp_path) -> None:
    rows = np.zeros(2, DECISION)
    rows["symbol"], rows["volume"] = [0, 3], [5.0, 7.0]
    found = session(
        tmp_path / "s", *START, Frame("batch", OUTCOME | {"stale": HALF_OPEN}),
        Frame("batch", OUTCOME, {"decisions": rows}),
    )
    assert [o.stale for o in found.outcomes] == [HALF_OPEN, 0]
    assert [o.volumes for o in found.outcomes] == [{}, {0: 5.0, 3: 7.0}]


def test_orders_of_an_account_from_before_are_left_out(tmp_path) -> None:
    account = np.zeros(1, ACCOUNT)
    account["n_orders"] = 2
    found = session(
        tmp_path / "s", *START[:3], Frame("account", {}, {"account": account}), START[3],
        Frame("batch", OUTCOME, orders([1, 2, 3], 1)),
    )
    assert found.first_order == 2
    assert found.orders()["status"].tolist() == [1, 1]
