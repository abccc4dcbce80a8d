"""The link to a sound card or virtual cable, through PortAudio.

    input channels 1, 2 -->  stemwire  --> output channels 1/2 mix, 3/4 drums, 5/6 bass ...

as far as the output has channels. A mono stream sounds on both channels of each pair.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.realtime import enter_realtime
from plugin_host.devices import (
    SoundDevice,
    import_sounddevice,
    list_sound_devices,
    pick_device,
)
from plugin_host.errors import AudioDeviceError
from plugin_host.links.line import Line
from plugin_host.links.player import Channel, Player

_TICK = 0.5  # seconds between looks at the device
_LONGEST_LATENCY = 10.0  # seconds that a device may have
_SILENT_TICKS = 6  # without a single block: the device is gone, whatever PortAudio says


@dataclass(frozen=True)
class PortAudioOptions:
    """Which devices, and in which form.

    Attributes:
        input: Number of the device, or part of its name; empty for the default.
        output: Likewise.
        sample_rate: Hz; None for the output's default.
        block_size: Frames.
        channels: 1 or 2; None for 2, or 1 where a device has no more.
    """

    input: str = ""
    output: str = ""
    sample_rate: int | None = None
    block_size: int = 256
    channels: int | None = None


def run_portaudio_link(line: Line, options: PortAudioOptions) -> None:
    """Plays until the line ends.

    Args:
        line: To the parent.
        options: See there.

    Raises:
        AudioDeviceError: If there is no such device, it does not take that form, or it goes away.
    """
    _PortAudioLink(line, options).run()


def places(buses: Sequence[str], outputs: int) -> dict[str, str]:
    """Says which bus lands on which output channels.

    Args:
        buses: "mix", then the stems' names.
        outputs: Channels of the output device.

    Returns:
        For each bus that finds room its channels, counted from 1, such as "3/4".
    """
    if outputs == 1:
        return {buses[0]: "1"}
    pairs = range(1, outputs, 2)
    return {bus: f"{first}/{first + 1}" for bus, first in zip(buses, pairs, strict=False)}


class _PortAudioLink:
    def __init__(self, line: Line, options: PortAudioOptions) -> None:
        self._line = line
        self._sounddevice: Any = import_sounddevice()
        devices = list_sound_devices(self._sounddevice)
        self._input = pick_device(devices, options.input, is_input=True)
        self._output = pick_device(devices, options.output, is_input=False)
        self._channels = _channels(options.channels, self._input, self._output)
        rate = options.sample_rate
        self._sample_rate = self._output.sample_rate if rate is None else rate
        self._block_size = options.block_size
        self._blocks = 0
        self._xruns = 0
        self._player: Player | None = None

    def run(self) -> None:
        try:
            self._check()
            self._line.say(
                "open",
                name=_name(self._input, self._output),
                sample_rate=self._sample_rate,
                block_size=self._block_size,
                channels=self._channels,
            )
            segment = self._line.wait_for_segment()
            if segment is not None:
                self._play(Player(segment))
        except self._sounddevice.PortAudioError as error:
            raise AudioDeviceError(
                f"{_name(self._input, self._output)} does not play at {self._sample_rate} Hz in "
                f"blocks of {self._block_size} frames ({error})."
            ) from error
        finally:
            if self._player is not None:
                self._player.close(is_orphan=self._line.has_lost_parent)

    def _check(self) -> None:
        """Refuses a form that the devices do not take, before an engine is started for it."""
        form = {"samplerate": self._sample_rate, "dtype": "float32"}
        self._sounddevice.check_input_settings(
            device=self._input.index, channels=self._channels, **form
        )
        self._sounddevice.check_output_settings(
            device=self._output.index, channels=min(2, self._output.outputs), **form
        )

    def _play(self, player: Player) -> None:
        self._player = player
        for note in enter_realtime(None):
            self._line.say("note", message=note)
        outputs = min(self._output.outputs, 2 * len(player.buses))
        self._lay_out(player, outputs)
        with self._sounddevice.Stream(
            samplerate=self._sample_rate,
            blocksize=self._block_size,
            device=(self._input.index, self._output.index),
            channels=(self._channels, outputs),
            dtype="float32",
            latency="low",
            callback=self._callback,
        ) as stream:
            self._line.say(
                "running",
                name=_name(self._input, self._output),
                latency=[self._frames(seconds) for seconds in stream.latency],
                places=places(player.buses, outputs),
            )
            self._watch(player, stream)

    def _frames(self, seconds: float) -> int:
        """A latency that PortAudio tells, which for some devices has been below 0 on its way."""
        if 0 <= seconds < _LONGEST_LATENCY:
            return round(seconds * self._sample_rate)
        self._line.say(
            "note",
            message="PortAudio does not know the latency of "
            f"{_name(self._input, self._output)}, so the sum lacks it.",
        )
        return 0

    def _lay_out(self, player: Player, outputs: int) -> None:
        """Makes room for all buses, and notes which rows of it go to which output channels."""
        rows = len(player.buses) * self._channels
        self._rows: list[Channel] = list(np.zeros((rows, self._block_size), np.float32))
        if outputs > 1:
            outputs -= outputs % 2
        copies = 2 // self._channels  # of each row: a mono bus sounds on both channels
        self._sources = [channel // copies for channel in range(min(outputs, copies * rows))]

    def _callback(
        self,
        indata: npt.NDArray[np.float32],
        outdata: npt.NDArray[np.float32],
        frames: int,
        _: object,
        status: Any,
    ) -> None:
        """In PortAudio's thread; both arrays are `(frames, channels)`."""
        assert self._player is not None
        self._blocks += 1
        if status:
            self._xruns += 1
        inputs: list[Channel] = list(indata.T)
        if frames != self._block_size:  # PortAudio keeps to the size that it was given
            outdata.fill(0.0)
            return
        self._player.process(inputs, self._rows)
        for channel, source in enumerate(self._sources):
            outdata[:, channel] = self._rows[source]
        outdata[:, len(self._sources) :] = 0.0

    def _watch(self, player: Player, stream: Any) -> None:
        """Until the line ends or the device does."""
        silent_ticks, blocks = 0, 0
        until = time.monotonic() + _TICK
        while True:
            message = self._line.next(max(0.0, until - time.monotonic()))
            if message is None:
                return
            if message.get("do") == "attach":
                player.attach(str(message["segment"]))
            if time.monotonic() < until:
                continue
            until += _TICK
            silent_ticks = silent_ticks + 1 if blocks == self._blocks else 0
            blocks = self._blocks
            if player.fault is not None:
                raise AudioDeviceError(f"The audio callback failed ({player.fault}).")
            if not stream.active or silent_ticks >= _SILENT_TICKS:
                raise AudioDeviceError(f"{_name(self._input, self._output)} has stopped.")
            self._line.say("status", xruns=self._xruns)


def _channels(wanted: int | None, source: SoundDevice, sink: SoundDevice) -> int:
    most = min(2, source.inputs, sink.outputs)
    if wanted is not None and wanted > most:
        raise AudioDeviceError(
            f"{_name(source, sink)} has {most} channel for {wanted}: give --channels {most}."
        )
    return most if wanted is None else wanted


def _name(source: SoundDevice, sink: SoundDevice) -> str:
    if source.index == sink.index:
        return source.name
    return f"{source.name} to {sink.name}"
