"""How a live session stands, and who is told: the screen, a script, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from engine import HostConfig
from engine.worker import Status
from plugin_host.link_process import Message


@dataclass(frozen=True)
class Report:
    """How things stand; what a view shows.

    Attributes:
        state: "starting", "running", "waiting" (for a device) or what the session says of itself.
        audio: The device, in words.
        kind: Of the link.
        config: The form of its blocks; None before there is one.
        status: The session's; None before there is one.
        ledger: (what, frames), the device's share at the end.
        latency: Their sum.
        meters: Peak and RMS, linear, of input, mix and stems.
        controls: Values by name.
        places: Where mix and stems come out.
        reached: Where the session is reached from outside, by what.
        xruns: Times that the device itself was not served in time, as far as it says.
        seconds: Since the first sound.
        notes: What the musician should know.
    """

    state: str
    audio: str
    kind: str
    config: HostConfig | None
    status: Status | None
    ledger: tuple[tuple[str, int], ...]
    latency: int
    meters: dict[str, tuple[float, float]]
    controls: dict[str, float]
    places: dict[str, str]
    reached: dict[str, str]
    xruns: int
    seconds: float
    notes: tuple[str, ...]

    @property
    def latency_ms(self) -> float:
        """The latency in milliseconds; 0 before there is a rate."""
        return 1e3 * self.latency / self.config.sample_rate if self.config else 0.0


class View(Protocol):
    """Shows what goes on; hands what is typed to the function that `open` gets.

    `interval` is the time between two reports, in seconds.
    """

    interval: float

    def open(self, on_command: Callable[[Message], None]) -> None:
        """Begins."""

    def show(self, report: Report) -> None:
        """Takes a fresh report."""

    def tell(self, event: str, report: Report, **fields: Any) -> None:
        """Takes news: "running", "lost", "swapped", "note", "error", "ended", "stopped"."""

    def close(self) -> None:
        """Ends; always called."""


def status_json(report: Report) -> dict[str, Any]:
    """What changes from moment to moment, as `serve --json` prints it."""
    status = report.status
    return {
        "state": report.state,
        "seconds": round(report.seconds, 3),
        "load": round(status.load, 4) if status else 0.0,
        "blocks": status.blocks if status else 0,
        "underruns": status.underruns if status else 0,
        "restarts": status.restarts if status else 0,
        "nonfinite_samples": status.nonfinite_samples if status else 0,
        "xruns": report.xruns,
        "latency": report.latency,
        "meters": {row: {"peak": p, "rms": rms} for row, (p, rms) in report.meters.items()},
    }


def report_json(report: Report) -> dict[str, Any]:
    """All of a report, as `serve --json` prints it at the beginning and at the end."""
    status, config = report.status, report.config
    return {
        **status_json(report),
        "audio": report.kind,
        "device": report.audio,
        "places": report.places,
        "reached": report.reached,
        "sample_rate": config.sample_rate if config else None,
        "block_size": config.block_size if config else None,
        "channels": config.channels if config else None,
        "latency_ms": report.latency_ms,
        "ledger": [{"what": what, "frames": frames} for what, frames in report.ledger],
        "model": status.model if status else None,
        "runtime": status.runtime if status else None,
        "controls": report.controls,
        "notes": list(report.notes),
    }
