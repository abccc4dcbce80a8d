"""The link to a JACK server, PipeWire's included: one client with ports for input, mix and stems.

    in_1 in_2 -->  stemwire  --> mix_1 mix_2, drums_1 drums_2, bass_1 ...

Two things happen to JACK graphs while they play, and neither ends the music:

- The buffer size changes. The client and its connections stay, and the parent opens an engine for
  the new size; see `player` for what plays meanwhile.
- The server goes away. The link asks for it every half second. When it is back, the client gets
  back the connections that it had, as soon as the ports that they lead to are there again.
"""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.realtime import enter_realtime
from plugin_host.devices import open_jack_client
from plugin_host.errors import AudioDeviceError
from plugin_host.links.jack_latency import PortLatencies
from plugin_host.links.line import Line, Message
from plugin_host.links.player import Player

CLIENT_NAME = "stemwire"
_TICK = 0.5  # seconds between looks at server and connections
_STALLED_TICKS = 2  # without a block, after which the server is looked for

Links = set[tuple[str, str]]
"""Connections: (short name of our port, full name of the other one)."""


@dataclass(frozen=True)
class JackOptions:
    """How to be a JACK client.

    Attributes:
        channels: 1 or 2.
        is_autoconnected: Connect to the device's own inputs and outputs.
        connections: Those to restore, which a link had that was there before.
    """

    channels: int = 2
    is_autoconnected: bool = False
    connections: frozenset[tuple[str, str]] = frozenset()


def run_jack_link(line: Line, options: JackOptions) -> None:
    """Plays until the line ends.

    Args:
        line: To the parent.
        options: See there.

    Raises:
        AudioDeviceError: If there is no server to begin with.
    """
    link = _JackLink(line, options)
    try:
        link.run()
    finally:
        link.close()


class _JackLink:
    def __init__(self, line: Line, options: JackOptions) -> None:
        self._line = line
        self._channels = options.channels
        self._autoconnects = options.is_autoconnected and not options.connections
        self._links: Links = set(options.connections)
        self._player: Player | None = None
        self._clients = 0
        self._tells_at = 0.0
        self._forget()

    def _forget(self) -> None:
        """Begins without a client."""
        self._client: Any = None
        self._announced: tuple[int, int] | None = None
        self._is_active = False
        self._is_freewheeling = False
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._latencies: PortLatencies | None = None
        self._missing = set(self._links)
        self._settles_at: float | None = None
        self._told_latency = (0, 0)
        self._xruns = 0
        self._blocks = 0
        self._blocks_seen = 0
        self._stalled_ticks = 0

    def run(self) -> None:
        self._open()
        while True:
            message = self._line.next(_TICK)
            if message is None:
                return
            if message:
                self._handle(message)
            self._look()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self._player is not None:
            self._player.close(is_orphan=self._line.has_lost_parent)

    # ---- the server ---------------------------------------------------------------------------

    def _open(self) -> None:
        self._client = client = open_jack_client(CLIENT_NAME)
        self._clients += 1
        number, post = self._clients, self._line.post
        client.set_shutdown_callback(
            lambda _, reason: post("shutdown", client=number, message=str(reason))
        )
        client.set_blocksize_callback(lambda _: post("look"))
        client.set_samplerate_callback(lambda _: post("look"))
        client.set_freewheel_callback(self._freewheel)
        client.set_xrun_callback(self._count_xrun)
        client.set_port_connect_callback(
            lambda *_: post("graph", client=number), only_available=False
        )
        client.set_port_registration_callback(
            lambda *_: post("graph", client=number), only_available=False
        )
        client.set_process_callback(self._process)
        self._announce()

    def _announce(self) -> None:
        """Says what form the server's blocks have, if that is news."""
        form = (int(self._client.samplerate), int(self._client.blocksize))
        if form != self._announced:
            self._announced = form
            self._line.say(
                "open",
                name=f"JACK client {self._client.name}",
                sample_rate=form[0],
                block_size=form[1],
                channels=self._channels,
            )

    def _lose(self, reason: str) -> None:
        self._line.say("lost", message=f"The JACK server is gone ({reason.rstrip('.')}).")
        self._client.close()
        self._forget()
        gc.collect()  # JACK-Client's objects refer to each other

    def _check_blocks(self) -> None:
        """Notices a server that went away without a word, as PipeWire does."""
        is_stalled = self._is_active and self._blocks == self._blocks_seen
        self._blocks_seen = self._blocks
        self._stalled_ticks = self._stalled_ticks + 1 if is_stalled else 0
        if self._stalled_ticks >= _STALLED_TICKS and not self._is_known():
            self._lose("it has stopped calling")

    def _is_known(self) -> bool:
        """Whether there is a server, and it knows our ports; one may be there and rest."""
        try:
            probe = open_jack_client(f"{CLIENT_NAME}-probe")
        except AudioDeviceError:
            return False
        known = {port.name for port in probe.get_ports(is_audio=True)}
        probe.close()
        return f"{self._client.name}:{self._inputs[0].shortname}" in known

    # ---- in JACK's threads --------------------------------------------------------------------

    def _process(self, frames: int) -> None:
        del frames  # the arrays know
        assert self._player is not None
        self._blocks += 1
        self._player.process(
            [port.get_array() for port in self._inputs],
            [port.get_array() for port in self._outputs],
            wait=self._is_freewheeling,
        )

    def _freewheel(self, starting: bool) -> None:
        self._is_freewheeling = bool(starting)

    def _count_xrun(self, _: float) -> None:
        self._xruns += 1

    # ---- in the link's own thread -------------------------------------------------------------

    def _handle(self, message: Message) -> None:
        if message.get("do") == "attach":
            self._attach(str(message["segment"]))
        elif message.get("client") not in (None, self._clients):
            return  # from a client that is gone
        elif message.get("event") == "shutdown" and self._client is not None:
            self._lose(message["message"])
        elif message.get("event") == "graph" and self._settles_at is None:
            self._settles_at = time.monotonic() + _TICK
        elif message.get("event") == "latency":
            self._tell_latency()

    def _tell_latency(self) -> None:
        if self._latencies is not None and self._latencies.device != self._told_latency:
            self._told_latency = self._latencies.device
            self._line.say("device", latency=self._told_latency)

    def _look(self) -> None:
        """What is done after each message, and at each tick."""
        if self._player is not None and self._player.fault is not None:
            raise AudioDeviceError(f"The audio callback failed ({self._player.fault}).")
        if self._client is None:
            try:
                self._open()
            except AudioDeviceError:
                return  # not back yet
        self._announce()
        now = time.monotonic()
        if self._settles_at is not None and now >= self._settles_at:
            self._settles_at = None
            self._settle()
        if now >= self._tells_at:
            self._tells_at = now + _TICK
            self._line.say("status", xruns=self._xruns)
            self._check_blocks()

    def _attach(self, segment: str) -> None:
        if self._client is None:
            return  # the server went away meanwhile; it will be announced anew
        if self._player is None:
            self._player = Player(segment)
        else:
            self._player.attach(segment)
        if self._player.exchange.config.sample_rate != self._client.samplerate:
            return  # the server has come back at another rate, which has been announced
        if not self._is_active:
            self._activate(self._player)
        elif self._latencies is not None:
            self._latencies.recompute()
        self._line.say(
            "running",
            name=f"JACK client {self._client.name}",
            latency=self._told_latency,
            places={bus: f"{bus}_1" for bus in self._player.buses},
        )

    def _activate(self, player: Player) -> None:
        import jack

        client, numbers = self._client, range(1, self._channels + 1)
        try:
            self._inputs = [client.inports.register(f"in_{number}") for number in numbers]
            self._outputs = [
                client.outports.register(f"{bus}_{number}")
                for bus in player.buses
                for number in numbers
            ]
            number = self._clients
            self._latencies = PortLatencies(
                client,
                self._inputs,
                self._outputs,
                lambda: player.exchange.latency,
                lambda: self._line.post("latency", client=number),
            )
            for note in enter_realtime(None):  # what JACK's own threads are allowed is up to JACK
                self._line.say("note", message=note)
            client.activate()
        except jack.JackError as error:
            raise AudioDeviceError(f"JACK refuses our ports ({error}).") from error
        self._is_active = True
        if self._autoconnects:
            self._autoconnects = False
            self._missing = self._physical()
        self._settle()
        self._latencies.recompute()
        self._told_latency = self._latencies.device

    # ---- connections --------------------------------------------------------------------------

    def _physical(self) -> Links:
        """What connects us to the device: its inputs to ours, our mix to its outputs."""
        sources = self._client.get_ports(is_audio=True, is_physical=True, is_output=True)
        sinks = self._client.get_ports(is_audio=True, is_physical=True, is_input=True)
        mix = self._outputs[: self._channels]
        pairs = (*zip(self._inputs, sources, strict=False), *zip(mix, sinks, strict=False))
        return {(own.shortname, other.name) for own, other in pairs}

    def _settle(self) -> None:
        """Makes the connections that are missing where it can, and says which there are."""
        import jack

        own_ports = {port.shortname: port for port in (*self._inputs, *self._outputs)}
        there = {port.name for port in self._client.get_ports(is_audio=True)}
        for own, other in sorted(self._missing):
            port = own_ports.get(own)
            if port is None or other not in there:
                continue
            with suppress(jack.JackError):  # it is there already, or its owner refuses
                port.connect(other)
            self._missing.discard((own, other))
        found = {
            (own, other.name)
            for own, port in own_ports.items()
            for other in self._client.get_all_connections(port)
        }
        if found | self._missing != self._links:
            self._links = found | self._missing
            self._line.say("connections", connections=sorted(self._links))
