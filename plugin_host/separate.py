"""A file session: a song in, its stems out, as fast as it can or paced at the audio clock.

Blocks go from the file through the engine to the output files; nothing holds the whole song. The
output has the input's length and rate, with the latency removed.

    AudioSource -> _Feed -> Separator.stream, or .process if live -> (ChainedStems)
                                                                 -> StemSink -> StagedFiles.commit
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import AudioError, ConfigError, HostConfig, Separator
from engine.blocks import BlockQueue
from engine.processors import Processors
from plugin_host.audio_files import Audio, AudioSource, Stems
from plugin_host.chained import ChainedStems, plugins_print_elsewhere
from plugin_host.staging import StagedFiles
from plugin_host.stem_files import StemFiles, StemSink
from plugin_host.stem_mp4 import StemMp4, arrange

FORMATS = ("wav", "flac", "stem.mp4")
OFFLINE_BLOCK_SIZE = 8192
LIVE_BLOCK_SIZE = 256

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What to separate, and how.

    Attributes:
        input: The audio file.
        folder: Where the stems go.
        model: A model's name or path.
        block_size: Frames that the engine gets at once, 1..8192; None: 8192, or 256 if live.
        stems: The stems to write; empty: all.
        file_format: One of `FORMATS`.
        live: Take the road of a live signal, block by block, instead of that of a file.
        realtime: Hand over each block when a sound card would; implies `live`.
        chains: Effects for the stems, and for the mix, which then is written as well.
    """

    input: Path
    folder: Path
    model: str = "default"
    block_size: int | None = None
    stems: tuple[str, ...] = ()
    file_format: str = "wav"
    live: bool = False
    realtime: bool = False
    chains: Processors | None = None

    def __post_init__(self) -> None:
        if self.file_format not in FORMATS:
            raise ConfigError(
                f"There is no format {self.file_format!r}: choose one of {', '.join(FORMATS)}."
            )

    @property
    def is_live(self) -> bool:
        """Whether the live road is taken."""
        return self.live or self.realtime

    @property
    def chosen_block_size(self) -> int:
        """Frames per block, with the default filled in."""
        if self.block_size is not None:
            return self.block_size
        return LIVE_BLOCK_SIZE if self.is_live else OFFLINE_BLOCK_SIZE


@dataclass(frozen=True)
class Report:
    """What was done.

    Attributes:
        input: The audio file.
        model: The model's name.
        runtime: What ran it.
        sample_rate: Hz, of input and outputs.
        channels: 1 or 2, of the input.
        frames: Length of input and outputs.
        block_size: Frames that the engine got at once.
        latency: Frames that a live stream of such blocks is late.
        ledger: What that latency consists of: (what, frames).
        compute_seconds: Time spent in the engine.
        underruns: Blocks that would have come too late; None unless paced in real time.
        outputs: The files written, by the name of the stem ("stem.mp4" for the one file).
        clipped: Samples above full scale that the format could not hold, by stem; only if any.
        is_cut_short: The input held clearly less than its header announces.
        notes: What else a musician should know, in sentences.
    """

    input: Path
    model: str
    runtime: str
    sample_rate: int
    channels: int
    frames: int
    block_size: int
    latency: int
    ledger: tuple[tuple[str, int], ...]
    compute_seconds: float
    underruns: int | None
    outputs: dict[str, Path]
    clipped: dict[str, int]
    is_cut_short: bool
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length of the audio in seconds."""
        return self.frames / self.sample_rate

    @property
    def latency_ms(self) -> float:
        """Latency in milliseconds."""
        return 1e3 * self.latency / self.sample_rate

    @property
    def rtf(self) -> float:
        """Real-time factor: compute time / audio time."""
        return self.compute_seconds / self.seconds


def separate_file(
    job: Job, on_start: Progress | None = None, on_frames: Progress | None = None
) -> Report:
    """Separates one file.

    Args:
        job: What to do.
        on_start: Called once with the number of frames that the input announces.
        on_frames: Called with the number of frames done since the last call.

    Returns:
        What was done. All files are complete and have their final names.

    Raises:
        AudioError: If the input cannot be separated.
        ModelError: If the model cannot be used.
        ConfigError: If the job asks for what there is not, or an effect cannot be loaded.
        OutputError: If the output cannot be written. In each case nothing is left behind.
    """
    with AudioSource(job.input) as source, _plugins_kept_from_stdout(job):
        config = HostConfig(source.sample_rate, job.chosen_block_size, source.channels)
        separator = Separator.load(job.model)
        chained = _load_chains(job, separator.stems, config)
        names = separator.stems if chained is None else chained.names
        picked = _pick(names, job.stems)
        separator.prepare(config)
        if on_start:
            on_start(source.announced_frames)
        with StagedFiles(job.folder) as staged:
            sink = _open_sink(job, staged, source, names, picked)
            try:
                feed = _Feed(source, config, is_live=job.is_live, is_paced=job.realtime)
                compute_seconds = _run(separator, feed, chained, sink, on_frames)
                sink.finish()
            finally:
                sink.abandon()
            staged.commit()
        ledger = separator.ledger
        if chained is not None:
            ledger = ledger.plus("plugin chain", chained.latency)
        return Report(
            input=job.input,
            model=separator.manifest.name,
            runtime=separator.runtime,
            sample_rate=source.sample_rate,
            channels=source.channels,
            frames=source.frames,
            block_size=config.block_size,
            latency=ledger.total,
            ledger=tuple(ledger),
            compute_seconds=compute_seconds,
            underruns=feed.underruns if job.realtime else None,
            outputs=sink.outputs,
            clipped={name: count for name, count in sink.clipped.items() if count},
            is_cut_short=source.is_cut_short,
            notes=() if chained is None else tuple(chained.notes),
        )


def _plugins_kept_from_stdout(job: Job) -> AbstractContextManager[None]:
    return nullcontext() if job.chains is None else plugins_print_elsewhere()


def _load_chains(job: Job, stems: tuple[str, ...], config: HostConfig) -> ChainedStems | None:
    if job.chains is None:
        return None
    # The first part of a stem.mp4 is the mix in any case.
    return ChainedStems(job.chains, stems, config, gives_mix=job.file_format != "stem.mp4")


def _open_sink(
    job: Job,
    staged: StagedFiles,
    source: AudioSource,
    stems: tuple[str, ...],
    picked: tuple[str, ...],
) -> StemSink:
    title = job.input.stem
    if job.file_format == "stem.mp4":
        return StemMp4(staged, title, arrange(stems, picked), sample_rate=source.sample_rate)
    return StemFiles(
        staged,
        title,
        stems,
        picked,
        file_format=job.file_format,
        sample_rate=source.sample_rate,
        channels=source.channels,
        announced_frames=source.announced_frames,
    )


def _pick(stems: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    for stem in wanted:
        if stem not in stems:
            raise ConfigError(
                f"The model has no stem {stem!r}: pick from {', '.join(stems)} with --stems."
            )
    return tuple(dict.fromkeys(wanted)) or stems


def _run(
    separator: Separator,
    feed: _Feed,
    chained: ChainedStems | None,
    sink: StemSink,
    on_frames: Progress | None,
) -> float:
    """Runs the song through to its end; returns the seconds spent in the engine and in chains."""
    stream = _live(separator, feed) if feed.is_live else _offline(separator, feed)
    if chained is not None:
        stream = chained.over(stream)
    compute_seconds = 0.0
    while True:
        start, away = time.perf_counter(), feed.seconds
        stems = next(stream, None)
        compute_seconds += time.perf_counter() - start - (feed.seconds - away)
        if stems is None:
            return compute_seconds
        frames = stems.shape[2]
        if frames:
            mixture = feed.take(frames)
            if chained is not None:
                mixture, stems = chained.split(stems)
            sink.write(mixture, stems)
            if on_frames:
                on_frames(frames)


def _offline(separator: Separator, feed: _Feed) -> Iterator[Stems]:
    """The engine's road for files: no deadline, so the finest resampling and whole steps."""
    config = feed.config
    return separator.stream(feed, config.sample_rate, config.channels, block_size=config.block_size)


def _live(separator: Separator, feed: _Feed) -> Iterator[Stems]:
    """The road that a live signal takes, with the latency cut off; the separator is prepared.

    in      |--- song ---|-- silence --|
    out     | lat. |--- stems ---|
    """
    config = feed.config
    block = np.zeros((config.channels, config.block_size), np.float32)
    out = np.empty((len(separator.stems), *block.shape), np.float32)
    to_drop, to_come = separator.latency, 0
    silence = (block[:, :0] for _ in itertools.repeat(None))
    for audio in itertools.chain(feed, silence):
        frames = audio.shape[1]
        block[:, :frames] = audio
        block[:, frames:] = 0.0
        to_come += frames
        separator.process(block, out)
        stems = out[:, :, to_drop : to_drop + to_come]
        to_drop = max(0, to_drop - config.block_size)
        to_come -= stems.shape[2]
        yield stems
        if feed.is_over and not to_come:
            break
    if separator.nonfinite_samples:
        raise AudioError(
            f"The song holds {separator.nonfinite_samples} samples so far above full scale that "
            "they cannot be sound: repair it or set them to 0."
        )


class _Feed:
    """Hands the source's blocks to the engine, and keeps the mixture until its stems come out.

    Paced in real time, block k is handed over when a sound card would have it complete, and its
    stems are due one block later:

        clock     0        1        2        3         (in blocks)
        input     |--- 0 --|--- 1 --|--- 2 --|
        compute            |- 0 -|  |- 1 -|            0 is due at 2, when 1 is to be taken

    So an underrun is a block that the engine asks for more than one block too late.

    Attributes:
        config: The stream's form.
        is_live: Whether the engine is to take the live road.
        is_over: Whether the last block was handed over.
        seconds: Time spent here, waiting and reading, which is not the engine's.
        underruns: Blocks that came too late.
    """

    def __init__(
        self, source: AudioSource, config: HostConfig, *, is_live: bool, is_paced: bool
    ) -> None:
        self.config = config
        self.is_live = is_live
        self.is_over = False
        self.seconds = 0.0
        self.underruns = 0
        self._source = source
        self._is_paced = is_paced
        self._kept = BlockQueue()

    def __iter__(self) -> Iterator[Audio]:
        deadline = self.config.block_size / self.config.sample_rate
        start = entered = time.perf_counter()
        for index, block in enumerate(self._source.blocks(self.config.block_size)):
            if self._is_paced:
                early = start + (index + 1) * deadline - time.perf_counter()
                if early > 0:
                    time.sleep(early)
                self.underruns += early < -deadline
            self._kept.push(block)
            self.seconds += time.perf_counter() - entered
            yield block
            entered = time.perf_counter()
        self.is_over = True
        self.seconds += time.perf_counter() - entered

    def take(self, frames: int) -> Audio:
        """The mixture's next frames, of those that were handed over."""
        return self._kept.take(frames)
