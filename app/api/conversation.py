"""What one client of the stream asked for, and how its messages are answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from app.api.broadcast import DEFAULT, Realtime
from app.api.commands import (
    MALFORMED,
    CommandError,
    id_of,
    label_of,
    read_channels,
    read_command,
    read_object,
    read_symbols,
    since_of,
)
from app.api.limits import Bucket, Strikes
from app.api.messages import Filter, Message, encode
from app.api.outlet import Outlet
from app.api.replay import replay
from app.api.source import Source
from app.api.symbols import sort_out
from app.auth.roles import LOCAL, Caller
from opportunity.contracts.base import Answer
from opportunity.contracts.realtime import (
    CHANNELS,
    EVENT_CHANNELS,
    SYMBOL_CHANNELS,
    Channel,
    Command,
    ErrorMessage,
    GetStatus,
    Ping,
    Pong,
    Resume,
    Resumed,
    StatusReply,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
)
from opportunity.market.wall import wall_ms

POLICY: Final = 1008
SLOW: Final = 4010

PIECE: Final = 64 * 1024
TURN: Final = 64
"""Bytes of missed events that may wait for a client, and how many are sent before others have
their turn."""

Close = Callable[[int, str], None]


class Conversation:
    """One connection: its subscriptions, its limits, its answers.

    Until it subscribes or unsubscribes it follows the default stream: the signals of the
    symbols that REST subscribed.

    Parameters
    ----------
    realtime : Realtime
        Where it joins; status is the first message it gets.
    outlet : Outlet
        Its sending side.
    close : callable
        Closes the connection with a code and a reason.
    caller : Caller
        Who it is; when that ends, so does the connection.
    address : str
        Where it comes from; '' for this machine.
    """

    def __init__(
        self, realtime: Realtime, outlet: Outlet, close: Close,
        caller: Caller = LOCAL, address: str = "",
    ) -> None:  # fmt: skip
        self.outlet, self._close = outlet, close
        self.caller, self.address = caller, address
        self._realtime = realtime
        self._source: Source = realtime.source
        limits = realtime.limits
        self._bucket = Bucket(limits.rate_per_s, limits.burst, realtime.now())
        self._malformed = Strikes(limits.malformed, limits.strikes_s)
        self._excess = Strikes(limits.excess, limits.strikes_s)
        self._spelt: dict[Channel, dict[str, str]] = {c: {} for c in SYMBOL_CHANNELS}
        self._whole: set[Channel] = set()
        self._seen: dict[tuple[Channel, str], int] = {}
        self._resuming: set[Channel] = set()
        self._timeframes: Filter = None
        self._min_confidence = 0.0
        self._default = True
        realtime.listen(self, "signal", DEFAULT)
        realtime.join(self)

    def end(self) -> None:
        """Forget everything; nothing more is sent."""
        self.outlet.close()
        have = self._symbols()
        self._leave_default()
        self._unsubscribe_from(CHANNELS, None)
        self._count(have)
        self._realtime.leave(self)

    def close(self, code: int, reason: str) -> None:
        """Close the connection; what still waits is dropped, for nothing may follow a close."""
        self.outlet.close()
        self._close(code, reason)

    # -- what goes out ---------------------------------------------------------------------------

    def choose(self, message: Message) -> bytes | None:
        """Return the frame of a message, or None when it was sent before or is filtered out."""
        channel, place = message.channel, message.place
        if message.seq <= self._seen.get(place, 0) or channel in self._resuming:
            return None
        if channel != "signal":
            self._seen[place] = message.seq
            return message.frame()
        if self._min_confidence and (message.fields["confidence"] or 0.0) < self._min_confidence:
            return None
        self._seen[place] = message.seq
        return message.frame(self._timeframes)

    def _reply(self, answer: Answer) -> None:
        self._realtime.reply(self, encode(answer, exclude_none=True))

    def _send_newest(self, channels: Iterable[Channel], symbols: Iterable[str]) -> None:
        keys = list(symbols)
        messages: list[Message | None] = []
        for channel in channels:
            if channel in SYMBOL_CHANNELS:
                messages += [self._source.newest(channel, key) for key in keys]
            elif channel not in EVENT_CHANNELS:
                messages += self._source.newest_of(channel)
        newest = [m for m in messages if m is not None]
        for message in newest:  # asked for again, perhaps under another filter
            self._seen.pop((message.channel, message.key), None)
        self._realtime.give(self, newest)

    # -- what comes in ---------------------------------------------------------------------------

    def hear(self, message: str | bytes) -> Awaitable[None] | None:
        """Carry out one client message, or say why not.

        Returns
        -------
        awaitable or None
            To be awaited before the next message is carried out, where it takes time.
        """
        if self.outlet.closed:
            return None
        now = self._realtime.now()
        wait_s = self._bucket.take(now)
        if wait_s > 0:
            self._refuse_excess(now, wait_s)
            return None
        action, id_ = None, None
        try:
            value = read_object(message)
            action, id_ = label_of(value.get("action")), id_of(value.get("id"))
            return self._carry_out(read_command(value))
        except CommandError as error:
            self._reply(ErrorMessage(message=str(error), code=error.code, action=action, id=id_))
            if error.code in MALFORMED and self._malformed.add(now):
                self.close(POLICY, "too many malformed messages")
        return None

    def beat(self) -> bool:
        """Count a ping or pong; False where there are too many to answer."""
        if self.outlet.closed:
            return False
        now = self._realtime.now()
        if self._bucket.take(now) == 0:
            return True
        if self._excess.add(now):
            self.close(POLICY, "too many messages")
        return False

    def _refuse_excess(self, now: float, wait_s: float) -> None:
        if self._excess.add(now):
            self.close(POLICY, "too many messages")
            return
        rate = self._realtime.limits.rate_per_s
        self._reply(
            ErrorMessage(
                message=f"at most {rate:g} messages per second", code="rate_limited",
                retry_after_ms=int(wait_s * 1_000) + 1,
            )
        )  # fmt: skip

    def _carry_out(self, command: Command) -> Awaitable[None] | None:
        match command:
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case Ping():
                self._reply(Pong(ts=wall_ms(), client_ts=command.ts, id=command.id))
            case GetStatus():
                status = self._source.newest("status")
                if status is None:
                    raise CommandError("not_ready", "The status is not known yet.")
                self._reply(StatusReply(**status.fields, id=command.id))
            case Resume():
                return self._resume(command, since_of(command, self._whole))
        return None

    # -- the commands ----------------------------------------------------------------------------

    def _subscribe(self, command: Subscribe) -> None:
        channels = read_channels(command.channels)
        if command.channels is None and command.symbols:
            channels = ["signal"]
        by_symbol = [c for c in channels if c in SYMBOL_CHANNELS]
        if not channels or (by_symbol and not command.symbols):
            raise CommandError("invalid_message", "subscribe must name symbols or whole channels")
        have = self._symbols()
        watched = self._source.symbols or None  # an exchange's are not known before it answers
        accepted, rejected = sort_out(
            command.symbols, watched, self._realtime.limits.max_symbols, have
        )
        if command.timeframes is not None:
            self._timeframes = tuple(command.timeframes)
        if command.min_confidence is not None:
            self._min_confidence = command.min_confidence
        self._leave_default()
        for channel in channels:
            self._join(channel, accepted)
        self._count(have)
        self._reply(
            Subscribed(
                symbols=list(accepted.values()), rejected=rejected, channels=channels,
                epoch=self._source.epoch, seqs=self._source.seqs(), id=command.id,
            )
        )  # fmt: skip
        self._send_newest(channels, accepted)

    def _unsubscribe(self, command: Unsubscribe) -> None:
        channels = read_channels(command.channels) or list(CHANNELS)
        have = self._symbols()
        echo = command.symbols
        if echo is None:
            spelt = {s: text for texts in self._spelt.values() for s, text in texts.items()}
            echo = list(spelt.values())
        self._leave_default()
        self._unsubscribe_from(channels, command.symbols)
        self._count(have)
        self._reply(Unsubscribed(symbols=echo, channels=channels, id=command.id))

    async def _resume(self, command: Resume, since: Mapping[Channel, int]) -> None:
        """Join channels of events where the client left them, and send it the newest states.

        Until that is done, what happens on these channels is left out: it is read, too.
        """
        self._resuming |= since.keys()
        try:
            reached = await self._catch_up(command, since)
            if reached is None:
                return
            for channel, seq in reached.items():  # on the turn of the last look: see `replay`
                self._join(channel, {})
                self._seen[channel, ""] = seq
        finally:
            self._resuming -= since.keys()
        for channel, spelt in self._spelt.items():
            self._send_newest([channel], spelt)
        self._send_newest(sorted(self._whole), ())

    async def _catch_up(
        self, command: Resume, since: Mapping[Channel, int]
    ) -> dict[Channel, int] | None:
        """Send what was missed; return the newest numbers, None where the client is gone."""
        source, same = self._source, command.epoch in (None, self._source.epoch)
        found = await replay(source, since if same else dict.fromkeys(since, 0))
        if self._gone():
            return None
        events = [m for messages in found.values() for m in messages or ()]
        complete = same and all(messages is not None for messages in found.values())
        seqs = source.seqs()
        reached = {channel: seqs.get(channel, 0) for channel in since}
        self._reply(
            Resumed(
                epoch=source.epoch, replayed=len(events), complete=complete,
                seq=seqs.get("config", 0), seqs=seqs, id=command.id,
            )
        )  # fmt: skip
        while events:
            await self._send_all(events)
            more = await replay(source, reached)  # what has happened while they left
            if None in more.values():  # so much that there would be a hole
                self.close(SLOW, "too slow")
            if self._gone():
                return None
            events = [m for messages in more.values() for m in messages or ()]
            reached |= {m.channel: m.seq for m in events}
        return reached

    def _gone(self) -> bool:
        return self.outlet.closed

    async def _send_all(self, events: Iterable[Message]) -> None:
        """Send events as fast as they leave: who has missed much is not slow for that."""
        for n, event in enumerate(events, 1):
            self._realtime.reply(self, event.frame())
            if self.outlet.waiting_bytes > PIECE:
                await self.outlet.left()
            elif n % TURN == 0:
                await asyncio.sleep(0)

    # -- subscriptions ---------------------------------------------------------------------------

    def _join(self, channel: Channel, symbols: dict[str, str]) -> None:
        if channel not in SYMBOL_CHANNELS:
            self._whole.add(channel)
            self._realtime.listen(self, channel, "")
            return
        for symbol, text in symbols.items():
            self._spelt[channel][symbol] = text
            self._realtime.listen(self, channel, symbol)

    def _unsubscribe_from(self, channels: Iterable[Channel], texts: list[str] | None) -> None:
        wanted = None if texts is None else read_symbols(texts)
        for channel in channels:
            if channel in SYMBOL_CHANNELS:
                for symbol in [s for s in self._spelt[channel] if wanted is None or s in wanted]:
                    del self._spelt[channel][symbol]
                    self._seen.pop((channel, symbol), None)
                    self._realtime.unlisten(self, channel, symbol)
            elif texts is None:  # naming symbols leaves the channels that have none alone
                self._whole.discard(channel)
                self._realtime.unlisten(self, channel, "")

    def _leave_default(self) -> None:
        if self._default:
            self._default = False
            self._realtime.unlisten(self, "signal", DEFAULT)

    def _symbols(self) -> set[str]:
        return {symbol for spelt in self._spelt.values() for symbol in spelt}

    def _count(self, before: set[str]) -> None:
        self._realtime.stats["subscriptions"] += len(self._symbols()) - len(before)
