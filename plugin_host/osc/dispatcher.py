"""What messages mean: sets, asks, subscribes and complains. No sockets here, and nothing waits."""

from __future__ import annotations

import threading
import time
from collections import deque
from itertools import groupby
from operator import attrgetter

from engine import StemwireError
from engine.errors import WorkerError
from plugin_host.board import CONTROLS, ERROR, Board
from plugin_host.errors import MessageError
from plugin_host.osc.address import ROOT, Address, Values
from plugin_host.osc.addresses import MAX_RATE_HZ, AddressTable
from plugin_host.osc.datagram import IMMEDIATELY, beginning, build, parse, unpack
from plugin_host.osc.patterns import is_pattern
from plugin_host.osc.peers import Peer, Peers
from plugin_host.osc.schedule import LATE_SECONDS, EngineClock, Schedule
from plugin_host.osc.subscriptions import LEASE_SECONDS, Subscriptions

ERROR_PATH = f"{ROOT}/error"
PING_PATH, PONG_PATH = f"{ROOT}/ping", f"{ROOT}/pong"
SUBSCRIBE_PATH, UNSUBSCRIBE_PATH = f"{ROOT}/subscribe", f"{ROOT}/unsubscribe"
EVERYTHING = f"{ROOT}//*"

_UNANSWERED = (ERROR_PATH, PONG_PATH)  # from another server: an answer would go round for ever
_MIN_RATE_HZ = 0.1
_MAX_NEWS = 256
_by_timetag = attrgetter("timetag")


class Dispatcher:
    """Does what messages say, and tells those who want to know.

    All of it belongs to one thread, but for `hear`.

    Args:
        board: to turn.
        peers: who there is.

    Attributes:
        table: every address.
    """

    def __init__(self, board: Board, peers: Peers) -> None:
        self.table = AddressTable(board.stems, board.controls)
        self._board = board
        self._peers = peers
        self._subscriptions = Subscriptions()
        self._schedule = Schedule()
        self._clock: EngineClock | None = None
        self._counters = board.counters
        self._lock = threading.Lock()
        self._changed: dict[str, str] = {}  # the newest origin by control
        self._news: deque[tuple[str, str, str]] = deque(maxlen=_MAX_NEWS)
        self._now: dict[str, tuple[Values, bytes]] = {}  # what was read in this turn

    # ---- from the board -------------------------------------------------------------------------

    def hear(self, name: str, value: float | str, origin: str) -> None:
        """Takes what the board tells; from its thread."""
        if isinstance(value, str):
            self._news.append((name, value, origin))
        else:
            with self._lock:
                self._changed[name] = origin

    @property
    def has_listeners(self) -> bool:
        """Whether anybody is subscribed."""
        return bool(len(self._subscriptions))

    def _pass_on(self) -> None:
        """Tells clients what the board has told."""
        while self._news:
            name, value, origin = self._news.popleft()
            peer = self._peers.find(origin)
            if name == CONTROLS:
                self.table = AddressTable(self._board.stems, self._board.controls)
                self._subscriptions.renew(self.table)
            elif name != ERROR:
                self._subscriptions.note(self.table.showing(name), origin)
                if peer is not None:
                    peer.transmit(build(f"{ROOT}/{name}", [value]))
            elif peer is not None:
                self.complain(peer, value)
        with self._lock:
            changed, self._changed = self._changed, {}
        for name, origin in changed.items():
            self._subscriptions.note(self.table.showing(name), origin)

    # ---- in turn --------------------------------------------------------------------------------

    def seconds_to_next(self) -> float | None:
        """Returns how long until `look` has something to do; None if nothing is planned."""
        waits = (
            self._schedule.seconds_to_next(self._clock),
            self._subscriptions.seconds_to_next(time.monotonic()),
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def look(self) -> None:
        """Does what is due: held bundles, then what subscribers are to be told."""
        while (held := self._schedule.due(self._current_clock())) is not None:
            for message in held.messages:
                self._do(message, held.peer)
        self._pass_on()
        self._now.clear()
        self._subscriptions.send(time.monotonic(), self._read)

    def control_of(self, path: bytes) -> str | None:
        """Returns the control that an address sets to a value; None for all other addresses."""
        address = self.table.get(path.decode("latin-1"))
        is_value = address is not None and address.kind == "control" and not address.is_trigger
        return address.shows if address is not None and is_value else None

    def forget(self, origin: str) -> None:
        """Lets go of a client that has gone."""
        self._subscriptions.remove(origin)

    def close(self) -> None:
        """Lets go of the session's memory."""
        if self._clock is not None:
            self._clock.close()
            self._clock = None

    def _current_clock(self) -> EngineClock | None:
        """The clock of the session that plays now; None if there is none."""
        if not len(self._schedule):
            return self._clock
        session = self._board.session
        if self._clock is not None and self._clock.session is not session:
            self.close()
        if self._clock is None and session is not None:
            try:
                self._clock = EngineClock(session)
            except WorkerError:  # it has just ended
                return None
        return self._clock

    def _read(self, address: Address) -> tuple[Values, bytes]:
        """What is to be told of an address; the same to all in one turn."""
        known = self._now.get(address.path)
        if known is None:
            assert address.read is not None
            values = address.read(self._board)
            known = self._now[address.path] = values, build(address.path, values)
        return known

    # ---- messages -------------------------------------------------------------------------------

    def take(self, datagram: bytes, peer: Peer) -> None:
        """Does what a datagram says, or holds it until its time."""
        try:
            packets = unpack(datagram)
        except MessageError as error:
            self.complain(peer, str(error), beginning(datagram))
            return
        self._count("osc_messages", len(packets))
        if len(packets) > 1 and not peer.messages.take(time.monotonic(), len(packets) - 1):
            self._count("osc_dropped", len(packets))
            self.complain(peer, f"A bundle of {len(packets)} messages came too soon.")
            return
        for timetag, group in groupby(packets, _by_timetag):
            messages = [packet.data for packet in group]
            if timetag > IMMEDIATELY:
                self._hold(timetag, messages, peer)
                continue
            for message in messages:
                self._do(message, peer)

    def complain(self, peer: Peer, sentence: str, about: str = "") -> None:
        """Tells a client what is wrong with a message; not too often.

        Args:
            peer: who has sent it.
            sentence: what is wrong.
            about: the message's address, or how it begins.
        """
        self._count("osc_faults")
        if not peer.complaints.take(time.monotonic()):
            peer.silent_faults += 1
            return
        if peer.silent_faults:
            sentence += f" {peer.silent_faults} faults before were not answered."
            peer.silent_faults = 0
        peer.transmit(build(ERROR_PATH, [sentence, about]))

    def _hold(self, timetag: int, messages: list[bytes], peer: Peer) -> None:
        try:
            late = self._schedule.add(timetag, messages, peer)
        except MessageError as error:
            self.complain(peer, str(error), beginning(messages[0]))
            return
        if late > 0:
            self._counters["osc_late_ms"] = 1e3 * late
        if late > LATE_SECONDS:
            self.complain(
                peer,
                f"A bundle came {late:.3f} s after its time, by this machine's clock: set the "
                "clocks by each other, or send earlier.",
                beginning(messages[0]),
            )

    def _do(self, message: bytes, peer: Peer) -> None:
        path, values = parse(message)
        try:
            if is_pattern(path):
                self._do_all(path, values, peer)
            elif path == PING_PATH:
                peer.transmit(build(PONG_PATH, values))
            elif path == SUBSCRIBE_PATH:
                self._subscribe(values, peer)
            elif path == UNSUBSCRIBE_PATH:
                self._unsubscribe(values, peer)
            elif path not in _UNANSWERED:
                self._do_one(self.table[path], values, peer)
        except StemwireError as error:
            self.complain(peer, str(error), path)

    def _do_one(self, address: Address, values: Values, peer: Peer) -> None:
        if values:
            if address.write is None:
                raise MessageError(f"{address.path} can only be asked for.")
            address.write(self._board, values, peer.origin)
            if address.shows:
                peer.turned[address.shows] = address.path
        elif address.read is not None:
            peer.transmit(build(address.path, address.read(self._board)))
        else:
            what = address.arguments[0].meaning if address.arguments else "nothing"
            raise MessageError(f"{address.path} takes one value ({what}), and none came.")

    def _do_all(self, pattern: str, values: Values, peer: Peer) -> None:
        """Asks all addresses that a pattern means, or sets the controls among them."""
        addresses = self.table.match(pattern)
        if not peer.messages.take(time.monotonic(), len(addresses)):
            self._count("osc_dropped")
            raise MessageError(f"{pattern} means {len(addresses)} addresses: too many, too soon.")
        if not values:
            for address in addresses:
                if address.read is not None:
                    self._do_one(address, values, peer)
            return
        controls = [address for address in addresses if address.kind == "control"]
        if not controls:
            raise MessageError(f"Of what {pattern} means, nothing can be set by a pattern.")
        faults = []
        for address in controls:
            try:
                self._do_one(address, values, peer)
            except StemwireError as error:
                faults.append(str(error))
        if faults:
            raise MessageError(f"{faults[0]} So it is with {len(faults)} of {len(controls)}.")

    def _subscribe(self, values: Values, peer: Peer) -> None:
        pattern = _pattern_of(SUBSCRIBE_PATH, values[:1])
        rate = values[1] if len(values) > 1 else MAX_RATE_HZ
        if len(values) > 2 or not isinstance(rate, int | float) or not rate >= _MIN_RATE_HZ:
            raise MessageError(
                f"{SUBSCRIBE_PATH} takes a pattern and a rate of {_MIN_RATE_HZ:g} to "
                f"{MAX_RATE_HZ:g} Hz."
            )
        rate = min(float(rate), MAX_RATE_HZ)
        addresses = self.table.match(pattern)
        self._subscriptions.add(peer, pattern, addresses, rate, time.monotonic())
        lease = 0.0 if peer.is_connected else LEASE_SECONDS
        peer.transmit(build(SUBSCRIBE_PATH, [pattern, rate, lease]))

    def _unsubscribe(self, values: Values, peer: Peer) -> None:
        pattern = _pattern_of(UNSUBSCRIBE_PATH, values) if values else None
        self._subscriptions.remove(peer.origin, pattern)
        peer.transmit(build(UNSUBSCRIBE_PATH, [pattern or EVERYTHING]))

    def _count(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by


def _pattern_of(path: str, values: Values) -> str:
    if not values:
        return EVERYTHING
    if len(values) > 1 or not isinstance(values[0], str):
        raise MessageError(f"{path} takes an address or pattern, such as {ROOT}/stem/*/gain.")
    return values[0]
