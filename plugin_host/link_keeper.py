"""Keeps an audio link alive, and knows what it has said about the device.

A link that dies after the first sound is started again, at once and then in growing pauses, with
the connections that it had. Before the first sound, what is wrong is told and that is the end:
where several kinds of link would do, once none of them has found its device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engine import HostConfig
from plugin_host.errors import AudioDeviceError
from plugin_host.link_process import LinkProcess, Message

Post = Callable[[LinkProcess, Message], None]

_PAUSES = (0.0, 0.5, 1.0, 2.0)  # seconds before the 1st, 2nd ... start in a row
_FIRST_STARTS = 3  # deaths without a word before the first sound, after which we give up


class LinkKeeper:
    """One link, or the one that came after it.

    Attributes:
        kind: Of the link: "jack", "portaudio" or "file".
        form: Of the device's blocks; None before there is a device.
        name: The device, in words.
        latency: Frames that the device adds, in and out.
        places: Where mix and stems come out.
        xruns: Times that the device was not served in time, as far as it says.
        has_played: Whether there has been sound.
        trouble: Why there is none now; empty while there is.
    """

    def __init__(self, links: Sequence[tuple[str, Message]], post: Post) -> None:
        """Starts nothing yet.

        Args:
            links: (kind, options) of those to try, in order.
            post: Takes what the link says, from another thread.
        """
        self._candidates = list(links)
        self._post = post
        self._link: LinkProcess | None = None
        self._starts_at: float | None = 0.0
        self._failures = 0
        self._connections: list[list[str]] = []
        self._complaint = ""
        self._has_opened = False
        self._reasons: list[str] = []  # why earlier kinds of link would not do
        self.form: HostConfig | None = None
        self.name = ""
        self.latency = 0
        self.places: dict[str, str] = {}
        self.xruns = 0
        self.has_played = False
        self.trouble = ""

    @property
    def kind(self) -> str:
        """Of the link that is there, or is tried next."""
        return self._candidates[0][0]

    def owns(self, link: LinkProcess) -> bool:
        """Whether that is the link that is there now."""
        return link is self._link

    def seconds_to_start(self) -> float | None:
        """How long until a link is to be started; None while one is there."""
        return None if self._starts_at is None else max(0.0, self._starts_at - time.monotonic())

    def start(self) -> None:
        """Starts a link."""
        kind, options = self._candidates[0]
        if self._connections:
            options = {**options, "connections": self._connections}
        self._starts_at = None
        self._complaint = ""
        self._link = LinkProcess(kind, options, self._post)

    def attach(self, segment: str) -> None:
        """Has the link play through an engine."""
        if self._link is not None:
            self._link.attach(segment)

    def close(self, seconds: float) -> None:
        """Ends the link; harmless when there is none."""
        if self._link is not None:
            self._link.close(seconds)

    # ---- what the link says -------------------------------------------------------------------

    def on_open(self, message: Message) -> None:
        """There is a device.

        Raises:
            ConfigError: If its form is none that the engine takes.
        """
        self._has_opened = True
        self.name = message["name"]
        self.form = HostConfig(message["sample_rate"], message["block_size"], message["channels"])

    def on_running(self, message: Message) -> None:
        """There is sound."""
        self.name, self.places = message["name"], message["places"]
        self.latency = sum(message["latency"])
        self.has_played = True
        self.trouble = ""
        self._failures = 0

    def on_word(self, message: Message) -> None:
        """Takes what a link says beside: how many xruns, what is connected, how late the device."""
        if message["event"] == "status":
            self.xruns = message["xruns"]
        elif message["event"] == "connections":
            self._connections = message["connections"]
        elif message["event"] == "device":
            self.latency = sum(message["latency"])
        elif message["event"] == "error":  # its exit follows
            self._complaint = message["message"]

    def on_lost(self, message: Message) -> None:
        """The device is gone and the link waits for it."""
        self.form = None
        self.trouble = message["message"]

    def on_exit(self, message: Message) -> None:
        """The link's process is gone.

        Raises:
            AudioDeviceError: If that is the end.
        """
        assert self._link is not None
        self._link.close()
        self._link, self.form = None, None
        why = self._complaint or f"The audio link has ended ({message['message']})."
        is_hopeless = bool(self._complaint) and (not self.has_played or self.kind == "file")
        if is_hopeless and not self._has_opened and len(self._candidates) > 1:
            self._reasons.append(_cause(why))
            self._candidates.pop(0)
        elif is_hopeless and self._reasons:
            reasons = ", and ".join([*self._reasons, _cause(why)])
            raise AudioDeviceError(
                f"No sound is to be had: {reasons}; start or connect one, or give "
                "--audio file:SONG (`stemwire devices` lists what there is)."
            )
        elif is_hopeless or (not self.has_played and self._failures + 1 >= _FIRST_STARTS):
            raise AudioDeviceError(why)
        else:
            self._failures += 1
        self.trouble = why
        pause = _PAUSES[min(max(self._failures - 1, 0), len(_PAUSES) - 1)]
        self._starts_at = time.monotonic() + pause


def _cause(sentence: str) -> str:
    """The part of one of our sentences that says what is wrong, without the way out."""
    cause = sentence.partition(":")[0].rstrip(".")
    return cause[0].lower() + cause[1:] if cause.startswith(("No ", "There ", "The ")) else cause
