"""A link without a device: a song comes in at the pace of the clock, as from a sound card.

What comes out can be recorded. The recording begins at the song's first frame: the latency is cut
off, so that files lie beside the song, and beside what `stemwire separate` makes of it. A link that
is started again begins at the first frame again.

    clock      0       L                    N       N + L
    played     |--- song, N frames --------|--- silence
    heard              |--- recorded, N frames -----|
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from engine import AudioError, HostConfig
from engine.blocks import BlockQueue
from engine.realtime import enter_realtime
from plugin_host.audio_files import Audio, AudioSource, Stems
from plugin_host.links.line import Line
from plugin_host.links.pace import Pace
from plugin_host.links.player import Player
from plugin_host.staging import StagedFiles
from plugin_host.stem_files import StemFiles

_PRIORITY = 75  # above the engine's: a device does not wait either
_TICK = 0.5  # seconds between reports
_ENDLESS = 2**40  # frames


@dataclass(frozen=True)
class FileOptions:
    """What to play.

    Attributes:
        song: The audio file.
        block_size: Frames.
        is_looped: Begin anew at the song's end.
        record: Folder for what is heard.
    """

    song: Path
    block_size: int = 256
    is_looped: bool = False
    record: Path | None = None


def run_file_link(line: Line, options: FileOptions) -> None:
    """Plays until the song or the line ends; what was recorded by then is kept.

    Args:
        line: To the parent.
        options: See there.

    Raises:
        AudioError: If the song cannot be read, wholly or at all.
        OutputError: If the recording cannot be written.
    """
    with AudioSource(options.song) as source:
        config = HostConfig(source.sample_rate, options.block_size, source.channels)
        seconds = source.announced_frames / source.sample_rate
    line.say(
        "open",
        name=f"{options.song.name}, {seconds:.0f} s{', looped' if options.is_looped else ''}",
        sample_rate=config.sample_rate,
        block_size=config.block_size,
        channels=config.channels,
    )
    segment = line.wait_for_segment()
    if segment is None:
        return
    player = Player(segment)
    try:
        with ExitStack() as stack:
            recording = None
            if options.record is not None:
                recording = stack.enter_context(_Recording(options, config, player))
            _play(line, options, player, recording)
    finally:
        player.close(is_orphan=line.has_lost_parent)


def _play(line: Line, options: FileOptions, player: Player, recording: _Recording | None) -> None:
    config, latency = player.exchange.config, player.exchange.latency
    out = np.zeros((len(player.buses), config.channels, config.block_size), np.float32)
    rows = list(out.reshape(-1, config.block_size))
    for note in enter_realtime(_PRIORITY):
        line.say("note", message=note)
    line.say(
        "running",
        name=options.song.name,
        latency=(0, 0),
        places={} if recording is None else recording.places,
    )
    feed = _Feed(options, config.block_size)
    pace = Pace(config.deadline)
    tells_at = 0
    for number, block in enumerate(feed):
        pace.wait()
        player.process(list(block), rows)
        if player.fault is not None:
            raise AudioError(f"The audio callback failed ({player.fault}).")
        begin = number * config.block_size - latency  # the frame of the song that is heard first
        if recording is not None:
            recording.write(out[..., max(0, -begin) : max(0, feed.frames - begin)])
        is_heard = feed.is_over and begin + config.block_size >= feed.frames
        if is_heard or line.is_over():
            break
        if number >= tells_at:
            tells_at = number + round(_TICK / config.deadline)
            line.say("status", xruns=pace.jumps)
    line.say("ended", outputs={} if recording is None else recording.finish())


class _Feed:
    """The song in whole blocks, then silence without end.

    Attributes:
        frames: Of the song, as far as it was handed over; where it is looped, of all rounds.
        is_over: Whether nothing but silence is left.
    """

    def __init__(self, options: FileOptions, block_size: int) -> None:
        self.frames = 0
        self.is_over = False
        self._options = options
        self._block_size = block_size

    def __iter__(self) -> Iterator[Audio]:
        queue, queued = BlockQueue(), 0
        while not self.is_over:
            with AudioSource(self._options.song) as source:
                for audio in source.blocks(self._block_size):
                    queue.push(audio)
                    queued += audio.shape[1]
                    while queued >= self._block_size:
                        queued -= self._block_size
                        self.frames += self._block_size
                        yield queue.take(self._block_size)
            self.is_over = not self._options.is_looped
        rest = queue.take(queued) if queued else None
        silence = np.zeros((source.channels, self._block_size), np.float32)
        if rest is not None:
            self.frames += queued
            yield np.concatenate([rest, silence[:, queued:]], axis=1)
        while True:
            yield silence


class _Recording:
    """Mix and stems as they were heard, one float wav each; a context manager.

    Attributes:
        places: Names of the files, by bus.
    """

    def __init__(self, options: FileOptions, config: HostConfig, player: Player) -> None:
        assert options.record is not None
        with AudioSource(options.song) as source:
            frames = _ENDLESS if options.is_looped else source.announced_frames
        self._staged = StagedFiles(options.record)
        self._frames = 0
        self._files = StemFiles(
            self._staged,
            options.song.stem,
            player.buses,
            player.buses,
            file_format="wav",
            sample_rate=config.sample_rate,
            channels=config.channels,
            announced_frames=frames,
        )
        self.places = {bus: path.name for bus, path in self._files.outputs.items()}

    def write(self, buses: Stems) -> None:
        """Appends a block, `(buses, channels, frames)`."""
        if buses.shape[-1]:
            self._frames += buses.shape[-1]
            self._files.write(buses[0], buses)

    def finish(self) -> dict[str, str]:
        """Completes the files, unless nothing was heard; gives their paths, by bus."""
        if not self._frames:
            return {}
        self._files.finish()
        self._staged.commit()
        return {bus: str(path) for bus, path in self._files.outputs.items()}

    def __enter__(self) -> _Recording:
        self._staged.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._files.abandon()
        self._staged.__exit__(kind, error, traceback)
