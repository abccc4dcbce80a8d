"""What came faster than its sender may send: of each control the newest value waits for its turn.

Whatever a sender has an allowance for is done at once, in order; the table of controls keeps the
newest value of each by itself. Beyond the allowance most is dropped, but of a fader that is moved
too quickly the last position is the one that counts, and it must not be the one that is lost:

    came       gain 1   gain 2   pan 3   ping   gain 4
    waits      gain 4            pan 3

So at most one message waits for each control, and it is dropped itself as soon as a newer value of
that control is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from plugin_host.osc.peers import Peer


class Inbox:
    """What waits, by control.

    Args:
        control_of: tells of an address which control it sets to a value; None for all others.

    Attributes:
        replaced: how many made room for a newer value.
    """

    def __init__(self, control_of: Callable[[bytes], str | None]) -> None:
        self._control_of = control_of
        self._waiting: dict[str, tuple[bytes, Peer]] = {}
        self.replaced = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, datagram: bytes, peer: Peer) -> bool:
        """Lets a value wait; returns False if it is none, and is lost."""
        control = self._set_by(datagram)
        if control is None:
            return False
        self.replaced += control in self._waiting
        self._waiting[control] = datagram, peer
        return True

    def overtake(self, datagram: bytes) -> None:
        """Notes that a datagram is done now: what waits for the same control is old."""
        control = self._set_by(datagram) if self._waiting else None
        if control in self._waiting:
            del self._waiting[control]
            self.replaced += 1

    def take(self, may: Callable[[Peer], bool]) -> Iterator[tuple[bytes, Peer]]:
        """Returns what waits of those who may send again."""
        for control, (datagram, peer) in list(self._waiting.items()):
            if may(peer):
                del self._waiting[control]
                yield datagram, peer

    def _set_by(self, datagram: bytes) -> str | None:
        """Returns the control that a datagram sets, if it does that and nothing else."""
        end = datagram.find(0)
        tags = end + 4 - end % 4
        if datagram[tags : tags + 1] != b"," or datagram[tags + 1 : tags + 2] in (b"", b"\0"):
            return None  # it asks, or is no message at all
        return self._control_of(datagram[:end])
