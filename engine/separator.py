"""The public face: load a model, then separate live blocks or whole songs with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.artifact import Artifact, read_artifact
from engine.catalog import find_model
from engine.chain import Chain, ChainState
from engine.config import MAX_BLOCK_SIZE, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, HostConfig
from engine.errors import AudioError, ConfigError, ModelError
from engine.fifo import Samples
from engine.latency import LatencyLedger
from engine.manifest import Manifest
from engine.offline import separate_blocks
from engine.runtime.choice import Choice, choose
from engine.runtime.protocol import Runtime

MAX_LEVEL = 1e6
"""Samples beyond this (+120 dBFS) are no audio; inside a model they could overflow."""


@dataclass(frozen=True)
class StreamState:
    """A live stream at one point in time; what `Separator.snapshot` gives."""

    graph_sha256: str
    config: HostConfig
    chain: ChainState


class Separator:
    """Separates music into stems, live or offline. Made by `Separator.load`.

    A separator belongs to one thread at a time.
    """

    def __init__(self, artifact: Artifact, choice: Choice) -> None:
        self._artifact = artifact
        self._choice = choice
        self._chain: Chain | None = None
        self._offline_runtimes: list[Runtime] = []
        self.nonfinite_samples = 0
        """Input samples since the last prepare or reset that were NaN, infinite or beyond
        `MAX_LEVEL`, and were replaced by 0."""

    @classmethod
    def load(
        cls, model: str | Path = "default", *, runtime: str = "auto", threads: int = 1
    ) -> "Separator":
        """Reads, checks and loads a model.

        Args:
            model: a name (see `engine.list_models`) or the path of a model file.
            runtime: "auto" for the first that works, or "cpu".
            threads: that one step may use, 1 to 64. One is best for small blocks.

        Raises:
            ModelError: if there is no such model, or the file is no good.
            ConfigError: if there is no such runtime or number of threads.
        """
        artifact = read_separator(model)
        return cls(artifact, choose(runtime, artifact, threads))

    def sibling(self) -> "Separator":
        """Returns another separator of the same model, for another stream and another thread.

        The two share the weights and no state; it has to be prepared.
        """
        runtime = self._choice.runtime.sibling()
        return Separator(self._artifact, replace(self._choice, runtime=runtime))

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self._artifact.manifest

    @property
    def stems(self) -> tuple[str, ...]:
        """The names of the stems, in the order of the output."""
        return self.manifest.stems

    @property
    def runtime(self) -> str:
        """The name of the runtime in use, for example "onnxruntime-cpu"."""
        return self._choice.name

    @property
    def runtime_reason(self) -> str:
        """One sentence: which runtime, and why it."""
        return self._choice.reason

    # ---- live ---------------------------------------------------------------------------------

    def prepare(self, config: HostConfig, *, quantum: int | None = None) -> None:
        """Allocates, warms up and starts a stream. May take a second; never call it in a callback.

        Args:
            config: the host's sample rate, block size and channels.
            quantum: for hosts whose blocks vary: they may be any multiple of it, up to the block
                size. None: every block has the block size.

        Raises:
            ConfigError: if the quantum does not divide the block size.
            ModelError: if the runtime cannot run the model at this size.
        """
        quantum = config.block_size if quantum is None else quantum
        if not isinstance(quantum, int) or quantum < 1 or config.block_size % quantum:
            raise ConfigError(
                f"The quantum is {quantum!r} and the block size {config.block_size}; give a "
                "divisor of the block size."
            )
        self._chain = None
        self._chain = Chain(self.manifest, self._choice.runtime, config, quantum)
        self._quantum = quantum
        shape = (config.channels, config.block_size)
        self._levels: Samples = np.zeros(shape, np.float32)
        self._good = np.zeros(shape, np.bool_)
        self._clean: Samples = np.zeros(shape, np.float32)
        self.nonfinite_samples = 0

    @property
    def config(self) -> HostConfig:
        """What the last `prepare` was given."""
        return self._prepared().config

    @property
    def ledger(self) -> LatencyLedger:
        """Where the latency comes from."""
        return self._prepared().ledger

    @property
    def latency(self) -> int:
        """Frames at the host's rate from an input frame to its output frame; constant."""
        return self.ledger.total

    def process(self, block: Samples, out: Samples) -> None:
        """Takes one block and fills one block of stems. Does not allocate, wait or lock.

        Args:
            block: float32 `(channels, frames)`, where frames is the block size or, with a quantum,
                any multiple of that up to it. Samples that are not finite, or beyond `MAX_LEVEL`,
                count as 0 and are counted in `nonfinite_samples`.
            out: float32 `(stems, channels, frames)`, always filled whole.

        Raises:
            AudioError: if an array has another shape or type.
            ConfigError: before `prepare`.
        """
        chain = self._prepared()
        config = chain.config
        frames = self._allowed_frames(block)
        for name, array, shape in (
            ("block", block, (config.channels, frames)),
            ("out", out, (len(self.stems), config.channels, frames)),
        ):
            if array.shape != shape or array.dtype != np.float32:
                raise AudioError(_array_message(name, array, shape))
        levels, good = self._levels[:, :frames], self._good[:, :frames]
        np.absolute(block, out=levels)
        np.less_equal(levels, MAX_LEVEL, out=good)
        if not good.all():
            block = self._cleaned(block, good)
        chain.process(block, out)

    def _allowed_frames(self, block: Samples) -> int:
        """Returns the frames that a block has, or should have."""
        most = self._levels.shape[-1]
        frames = block.shape[-1] if block.ndim else 0
        return frames if 0 < frames <= most and frames % self._quantum == 0 else most

    def _cleaned(self, block: Samples, good: NDArray[np.bool_]) -> Samples:
        self.nonfinite_samples += good.size - int(np.count_nonzero(good))
        clean = self._clean[:, : block.shape[-1]]
        clean.fill(0)
        np.copyto(clean, block, where=good)
        return clean

    def reset(self) -> None:
        """Starts the stream anew, as if just prepared. Does not allocate."""
        self._prepared().reset()
        self.nonfinite_samples = 0

    def snapshot(self) -> StreamState:
        """Returns a copy of all that the stream carries. Allocates."""
        chain = self._prepared()
        return StreamState(self.manifest.graph_sha256, self.config, chain.snapshot())

    def restore(self, state: StreamState) -> None:
        """Goes on from a snapshot, bit for bit.

        Raises:
            ConfigError: if the snapshot is of another model or was made under another config.
        """
        chain = self._prepared()
        if state.graph_sha256 != self.manifest.graph_sha256:
            raise ConfigError("The snapshot is of another model; load that model to restore it.")
        if state.config != self.config:
            raise ConfigError(
                f"The snapshot was made under {state.config} and the separator is prepared for "
                f"{self.config}; prepare it for the snapshot's config first."
            )
        chain.restore(state.chain)

    def _prepared(self) -> Chain:
        if self._chain is None:
            raise ConfigError("The separator is not prepared; call prepare(HostConfig(...)) first.")
        return self._chain

    # ---- offline ------------------------------------------------------------------------------

    def separate(
        self, audio: Any, sample_rate: int, *, block_size: int = MAX_BLOCK_SIZE
    ) -> Samples:
        """Separates a whole piece of audio. A live stream that is prepared is not disturbed.

        Args:
            audio: floats `(channels, frames)` or `(frames,)`, full scale ±1.0, all finite.
            sample_rate: of the audio, Hz, 22,050 to 192,000.
            block_size: frames per step of the model, rounded to whole hops.

        Returns:
            stems: float32 `(stems, channels, frames)`, aligned with the audio and as long.

        Raises:
            AudioError: if the audio is no such thing.
            ConfigError: if block_size is out of range.
        """
        checked = _checked_audio(audio)
        channels, frames = checked.shape
        out: Samples = np.empty((len(self.stems), channels, frames), np.float32)
        done = 0
        for part in self.stream([checked], sample_rate, channels, block_size=block_size):
            out[..., done : done + part.shape[-1]] = part
            done += part.shape[-1]
        return out

    def stream(
        self,
        blocks: Iterable[Any],
        sample_rate: int,
        channels: int,
        *,
        block_size: int = MAX_BLOCK_SIZE,
    ) -> Iterator[Samples]:
        """Separates audio that may be longer than memory. No live stream is disturbed.

        Args:
            blocks: floats `(channels, frames)` each, of any lengths, full scale ±1.0, all finite.
            sample_rate: of the audio, Hz, 22,050 to 192,000.
            channels: of the audio, 1 or 2.
            block_size: frames per step of the model, rounded to whole hops.

        Returns:
            An iterator of stems `(stems, channels, frames)` of any lengths, which together are
            aligned with the audio and as long. It raises `AudioError` where a block is bad.

        Raises:
            AudioError: if the rate or the number of channels is out of range.
            ConfigError: if block_size is out of range.
        """
        if not isinstance(sample_rate, int | np.integer) or not (
            MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE
        ):
            raise AudioError(
                f"The audio's sample rate is {sample_rate} Hz; {MIN_SAMPLE_RATE:,} to "
                f"{MAX_SAMPLE_RATE:,} Hz work, so convert the audio first."
            )
        if channels not in range(1, MAX_CHANNELS + 1):
            raise AudioError(
                f"The audio has {channels} channels; 1 and 2 work, so mix it down first."
            )
        if not isinstance(block_size, int) or not 1 <= block_size <= MAX_BLOCK_SIZE:
            raise ConfigError(
                f"block_size is {block_size!r} frames; 1 to {MAX_BLOCK_SIZE:,} frames work."
            )
        hop = self.manifest.hop
        step_size = max(1, block_size // hop) * hop
        return self._stream(blocks, int(sample_rate), int(channels), step_size)

    def _stream(
        self, blocks: Iterable[Any], sample_rate: int, channels: int, step_size: int
    ) -> Iterator[Samples]:
        # A runtime of its own for each stream under way, kept for the next one.
        spares = self._offline_runtimes
        runtime = spares.pop() if spares else self._choice.load()
        try:
            yield from separate_blocks(
                _checked_blocks(blocks, channels),
                sample_rate,
                channels,
                self.manifest,
                runtime,
                step_size,
            )
        finally:
            spares.append(runtime)


def read_separator(model: str | Path) -> Artifact:
    """Reads and checks a model's file, and loads nothing.

    Args:
        model: a name (see `engine.list_models`) or the path of a model file.

    Raises:
        ModelError: if there is no such model, the file is no good, or it is no separator.
    """
    artifact = read_artifact(find_model(model))
    if artifact.manifest.kind != "separator":
        raise ModelError(
            f"{artifact.path} is a {artifact.manifest.kind}, which separates nothing; "
            "give a separator."
        )
    return artifact


def _checked_blocks(blocks: Iterable[Any], channels: int) -> Iterator[Samples]:
    frames = 0
    for block in blocks:
        if np.ndim(block) > 0 and np.shape(block)[-1] == 0:
            continue
        checked = _checked_audio(block)
        if checked.shape[0] != channels:
            raise AudioError(
                f"A block has {checked.shape[0]} channels where {channels} were announced; give "
                "every block the same number."
            )
        frames += checked.shape[1]
        yield checked
    if frames == 0:
        raise AudioError("The audio has 0 frames; give it at least one.")


def _checked_audio(audio: Any) -> Samples:
    """Returns audio as float32 `(channels, frames)`, or raises `AudioError`."""
    array = np.asarray(audio)
    if array.dtype.kind != "f":
        raise AudioError(
            f"The audio is of type {array.dtype}; convert it to floats of full scale ±1.0."
        )
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2:
        raise AudioError(
            f"The audio has the shape {array.shape}; give (channels, frames) or (frames,)."
        )
    channels, frames = array.shape
    if frames == 0:
        raise AudioError("The audio has 0 frames; give it at least one.")
    if channels > MAX_CHANNELS and frames <= MAX_CHANNELS:
        raise AudioError(
            f"The audio has {channels} channels of {frames} frames; did you pass "
            "(frames, channels)? Give (channels, frames)."
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"The audio has {channels} channels; 1 and 2 work, so mix it down first.")
    # NaN compares as false, so it is caught as well.
    bad = array.size - int(np.count_nonzero(np.abs(array) <= MAX_LEVEL))
    if bad:
        raise AudioError(
            f"The audio has {bad} samples that are NaN, infinite or beyond ±{MAX_LEVEL:,.0f}; "
            "repair it or set them to 0."
        )
    return array.astype(np.float32, copy=False)


def _array_message(name: str, array: Samples, shape: tuple[int, ...]) -> str:
    if array.dtype != np.float32:
        return f"{name} is of type {array.dtype}; give float32."
    hint = ""
    if array.shape == shape[::-1] or (array.ndim == 2 and array.shape[::-1] == shape):
        hint = "did you pass (frames, channels)? "
    return f"{name} has the shape {array.shape}; {hint}The separator is prepared for {shape}."
