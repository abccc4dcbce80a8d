"""The host's end of the shared memory: what an audio callback calls, and all that it calls.

    block --> input ring --> (engines) --> output rings --> mix and stems
         `--> delay of the whole latency --> the mixture, where the engine's output is missing

What the engine has not delivered in time is an underrun: the mixture, as late as everything else,
takes the place of the mix, and the stems are silent, because a single stem must not leak the mix.
The latency never changes, since everything is looked up by absolute frame position; when an engine
comes back, its output is just there again.

Every change of what is heard is a crossfade of 64 frames. The mixture and an engine that still
delivers can be faded out truly. An engine that has failed has no next frames; then what is heard
begins where it broke off, and the difference fades away:

    heard[i] = new[i] + (last heard - new[-1]) * fade[i]

With all faders at unity the stems add up to the mixture, the difference is zero, and even a dead
engine makes no sound.
"""

import time
from pathlib import Path

import numpy as np

from engine.config import HostConfig
from engine.controls import ControlTable, controls_for
from engine.errors import AudioError, WorkerError
from engine.fifo import Samples
from engine.mixer import RAMP_SECONDS, fallback_gain
from engine.separator import MAX_LEVEL
from engine.worker.layout import SLOTS, Constant, Engine, Host, Wish, count_up, engine_word
from engine.worker.rings import read_ring, write_ring
from engine.worker.segment import Segment
from engine.worker.wake import engines_bell, fence, host_bell

FADE_FRAMES = 64
MIXTURE = -1
"""What plays where no engine's output does: the mixture, and silence on the stems."""

_DIRECT_PATIENCE = 0.8  # of a block's duration: a direct host waits so long for its output
_OFFLINE_PATIENCE = 30.0  # seconds: a host that has time waits so long, as for a restart
_LOOK_AGAIN = 0.25  # seconds after which a waiting host looks whether another engine delivers


class Exchange:
    """Hands blocks to the engines and takes theirs. Belongs to one thread; made by `attach`.

    Attributes:
        config: of the host; block_size is what `process` takes.
        stems: their names, in the order of the output.
        latency: frames from an input frame to its output frame; constant.
    """

    def __init__(self, segment: Segment) -> None:
        words, layout = segment.words, segment.layout
        self._segment = segment
        self.config: HostConfig = layout.config
        self.stems: tuple[str, ...] = layout.stems
        self.latency: int = words[Constant.LATENCY]
        self._is_direct = bool(words[Constant.IS_DIRECT])
        self._is_fixed = bool(words[Constant.IS_FIXED])
        channels, frames = self.config.channels, self.config.block_size
        if not 0 <= self.latency <= layout.out_frames - 2 * frames:
            raise WorkerError(
                f"{segment.path} states a latency of {self.latency} frames, more than it can hold; "
                "start a new session."
            )
        self._words = words
        self._engines = tuple(engine_word(slot) for slot in range(SLOTS))
        self._engines_bell = engines_bell(segment)
        self._host_bells = tuple(host_bell(segment, slot) for slot in range(SLOTS))
        declared = controls_for(self.stems)  # first in the memory; those of processors follow
        self._controls = ControlTable(declared, segment.controls[: len(declared)])
        # All of one block: heard, and what faded away; the mix first, then the stems.
        self._heard: Samples = np.zeros((layout.rows, channels, frames), np.float32)
        self._old: Samples = np.zeros_like(self._heard)
        self._before_new: Samples = np.zeros((layout.rows, channels), np.float32)
        self._last: Samples = np.zeros((layout.rows, channels), np.float32)
        self._offset: Samples = np.zeros((layout.rows, channels, 1), np.float32)
        self._clean: Samples = np.zeros((channels, frames), np.float32)
        self._levels: Samples = np.zeros_like(self._heard)
        self._mixture: Samples = np.zeros((channels, frames), np.float32)
        self._gains: Samples = np.zeros(frames, np.float32)
        self._ramp: Samples = np.arange(1, frames + 1, dtype=np.float32)
        self._fade: Samples = np.linspace(1, 0, FADE_FRAMES + 2, dtype=np.float32)[1:-1]
        # A copy of the input of its own: what is shared, others may have written to.
        self._past: Samples = np.zeros((channels, layout.out_frames), np.float32)
        self._mixture_before: Samples = np.zeros(channels, np.float32)
        self._gain = fallback_gain(self._controls)
        self._position = max(words[Host.IN_END], 0)  # a link that was restarted goes on
        self._start = self._position
        self._source = words[Wish.SLOT]
        self._fading_from: int | None = None  # a source; None: the offset fades
        self._fade_left = 0
        words[Host.PLAYING] = self._source

    @classmethod
    def attach(cls, segment_path: str | Path) -> "Exchange":
        """Maps the shared memory of a session.

        Raises:
            WorkerError: if there is none, or it is damaged.
        """
        return cls(Segment.attach(segment_path))

    @property
    def underruns(self) -> int:
        """Blocks, of this session, whose output was not there in time."""
        return self._words[Host.UNDERRUNS]

    def process(self, block: Samples, mix: Samples, stems: Samples, *, wait: bool = False) -> None:
        """Takes one block and fills one of each output. Allocates nothing that stays.

        Args:
            block: float32 `(channels, frames)`. Samples that are not finite, or beyond
                `MAX_LEVEL`, count as 0. frames is the block size or, if the session was opened
                for hosts whose blocks vary, anything up to it.
            mix: float32 `(channels, frames)`, always filled whole.
            stems: float32 `(stems, channels, frames)`, always filled whole.
            wait: whether the host has time, as when it renders a file: then the output is waited
                for, and is the same as that of a stream that nothing disturbs.

        Raises:
            AudioError: if an array has another shape or type.
        """
        frames = self._checked_frames(block, mix, stems)
        block = self._cleaned(block)
        self._hand_over(block, frames, wait)
        wanted = self._position - self.latency
        write_ring(self._past, self._position, block)
        read_ring(self._past, wanted, self._mixture[:, :frames])
        source = self._await(wanted, frames, wait) if wait or self._is_direct else None
        if source is None:
            source = self._deliverer(wanted, frames)
        heard = self._heard[..., :frames]
        if self._source != MIXTURE and not self._fade_left:
            self._gain = fallback_gain(self._controls)  # unheard, it needs no ramp
        if source == MIXTURE or not self._fill(source, wanted, heard):
            source = MIXTURE
            self._fill_with_mixture(heard)
            if wanted + frames <= self._start:
                source = self._source  # the stream is younger than its latency: nothing is late
            else:
                count_up(self._words, Host.UNDERRUNS)
        if wanted < self._start != 0:  # another link's frames are not to be heard in this stream
            heard[..., : self._start - wanted] = 0
        self._smooth(source, wanted, heard)
        self._last[...] = heard[..., -1]
        self._mixture_before[...] = self._mixture[:, frames - 1]
        self._position += frames
        count_up(self._words, Host.BLOCKS)
        mix[...] = heard[0]
        stems[...] = heard[1:]

    def close(self) -> None:
        """Lets go of the shared memory."""
        self._controls = ControlTable((), np.zeros(0))
        self._segment.close()

    def unlink(self) -> None:
        """Removes the shared memory's name: for a link whose session has died."""
        self._segment.unlink()

    # ---- input ----------------------------------------------------------------------------------

    def _checked_frames(self, block: Samples, mix: Samples, stems: Samples) -> int:
        channels, most = self.config.channels, self.config.block_size
        frames = block.shape[-1] if block.ndim else 0
        allowed = frames == most if self._is_fixed else 1 <= frames <= most
        shape = (channels, frames)
        for name, array, wanted in (
            ("block", block, shape),
            ("mix", mix, shape),
            ("stems", stems, (len(self.stems), *shape)),
        ):
            if array.dtype != np.float32 or array.shape != wanted or not allowed:
                sizes = f"{most}" if self._is_fixed else f"1 to {most}"
                raise AudioError(
                    f"{name} has the shape {array.shape} and type {array.dtype}; this session "
                    f"takes float32, {channels} channels, {len(self.stems)} stems and {sizes} "
                    "frames at once, as (channels, frames)."
                )
        return frames

    def _cleaned(self, block: Samples) -> Samples:
        levels = self._levels[0, :, : block.shape[-1]]
        np.absolute(block, out=levels)
        if levels.max() <= MAX_LEVEL:  # false where there is a NaN
            return block
        clean = self._clean[:, : block.shape[-1]]
        clean.fill(0)
        good = levels <= MAX_LEVEL
        np.copyto(clean, block, where=good)
        count_up(self._words, Host.NONFINITE, good.size - int(np.count_nonzero(good)))
        return clean

    def _hand_over(self, block: Samples, frames: int, wait: bool) -> None:
        words = self._words
        write_ring(self._segment.input, self._position, block)
        words[Host.IS_PATIENT] = wait
        words[Host.POSTED_NS] = time.perf_counter_ns()
        fence()
        words[Host.IN_END] = self._position + frames
        self._engines_bell.ring()

    # ---- output ---------------------------------------------------------------------------------

    def _delivers(self, slot: int, start: int, frames: int) -> bool:
        """Whether a slot's output is there for the frames from `start` on."""
        words, engine = self._words, self._engines[slot]
        return (
            words[engine + Engine.OUT_FROM] <= max(start, self._start)
            and start + frames <= words[engine + Engine.OUT_END]
        )

    def _deliverer(self, start: int, frames: int) -> int:
        """Returns the wanted slot if it delivers, else another that does, else `MIXTURE`."""
        first = 1 if self._words[Wish.SLOT] == 1 else 0
        for slot in (first, 1 - first):
            if self._delivers(slot, start, frames):
                return slot
        return MIXTURE

    def _await(self, start: int, frames: int, wait: bool) -> int:
        """Waits for somebody to deliver; returns who does, `MIXTURE` if nobody in time."""
        patience = _OFFLINE_PATIENCE if wait else _DIRECT_PATIENCE * self.config.deadline
        until = time.perf_counter() + patience
        while True:
            bell = self._host_bells[1 if self._words[Wish.SLOT] == 1 else 0]
            seen = bell.count
            source = self._deliverer(start, frames)
            left = until - time.perf_counter()
            if source != MIXTURE or left <= 0:
                return source
            bell.wait(0, seen, min(left, _LOOK_AGAIN))

    def _fill(self, slot: int, start: int, heard: Samples) -> bool:
        """Fills a block from a slot; returns whether it holds sound that may be played."""
        read_ring(self._segment.output[slot], start, heard)
        return self._is_sound(heard)

    def _is_sound(self, audio: Samples) -> bool:
        levels = self._levels[..., : audio.shape[-1]]
        np.absolute(audio, out=levels)
        return bool(levels.max() <= MAX_LEVEL)  # false where there is a NaN

    def _fill_with_mixture(self, heard: Samples) -> None:
        frames = heard.shape[-1]
        heard[1:] = 0
        wanted, before = fallback_gain(self._controls), self._gain
        if wanted == before:
            np.multiply(self._mixture[:, :frames], np.float32(wanted), out=heard[0])
            return
        # At the pace of the mixer's ramps, so that the master fader makes no step here either.
        pace = np.float32(1 / (RAMP_SECONDS * self.config.sample_rate))
        gains = self._gains[:frames]
        np.multiply(self._ramp[:frames], pace if wanted > before else -pace, out=gains)
        gains += np.float32(before)
        np.clip(gains, min(wanted, before), max(wanted, before), out=gains)
        np.multiply(self._mixture[:, :frames], gains, out=heard[0])
        self._gain = float(gains[-1])

    # ---- crossfade ------------------------------------------------------------------------------

    def _smooth(self, source: int, start: int, heard: Samples) -> None:
        """Fades from what was heard to what is now to be heard."""
        if source != self._source:
            self._fading_from = self._source if not self._fade_left else None
            self._fade_left = FADE_FRAMES
            self._take_offset(source, start)
            self._source = source
            self._words[Host.PLAYING] = source
        if not self._fade_left:
            return
        frames = min(heard.shape[-1], self._fade_left)
        done = FADE_FRAMES - self._fade_left
        weights = self._fade[done : done + frames]
        part = heard[..., :frames]
        old = self._old[..., :frames]
        if self._old_goes_on(start, frames):
            if self._fading_from == MIXTURE:
                self._fill_with_mixture(old)
            else:
                read_ring(self._segment.output[self._fading_from or 0], start, old)
            old -= part
        else:
            if self._fading_from is not None:
                self._fading_from = None
                if done:
                    self._take_offset(source, start)
                    # The offset as seen now belongs to the weight before this block.
                    self._offset /= self._fade[done - 1]
            old[...] = self._offset
        if self._is_sound(old):
            old *= weights
            part += old
        self._fade_left -= frames

    def _old_goes_on(self, start: int, frames: int) -> bool:
        """Whether what fades out still has frames to play."""
        if self._fading_from is None:
            return False
        return self._fading_from == MIXTURE or self._delivers(self._fading_from, start, frames)

    def _take_offset(self, source: int, start: int) -> None:
        """Notes how far what was heard last is from the new source at the same frame."""
        before = self._before_new
        if source == MIXTURE:
            before.fill(0)
            np.multiply(self._mixture_before, np.float32(self._gain), out=before[0])
        elif self._delivers(source, start - 1, 1):
            read_ring(self._segment.output[source], start - 1, before[..., np.newaxis])
        else:
            before[...] = self._heard[..., 0]
        np.subtract(self._last, before, out=self._offset[..., 0])
