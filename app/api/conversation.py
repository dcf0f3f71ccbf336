"""What one client of the stream asked for, and how its messages are answered."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import pydantic

from app.api.broadcast import DEFAULT, Realtime
from app.api.limits import Bucket, Strikes
from app.api.messages import Filter, Message, encode
from app.api.outlet import Outlet
from app.api.parsing import JsonError, parse_json
from app.api.symbols import sort_out
from opportunity.contracts.base import Answer
from opportunity.contracts.realtime import (
    CHANNELS,
    COMMANDS,
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
    SignalMessage,
    StatusReply,
    Subscribe,
    Subscribed,
    Text,
    Unsubscribe,
    Unsubscribed,
)
from opportunity.errors import unknown
from opportunity.feeds.clock import wall_ms
from opportunity.market.symbols import parse_symbol

POLICY: Final = 1008
MALFORMED: Final = ("invalid_json", "invalid_message")

Close = Callable[[int, str], None]


class CommandError(Exception):
    """A client message that cannot be carried out; becomes an error message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
    """

    def __init__(self, realtime: Realtime, outlet: Outlet, close: Close) -> None:
        self.outlet, self._close = outlet, close
        self._realtime, self._services = realtime, realtime.services
        limits = realtime.limits
        self._bucket = Bucket(limits.rate_per_s, limits.burst, realtime.now())
        self._malformed = Strikes(limits.malformed, limits.strikes_s)
        self._excess = Strikes(limits.excess, limits.strikes_s)
        self._spelt: dict[Channel, dict[str, str]] = {c: {} for c in SYMBOL_CHANNELS}
        self._whole: set[Channel] = set()
        self._seen: dict[tuple[Channel, str], int] = {}
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
        place = (message.channel, message.key)
        if message.seq <= self._seen.get(place, 0):
            return None
        model = message.model
        if isinstance(model, SignalMessage) and (model.confidence or 0.0) < self._min_confidence:
            return None
        self._seen[place] = message.seq
        return message.frame(self._timeframes if message.channel == "signal" else None)

    def _reply(self, answer: Answer) -> None:
        self._realtime.reply(self, encode(answer, exclude_none=True))

    def _send_newest(self, channels: Iterable[Channel], symbols: Iterable[str]) -> None:
        keys = list(symbols)
        messages: list[Message | None] = []
        for channel in channels:
            if channel in SYMBOL_CHANNELS:
                messages += [self._realtime.newest(channel, key) for key in keys]
            elif channel not in EVENT_CHANNELS:
                messages += self._realtime.newest_of(channel)
        newest = [m for m in messages if m is not None]
        for message in newest:  # asked for again, perhaps under another filter
            self._seen.pop((message.channel, message.key), None)
        self._realtime.give(self, newest)

    # -- what comes in ---------------------------------------------------------------------------

    def hear(self, message: str | bytes) -> None:
        """Carry out one client message, or say why not."""
        if self.outlet.closed:
            return
        now = self._realtime.now()
        wait_s = self._bucket.take(now)
        if wait_s > 0:
            self._refuse_excess(now, wait_s)
            return
        action, id_ = None, None
        try:
            value = _read(message)
            action, id_ = _label(value.get("action")), _id(value.get("id"))
            self._carry_out(_command(value))
        except CommandError as error:
            self._reply(ErrorMessage(message=str(error), code=error.code, action=action, id=id_))
            if error.code in MALFORMED and self._malformed.add(now):
                self.close(POLICY, "too many malformed messages")

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

    def _carry_out(self, command: Command) -> None:
        match command:
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case Ping():
                self._reply(Pong(ts=wall_ms(), client_ts=command.ts, id=command.id))
            case GetStatus():
                status = self._realtime.press.status().model.model_dump()
                self._reply(StatusReply(**status, id=command.id))
            case Resume():
                self._resume(command)

    # -- the commands ----------------------------------------------------------------------------

    def _subscribe(self, command: Subscribe) -> None:
        channels = _channels(command.channels)
        if command.channels is None and command.symbols:
            channels = ["signal"]
        by_symbol = [c for c in channels if c in SYMBOL_CHANNELS]
        if not channels or (by_symbol and not command.symbols):
            raise CommandError("invalid_message", "subscribe must name symbols or whole channels")
        have = self._symbols()
        watched = self._services.symbols or None  # an exchange's are not known before it answers
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
                epoch=self._services.epoch, id=command.id,
            )
        )  # fmt: skip
        self._send_newest(channels, accepted)

    def _unsubscribe(self, command: Unsubscribe) -> None:
        channels = _channels(command.channels) or list(CHANNELS)
        have = self._symbols()
        echo = command.symbols
        if echo is None:
            spelt = {s: text for texts in self._spelt.values() for s, text in texts.items()}
            echo = list(spelt.values())
        self._leave_default()
        self._unsubscribe_from(channels, command.symbols)
        self._count(have)
        self._reply(Unsubscribed(symbols=echo, channels=channels, id=command.id))

    def _resume(self, command: Resume) -> None:
        same = command.epoch in (None, self._services.epoch)
        since = self._since(command)
        newest = {channel: self._realtime.press.newest(channel) for channel in EVENT_CHANNELS}
        missed = {
            channel: [e for e in self._realtime.events[channel] if not same or e.seq > seq]
            for channel, seq in since.items()
        }
        replayed = {c: events for c, events in missed.items() if c in self._whole}
        complete = all(newest[c] - seq <= len(missed[c]) for c, seq in since.items())
        self._reply(
            Resumed(
                epoch=self._services.epoch, replayed=sum(map(len, replayed.values())),
                complete=same and complete, seq=newest["config"], seqs=dict(newest), id=command.id,
            )
        )  # fmt: skip
        for event in (event for events in replayed.values() for event in events):
            self._realtime.reply(self, event.frame())
        self._seen = {(channel, ""): newest[channel] for channel in replayed}
        for channel, spelt in self._spelt.items():
            self._send_newest([channel], spelt)
        self._send_newest(sorted(self._whole), ())

    def _since(self, command: Resume) -> dict[Channel, int]:
        """Return the newest number seen of each channel of events that is resumed.

        `seq` is that of config; without any number it is all that is subscribed, from the start.
        """
        seq = command.seq if command.seq is not None else command.last_seq
        since: dict[Channel, int] = {} if seq is None else {"config": seq}
        for name, number in command.seqs.items():
            if name not in EVENT_CHANNELS or number < 0:
                raise CommandError(
                    "invalid_message", f"seqs must be numbers >= 0 of {', '.join(EVENT_CHANNELS)}"
                )
            since |= {channel: number for channel in EVENT_CHANNELS if channel == name}
        if not since:
            since = {c: 0 for c in EVENT_CHANNELS if c == "config" or c in self._whole}
        return since

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
        wanted = None if texts is None else _readable(texts)
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


def _read(message: str | bytes) -> dict[str, Any]:
    if isinstance(message, bytes):
        raise CommandError("invalid_message", "a message must be text, was binary")
    try:
        value = parse_json(message.encode())
    except JsonError as error:
        raise CommandError("invalid_json", "Invalid JSON") from error
    if not isinstance(value, dict):
        raise CommandError("invalid_message", "a message must be a JSON object")
    return value


def _command(value: dict[str, Any]) -> Command:
    action = value.get("action")
    if not isinstance(action, str):
        raise CommandError("invalid_message", "action must be a string")
    model = COMMANDS.get(action)
    if model is None:
        raise CommandError("unknown_action", unknown("action", action[:64], COMMANDS))
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:64]
        raise CommandError("invalid_message", f"{where}: {first['msg']}") from error


def _channels(names: list[str] | None) -> list[Channel]:
    known: dict[str, Channel] = {name: name for name in CHANNELS}
    for name in names or ():
        if name not in known:
            raise CommandError("unknown_channel", unknown("channel", name[:64], CHANNELS))
    return [known[name] for name in dict.fromkeys(names or ())]


def _readable(texts: Iterable[str]) -> set[str]:
    found = set()
    for text in texts:
        try:
            found.add(parse_symbol(text))
        except ValueError:
            continue  # never subscribed, so there is nothing to drop
    return found


def _label(value: Any) -> str | None:
    return value[:64] if isinstance(value, str) else None


def _id(value: Any) -> Text:
    if isinstance(value, str):
        return value[:64]
    return value if isinstance(value, int) and not isinstance(value, bool) else None
