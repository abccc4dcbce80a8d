"""A small OSC client: sends, asks and listens, and knows when nobody is there."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import NamedTuple

from engine import ConfigError
from plugin_host.errors import MessageError, NetworkError
from plugin_host.osc.address import Value, Values
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.datagram import MAX_BYTES, build, parse, unpack
from plugin_host.osc.dispatcher import (
    ERROR_PATH,
    EVERYTHING,
    PING_PATH,
    PONG_PATH,
    SUBSCRIBE_PATH,
    UNSUBSCRIBE_PATH,
)
from plugin_host.osc.server import DEFAULT_HOST, DEFAULT_PORT
from plugin_host.osc.subscriptions import LEASE_SECONDS

_ANSWER_SECONDS = 2.0
_SLOW_SECONDS = 60.0
_RENEW_SECONDS = LEASE_SECONDS / 3


class Message(NamedTuple):
    """A message that came."""

    path: str
    values: Values

    def __str__(self) -> str:
        return " ".join([self.path, *map(_shown, self.values)])


class OscClient:
    """Speaks to a server over UDP. A context manager.

    Args:
        host: where the server is.
        port: its number.

    Raises:
        NetworkError: if there is no such host.
    """

    def __init__(self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
        self._where = f"{host}:{port}"
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.connect(address)
        except (OSError, UnicodeError, OverflowError) as error:
            raise NetworkError(f"There is no way to {self._where}: check host and port.") from error
        self._pings = 0

    def __enter__(self) -> OscClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def send(self, path: str, values: Sequence[Value] = ()) -> list[Message]:
        """Sends a message; returns the answers as soon as the server has dealt with it.

        Args:
            path: an address or pattern.
            values: what to send there; nothing asks.

        Raises:
            NetworkError: if nobody answers.
            MessageError: if the server says that something is wrong.
        """
        self._transmit(build(path, values))
        answers = self._answers_so_far()
        if values and _is_slow(path) and not _has_ended(answers, path):
            answers += self._answers_up_to(path)
        for answer in answers:
            if answer.path == ERROR_PATH:
                raise MessageError(
                    str(answer.values[0]) if answer.values else "Something is wrong."
                )
        return answers

    def listen(
        self, pattern: str = EVERYTHING, rate: float = 30.0, until: float | None = None
    ) -> Generator[Message, None, None]:
        """Returns what changes, the values of now first.

        Args:
            pattern: of the addresses.
            rate: how often each may come, in Hz.
            until: when to end, on the clock of `time.monotonic`; None to go on for ever.

        Raises:
            NetworkError: if nobody answers, or the server ends.
            MessageError: if the server does not accept the subscription.
        """
        self._transmit(build(SUBSCRIBE_PATH, [pattern, rate]))
        first = self._receive(_ANSWER_SECONDS)
        if first.path == ERROR_PATH:
            raise MessageError(str(first.values[0]))
        end = math.inf if until is None else until
        renew_at, is_there = time.monotonic() + _RENEW_SECONDS, True
        try:
            while (now := time.monotonic()) < end:
                if now >= renew_at:  # who says nothing for long is forgotten
                    if not is_there:
                        raise self._nobody()
                    self._transmit(build(PING_PATH))
                    renew_at, is_there = now + _RENEW_SECONDS, False
                message = self._receive_or_none(min(end, renew_at) - now)
                if message is None:
                    continue
                is_there = True
                if message.path != PONG_PATH:
                    yield message
        finally:
            with suppress(NetworkError):
                self._transmit(build(UNSUBSCRIBE_PATH, [pattern]))

    def _answers_so_far(self) -> list[Message]:
        self._pings += 1
        ping = (self._pings,)
        self._transmit(build(PING_PATH, ping))
        answers = []
        while (message := self._receive(_ANSWER_SECONDS)) != (PONG_PATH, ping):
            answers.append(message)
        return answers

    def _answers_up_to(self, path: str) -> list[Message]:
        """What comes until something that takes long is done."""
        answers: list[Message] = []
        while not _has_ended(answers, path):
            answers.append(self._receive(_SLOW_SECONDS))
        return answers

    def _transmit(self, message: bytes) -> None:
        try:
            self._socket.send(message)
        except OSError as error:
            raise self._nobody() from error

    def _receive(self, seconds: float) -> Message:
        message = self._receive_or_none(seconds)
        if message is None:
            raise self._nobody()
        return message

    def _receive_or_none(self, seconds: float) -> Message | None:
        self._socket.settimeout(max(seconds, 0.001))
        try:
            datagram = self._socket.recv(MAX_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._nobody() from error
        [packet] = unpack(datagram)
        return Message(*parse(packet.data))

    def _nobody(self) -> NetworkError:
        return NetworkError(
            f"Nobody answers at {self._where}: start `stemwire serve`, or give its --port."
        )


def values_of(words: Sequence[str], types: str = "") -> list[Value]:
    """Returns what was typed as values.

    Args:
        words: such as "0.5", "1" or "verse"; what looks like a number is one.
        types: OSC types, one for each, such as "fs"; empty to guess.

    Raises:
        ConfigError: if a word is not of its type.
    """
    if types and len(types) != len(words):
        raise ConfigError(
            f"--types {types} is for {len(types)} values, and {len(words)} are given."
        )
    return [
        _value_of(word, tag) for word, tag in zip(words, types or "?" * len(words), strict=True)
    ]


def _value_of(word: str, tag: str) -> Value:
    if tag not in "?ifs":
        raise ConfigError(f"There is no type {tag!r}: give i, f or s.")
    for wanted, convert in (("i", int), ("f", float)):
        if tag in ("?", wanted):
            try:
                return convert(word)
            except ValueError:
                if tag == wanted:
                    raise ConfigError(f"{word!r} is no number of type {tag}.") from None
    return word


def _has_ended(answers: Sequence[Message], path: str) -> bool:
    """Whether something that takes long is done, or will not be."""
    return any(answer.path in (path, ERROR_PATH) for answer in answers)


def _is_slow(path: str) -> bool:
    address = AddressTable(()).get(path)
    return address is not None and address.is_slow


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value) if isinstance(value, bytes) else str(value)
