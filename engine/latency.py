"""The latency ledger: where the delay between an input frame and its output frame comes from."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class LatencyLedger:
    """The parts of the latency, each named, in frames at the host's rate; they add up to `total`.

    Attributes:
        entries: (what, frames), in the order in which the sound meets them.
    """

    entries: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        """The whole latency in frames."""
        return sum(frames for _, frames in self.entries)

    def plus(self, what: str, frames: int) -> "LatencyLedger":
        """Returns a ledger with one more entry, as when a host adds its device's latency."""
        return LatencyLedger((*self.entries, (what, frames)))

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.entries)

    def __str__(self) -> str:
        parts = " + ".join(f"{what} {frames}" for what, frames in self.entries)
        return f"{parts} = {self.total} frames" if parts else "0 frames"
