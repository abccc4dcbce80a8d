"""The same model over a file: as fast as it goes, aligned, as long as the input.

    blocks -> (soxr) -> queue -> model steps -> drop the latency -> (soxr) -> cut to length

No delay is heard in a file, so soxr's best filters may take theirs, and large steps are used.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from engine.channels import ChannelMap
from engine.fifo import Fifo, Samples
from engine.manifest import Manifest
from engine.runtime.protocol import Runtime

Convert = Callable[[Samples, bool], Samples]
"""Takes frames, and whether they are the last; gives frames at another rate."""


class ModelStream:
    """Steps a model through a stream of any block sizes, and takes its latency back out.

    Args:
        manifest: of the model.
        runtime: that runs it; prepared here.
        channels: of the audio.
        step_size: frames per step, a multiple of the model's hop.
    """

    def __init__(self, manifest: Manifest, runtime: Runtime, channels: int, step_size: int) -> None:
        self._map = ChannelMap(manifest, channels)
        self._runtime = runtime
        runtime.prepare((step_size,), self._map.batch)
        self._step_size = step_size
        self._latency = manifest.latency
        self._to_drop = manifest.latency
        self._queue = Fifo((channels,), step_size)
        self._shape = (len(manifest.stems), channels, step_size)

    def push(self, audio: Samples) -> Iterator[Samples]:
        """Takes `(channels, frames)`; yields stems `(stems, channels, frames)` as they are done."""
        position = 0
        while position < audio.shape[-1]:
            part = audio[:, position : position + self._step_size - self._queue.ready]
            self._queue.push(part)
            position += part.shape[-1]
            if self._queue.ready == self._step_size:
                yield self._step()

    def flush(self, frames: int) -> Iterator[Samples]:
        """Plays silence until everything, and at least `frames` beyond it, has come out."""
        missing = self._queue.ready + self._latency + frames
        silence = -(-missing // self._step_size) * self._step_size - self._queue.ready
        channels = self._shape[1]
        yield from self.push(np.zeros((channels, silence), np.float32))

    def _step(self) -> Samples:
        audio, separated = self._runtime.buffers(self._step_size)
        self._map.fill(audio, self._queue)
        self._runtime.step(self._step_size)
        out: Samples = np.empty(self._shape, np.float32)
        self._map.collect(separated, out)
        drop = min(self._to_drop, self._step_size)
        self._to_drop -= drop
        return out[..., drop:]


def separate_blocks(
    blocks: Iterable[Samples],
    sample_rate: int,
    channels: int,
    manifest: Manifest,
    runtime: Runtime,
    step_size: int,
) -> Iterator[Samples]:
    """Yields the stems of a stream: as many frames as came in, aligned with them.

    Args:
        blocks: checked audio, `(channels, frames)` each, of any lengths.
        sample_rate: of the audio, Hz.
        channels: of the audio.
        manifest: of the model.
        runtime: that runs it.
        step_size: frames per model step, a multiple of the model's hop.

    Yields:
        stems `(stems, channels, frames)`, of any lengths.
    """
    source = _Counted(blocks)
    given = 0
    for separated in _convert_and_separate(
        source, sample_rate, channels, manifest, runtime, step_size
    ):
        part = separated[..., : source.frames - given]
        given += part.shape[-1]
        if part.shape[-1]:
            yield part


class _Counted:
    """Blocks, and how many frames they brought so far."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = blocks
        self.frames = 0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.frames += block.shape[-1]
            yield block


def _convert_and_separate(
    blocks: Iterable[Samples],
    sample_rate: int,
    channels: int,
    manifest: Manifest,
    runtime: Runtime,
    step_size: int,
) -> Iterator[Samples]:
    """Yields aligned stems, and at the end a few frames more than came in."""
    stems = len(manifest.stems)
    down = _converter(sample_rate, manifest.sample_rate, (channels,))
    up = _converter(manifest.sample_rate, sample_rate, (stems, channels))
    stream = ModelStream(manifest, runtime, channels, step_size)
    for block in blocks:
        for separated in stream.push(down(block, False)):
            yield up(separated, False)
    for separated in stream.push(down(np.zeros((channels, 0), np.float32), True)):
        yield up(separated, False)
    # Both conversions round; what is more than needed is cut, what is less would be missed.
    spare = 2 + 2 * manifest.sample_rate // sample_rate
    for separated in stream.flush(spare):
        yield up(separated, False)
    yield up(np.zeros((stems, channels, 0), np.float32), True)


def _converter(in_rate: int, out_rate: int, shape: tuple[int, ...]) -> Convert:
    """Returns a streaming conversion of `(*shape, frames)`, aligned to the nearest frame."""
    if in_rate == out_rate:
        return lambda audio, _last: audio
    import soxr

    rows = int(np.prod(shape))
    stream: Any = soxr.ResampleStream(in_rate, out_rate, rows, "float32", "VHQ")

    def convert(audio: Samples, last: bool) -> Samples:
        columns = np.ascontiguousarray(audio.reshape(rows, -1).T)  # soxr: (frames, channels)
        converted: Samples = stream.resample_chunk(columns, last)
        return converted.T.reshape(*shape, -1)

    return convert
