"""OSC over TCP: where one message ends and the next begins.

    length (OSC 1.0)    size, 4 bytes  message  size  message ...
    SLIP (OSC 1.1)      END message END END message END ...         END and ESC within are escaped

Which of the two a client speaks is told by its first byte: that of a size is 0, as no message has
16 MiB, and that of SLIP is END, or the beginning of a message.
"""

from __future__ import annotations

import re
from typing import Protocol

from plugin_host.errors import MessageError
from plugin_host.osc.datagram import MAX_BYTES

_END, _ESC = b"\xc0", b"\xdb"
_ESCAPED_END, _ESCAPED_ESC = b"\xdb\xdc", b"\xdb\xdd"
_BAD_ESCAPE = re.compile(b"\xdb(?![\xdc\xdd])")


class Framing(Protocol):
    """Takes a stream apart, and puts one together."""

    def feed(self, data: bytes) -> list[bytes | MessageError]:
        """Takes what has come; returns the messages that are whole now.

        An error stands in the place of a message that is lost; the stream goes on behind it.

        Raises:
            MessageError: if the stream cannot go on.
        """

    def wrap(self, message: bytes) -> bytes:
        """Returns a message as it is to be sent."""


def framing_for(data: bytes) -> Framing:
    """Returns the framing of a stream that begins like this."""
    return LengthFraming() if data[:1] == b"\0" else SlipFraming()


class LengthFraming:
    """Each message behind its size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes | MessageError]:
        """See `Framing`."""
        rest = self._rest
        rest += data
        messages: list[bytes | MessageError] = []
        at = 0
        while len(rest) - at >= 4:
            size = int.from_bytes(rest[at : at + 4], "big", signed=True)
            if not 0 < size <= MAX_BYTES:
                raise MessageError(
                    f"A message of {size} bytes was announced: give 1 to {MAX_BYTES}. The "
                    "connection is closed, as nobody knows where the next one begins."
                )
            if len(rest) - at - 4 < size:
                break
            messages.append(bytes(rest[at + 4 : at + 4 + size]))
            at += 4 + size
        del rest[:at]
        return messages

    def wrap(self, message: bytes) -> bytes:
        """See `Framing`."""
        return len(message).to_bytes(4, "big") + message


class SlipFraming:
    """Each message between two END bytes; see RFC 1055."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_lost = False  # what has come since the last END is too long for a message

    def feed(self, data: bytes) -> list[bytes | MessageError]:
        """See `Framing`."""
        messages: list[bytes | MessageError] = []
        *whole, rest = data.split(_END)
        for part in whole:
            self._rest += part
            if self._rest and not self._is_lost:
                messages.append(_unescaped(bytes(self._rest)))
            self._rest.clear()
            self._is_lost = False
        self._rest += rest
        if len(self._rest) > 2 * MAX_BYTES:
            if not self._is_lost:
                messages.append(MessageError(f"A message is longer than {MAX_BYTES} bytes."))
            self._is_lost = True
            self._rest.clear()
        return messages

    def wrap(self, message: bytes) -> bytes:
        """See `Framing`."""
        escaped = message.replace(_ESC, _ESCAPED_ESC).replace(_END, _ESCAPED_END)
        return _END + escaped + _END


def _unescaped(part: bytes) -> bytes | MessageError:
    if _BAD_ESCAPE.search(part):
        return MessageError("A byte in SLIP is escaped that need not be.")
    return part.replace(_ESCAPED_END, _END).replace(_ESCAPED_ESC, _ESC)
