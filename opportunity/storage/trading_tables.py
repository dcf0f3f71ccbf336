"""Tables of what was traded, decided and told; Alembic revisions in `migrations` build them.

Times are milliseconds UTC, feed time where bars are meant and wall time in columns `*_at`; money
is in quote currency. A book is one account with everything that belongs to it: `paper` for that of
the agent, `shadow:NAME` for a challenger's. An epoch begins whenever a book is reset.
"""

from typing import Final

import sqlalchemy as sa

from opportunity.storage.account_tables import METADATA as METADATA

BOOK: Final = sa.String(80)
SYMBOL: Final = sa.String(64)


def _book_key() -> tuple["sa.Column[str]", "sa.Column[int]"]:
    return (
        sa.Column("book", BOOK, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True),
    )


book = sa.Table(
    "book",
    METADATA,
    sa.Column("name", BOOK, primary_key=True),
    sa.Column("market", sa.String(64), primary_key=True),  # each market has books of its own
    sa.Column("epoch", sa.Integer, nullable=False),  # no two of one name, in whatever market
    sa.Column("cash", sa.Float, nullable=False),  # at the start of the epoch
    sa.Column("begun", sa.BigInteger, nullable=False),  # feed time of that start
    sa.Column("time", sa.BigInteger, nullable=False),  # up to which bars are worked in
    sa.Column("version", sa.Integer, nullable=False),  # rises by one with every commit
    sa.Column("account", sa.JSON, nullable=False),  # ACCOUNT and TALLY by field, null for NaN
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

position = sa.Table(
    "position",
    METADATA,
    *_book_key(),
    sa.Column("symbol", SYMBOL, primary_key=True),
    sa.Column("side", sa.Integer, nullable=False),
    sa.Column("quantity", sa.Float, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),  # POSITION by field, null for NaN
)
"""Only what is held or about to be; a row goes when its symbol is flat and waits for nothing."""

paper_order = sa.Table(
    "paper_order",
    METADATA,
    *_book_key(),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("symbol", SYMBOL, nullable=False),
    sa.Column("side", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("limit_price", sa.Float),
    sa.Column("distance", sa.Float),
    sa.Column("score", sa.Float),
    sa.Column("confidence", sa.Float),
    sa.Column("size_by", sa.String(16), nullable=False, server_default=""),  # bound that held
)

fill = sa.Table(
    "fill",
    METADATA,
    *_book_key(),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("symbol", SYMBOL, nullable=False),
    sa.Column("side", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("quantity", sa.Float, nullable=False),
    sa.Column("reference", sa.Float, nullable=False),
    sa.Column("price", sa.Float, nullable=False),
    sa.Column("fee", sa.Float, nullable=False),
    sa.Column("slippage", sa.Float, nullable=False),
    sa.Column("trade", sa.BigInteger, nullable=False),
)

trade = sa.Table(
    "trade",
    METADATA,
    *_book_key(),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # by their ends
    sa.Column("entry_number", sa.BigInteger, nullable=False),
    sa.Column("symbol", SYMBOL, nullable=False),
    sa.Column("side", sa.Integer, nullable=False),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.BigInteger, nullable=False),
    sa.Column("entry", sa.Float, nullable=False),
    sa.Column("exit", sa.Float, nullable=False),
    sa.Column("quantity", sa.Float, nullable=False),
    sa.Column("pnl", sa.Float, nullable=False),
    sa.Column("fees", sa.Float, nullable=False),
    sa.Column("slippage", sa.Float, nullable=False),
    sa.Column("funding", sa.Float, nullable=False),
    sa.Column("r", sa.Float),
    sa.Column("mae", sa.Float),
    sa.Column("mfe", sa.Float),
    sa.Column("bars", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("n_fills", sa.BigInteger, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("confidence", sa.Float),
    sa.Index("ix_trade_book_closed", "book", "closed"),
)

equity_mark = sa.Table(
    "equity_mark",
    METADATA,
    *_book_key(),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("equity", sa.Float, nullable=False),
    sa.Column("cash", sa.Float, nullable=False),
    sa.Column("gross", sa.Float, nullable=False),  # notional of all positions
    sa.Column("drawdown", sa.Float, nullable=False),  # fraction of the peak
)
"""One row at every close of the decision timeframe: what curves are drawn of."""

candidate = sa.Table(
    "candidate",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("book", BOOK, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("market", sa.String(64), nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("symbol", SYMBOL, nullable=False),
    sa.Column("timeframe", sa.String(8), nullable=False),  # of the decision
    sa.Column("side", sa.Integer, nullable=False),  # its direction, +1 or -1
    sa.Column("action", sa.String(16), nullable=False),  # see `storage.candidates.ACTIONS`
    sa.Column("stopped_by", sa.JSON, nullable=False),  # names of rules, or of one limit
    sa.Column("score", sa.Float, nullable=False),  # final, [0, 1]
    sa.Column("net", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("consensus", sa.Float, nullable=False),
    sa.Column("disagreement", sa.Float, nullable=False),
    sa.Column("trust", sa.Float, nullable=False),
    sa.Column("success", sa.Float),  # stated probability, null where none was known
    sa.Column("risk_level", sa.String(8), nullable=False),
    sa.Column("contributions", sa.JSON, nullable=False),  # by detector, without unavailable ones
    sa.Column("price", sa.Float, nullable=False),  # close of the decision bar
    sa.Column("atr", sa.Float),  # of the decision timeframe
    sa.Column("order_number", sa.BigInteger),
    sa.Column("config", sa.Integer, nullable=False),  # version of weights in force
    sa.UniqueConstraint("book", "epoch", "time", "symbol"),
    sa.Index("ix_candidate_market_time", "market", "time"),
    sa.Index("ix_candidate_symbol_time", "symbol", "time"),
)
"""Every idea with a direction at a decision close, and what was made of it."""

outcome = sa.Table(
    "outcome",
    METADATA,
    sa.Column("candidate", sa.Integer, sa.ForeignKey("candidate.id", ondelete="CASCADE"),
              primary_key=True, autoincrement=False),
    sa.Column("horizon", sa.Integer, primary_key=True, autoincrement=False),  # decision bars
    sa.Column("known", sa.BigInteger, nullable=False),  # when it was known, feed time
    sa.Column("barrier", sa.String(8), nullable=False),  # up, down, both, time
    sa.Column("right", sa.Integer, nullable=False),  # 1: the side that was called
    sa.Column("move", sa.Float, nullable=False),  # close to close along the side, fraction
    sa.Column("move_atr", sa.Float, nullable=False),
    sa.Column("best", sa.Float, nullable=False),  # furthest along the side meanwhile, ATR
    sa.Column("worst", sa.Float, nullable=False),
)  # fmt: skip

event = sa.Table(
    "event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(160), nullable=False, unique=True),  # the same event is kept once
    sa.Column("at", sa.BigInteger, nullable=False),  # wall time
    sa.Column("time", sa.BigInteger, nullable=False),  # feed time
    sa.Column("kind", sa.String(24), nullable=False),  # see `storage.events.KINDS`
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("channel", sa.String(16)),  # of the stream; null of kinds that do not travel
    sa.Column("stream_seq", sa.BigInteger),  # its number there, without gap from 1
    sa.Index("ix_event_kind_id", "kind", "id"),
    sa.Index("ix_event_channel_stream_seq", "channel", "stream_seq", unique=True),
)
"""Append-only: fills, trades, breakers, alerts, and who changed what."""

stream_epoch = sa.Table(
    "stream_epoch",
    METADATA,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("epoch", sa.String(32), nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
)
"""Name of this event log: another one after a restore or reset, as numbers may come twice then."""

stream_head = sa.Table(
    "stream_head",
    METADATA,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),  # newest; stays when old events are let go
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

lease = sa.Table(
    "lease",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(160), nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),  # rises with every holder
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

idempotent = sa.Table(
    "idempotent",
    METADATA,
    sa.Column("key", sa.String(200), primary_key=True),  # route and key of the caller
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of the request
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(160), nullable=False, unique=True),  # the same alert goes out once
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("body", sa.String(4000), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),  # waiting, sent, digested, failed
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("error", sa.String(300), nullable=False),
    sa.Index("ix_outbox_status_next_at", "status", "next_at"),
)

price_alert = sa.Table(
    "price_alert",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("market", sa.String(64), nullable=False),
    sa.Column("symbol", SYMBOL, nullable=False),
    sa.Column("rule", sa.String(8), nullable=False),  # above, below
    sa.Column("price", sa.Float, nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("again", sa.Boolean, nullable=False),  # stays after it has fired
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("fired_at", sa.BigInteger),  # feed time
)

watchlist = sa.Table(
    "watchlist",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("symbols", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

shadow = sa.Table(
    "shadow",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("weights", sa.JSON, nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("stopped_at", sa.BigInteger),
)
