"""The same model over a file: as fast as it goes, aligned, as long as the input.

    blocks -> (soxr) -> queue -> model steps -> drop the latency -> (soxr) -> cut to length

No delay is heard in a file, so soxr's best filters may take theirs, and large steps are used. Where
soxr is used, the mixture travels beside the stems and what is lost goes to the last of them, as in
`engine.remainder`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from engine.blocks import BlockQueue
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
        with_mixture: also give the mixture, as one more row after the stems.
    """

    def __init__(
        self,
        manifest: Manifest,
        runtime: Runtime,
        channels: int,
        step_size: int,
        *,
        with_mixture: bool,
    ) -> None:
        self._map = ChannelMap(manifest, channels)
        self._runtime = runtime
        runtime.prepare((step_size,), self._map.batch)
        self._step_size = step_size
        self._latency = manifest.latency
        self._to_drop = manifest.latency
        self._queue = Fifo((channels,), step_size)
        self._stems = len(manifest.stems)
        self._shape = (self._stems + with_mixture, channels, step_size)
        self._mixture: Fifo | None = None
        if with_mixture:
            self._mixture = Fifo((channels,), manifest.latency + step_size)
            self._mixture.reset(manifest.latency)

    def push(self, audio: Samples) -> Iterator[Samples]:
        """Takes `(channels, frames)`; yields rows `(rows, channels, frames)` as they are done."""
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
        self._map.collect(separated, out[: self._stems])
        if self._mixture is not None:
            self._mixture.push(self._map.heard(audio))
            self._mixture.pull(out[-1])
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
    is_converted = sample_rate != manifest.sample_rate
    source = _Counted(blocks, keep=is_converted)
    for rows in _convert_and_separate(source, sample_rate, channels, manifest, runtime, step_size):
        part = rows[..., : source.frames]
        source.frames -= part.shape[-1]
        if part.shape[-1] and is_converted:
            remainder = source.kept.take(part.shape[-1]) - part[-1]
            part = part[:-1]
            part[-1] += remainder
        if part.shape[-1]:
            yield part


class _Counted:
    """Blocks, how many of their frames have no stems yet, and on demand those frames."""

    def __init__(self, blocks: Iterable[Samples], *, keep: bool) -> None:
        self._blocks = blocks
        self._keep = keep
        self.kept = BlockQueue()
        self.frames = 0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.frames += block.shape[-1]
            if self._keep:
                self.kept.push(block.copy())  # its memory may be used for the next one
            yield block


def _convert_and_separate(
    blocks: Iterable[Samples],
    sample_rate: int,
    channels: int,
    manifest: Manifest,
    runtime: Runtime,
    step_size: int,
) -> Iterator[Samples]:
    """Yields aligned stems, and at the end a few frames more than came in.

    Where the rates differ, the mixture is one more row after the stems.
    """
    is_converted = sample_rate != manifest.sample_rate
    rows = len(manifest.stems) + is_converted
    down = _converter(sample_rate, manifest.sample_rate, (channels,))
    up = _converter(manifest.sample_rate, sample_rate, (rows, channels))
    stream = ModelStream(manifest, runtime, channels, step_size, with_mixture=is_converted)
    for block in blocks:
        for separated in stream.push(down(block, False)):
            yield up(separated, False)
    for separated in stream.push(down(np.zeros((channels, 0), np.float32), True)):
        yield up(separated, False)
    # Both conversions round; what is more than needed is cut, what is less would be missed.
    spare = 2 + 2 * manifest.sample_rate // sample_rate
    for separated in stream.flush(spare):
        yield up(separated, False)
    yield up(np.zeros((rows, channels, 0), np.float32), True)


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
