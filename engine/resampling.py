"""The live resampler: a bank of windowed-sinc filters with a short and constant delay.

A host at 48 kHz and a model at 44.1 kHz need two conversions in the live path, and the delay of
both is heard. soxr, which `engine.offline` uses for files, filters long blocks by FFT and hands its
output over in lumps; a stream that must never run dry has to wait for the longest. Measured at a
host rate of 48 kHz (to the model and back, soxr 1.1.0, blocks of 16 frames):

    soxr HQ 40.0 ms    soxr MQ 40.8 ms    soxr LQ 10.5 ms    soxr VHQ 59.8 ms
    soxr LQ/HQ with vr=True (no lumps, but a ratio that is not exact) 10.5 ms
    this bank 1.45 ms

So the live path has its own: output frame k lies at input position k * num / den, an exact
fraction, and is the dot product of the 2 * half input frames around it with the filter for its
fractional part. The ratio is kept in integers: nothing drifts, however long it plays. The filters
are a sinc under a Kaiser window (Kaiser 1974), 32 periods of the slower rate to each side. For a
slower rate of 44.1 kHz: flat to 0.01 dB up to 20 kHz, over 75 dB down from 23.5 kHz, and what
little aliases comes to lie above 20.6 kHz.
"""

from dataclasses import dataclass
from math import ceil, gcd, prod

import numpy as np
from numpy.typing import NDArray

from engine.fifo import Fifo, Samples

HALF_PERIODS = 32  # of the slower rate, to each side
CUTOFF = 0.984  # of the slower rate's Nyquist frequency, -6 dB
KAISER_BETA = 7.857  # 80 dB: 0.1102 * (80 - 8.7)

_TILE = 128  # output frames at a time, so that what is gathered stays in the cache
_BANK_ROWS = 1024  # filters designed at a time


@dataclass(frozen=True)
class Ratio:
    """An exact conversion: output frame k lies at input position `k * num / den`.

    Attributes:
        num: input rate over the greatest common divisor.
        den: output rate over the same.
        half: input frames that an output frame needs on each side of it; 0 copies.
    """

    num: int
    den: int
    half: int

    @classmethod
    def between(cls, in_rate: int, out_rate: int) -> "Ratio":
        """Returns the ratio between two rates in Hz."""
        if in_rate == out_rate:
            return cls(1, 1, 0)
        divisor = gcd(in_rate, out_rate)
        half = ceil(HALF_PERIODS * max(1.0, in_rate / out_rate))
        return cls(in_rate // divisor, out_rate // divisor, half)

    def outputs_before(self, end: int) -> int:
        """Returns the first output frame that needs input frame `end` or a later one.

        Output k needs input up to floor(k num / den) + half, so it is there once that is < end.
        """
        return -((self.half - end) * self.den // self.num)


class Resampler:
    """One direction of the conversion, for a stream: push at one rate, pull at the other.

    Args:
        ratio: of the two rates.
        shape: the axes before the frames, for example `(stems, channels)`.
        max_held: the most input frames that wait to be used, those under the filter left out.
    """

    def __init__(self, ratio: Ratio, shape: tuple[int, ...], max_held: int) -> None:
        rows, taps = prod(shape), 2 * ratio.half
        self._ratio = ratio
        self._shape = shape
        self._bank = _filter_bank(ratio)[:, np.newaxis, :]
        self._input = Fifo(shape, taps + max_held)
        self._first = 0  # number of the oldest input frame that is held
        self._next = 0  # number of the output frame that is pulled next
        self._taps = np.tile(np.arange(taps), (_TILE, 1))
        self._steps = np.arange(_TILE) * ratio.num
        self._positions = np.zeros(_TILE, np.intp)
        self._starts = np.zeros(_TILE, np.intp)
        self._phases = np.zeros(_TILE, np.intp)
        self._index = np.zeros((_TILE, taps), np.intp)
        self._filters: Samples = np.zeros((_TILE, 1, taps), np.float32)
        self._windows: Samples = np.zeros((_TILE, taps, rows), np.float32)
        self._mixed: Samples = np.zeros((_TILE, 1, rows), np.float32)

    def reset(self, first_in: int, first_out: int) -> None:
        """Starts a stream; silence has been playing before it.

        Args:
            first_in: number of the input frame that is pushed first.
            first_out: number of the output frame that is pulled first.
        """
        self._next = first_out
        self._first = self._oldest_needed()
        self._input.reset(first_in - self._first)

    @property
    def ready(self) -> int:
        """Frames that can be pulled."""
        end = self._first + self._input.ready
        return max(0, self._ratio.outputs_before(end) - self._next)

    def push(self, block: Samples) -> None:
        """Adds the input frames of `(*shape, frames)`."""
        self._input.push(block)

    def pull(self, out: Samples) -> None:
        """Fills `(*shape, frames)` with the next output frames."""
        frames = out.shape[-1]
        if frames > self.ready:
            raise OverflowError(f"{frames} frames wanted, {self.ready} there")
        for first in range(0, frames, _TILE):
            count = min(_TILE, frames - first)
            self._mix(count)
            mixed = self._mixed[:count].reshape(count, *self._shape)
            out[..., first : first + count] = np.moveaxis(mixed, 0, -1)
        oldest = min(self._oldest_needed(), self._first + self._input.ready)
        self._input.drop(oldest - self._first)
        self._first = oldest

    def _oldest_needed(self) -> int:
        """Returns the first input frame that the next output frame needs."""
        return self._next * self._ratio.num // self._ratio.den - self._ratio.half + 1

    def _mix(self, count: int) -> None:
        """Computes the next `count` output frames into `_mixed`."""
        num, den = self._ratio.num, self._ratio.den
        # Output k lies at the position k num / den = start + phase / den.
        start, phase = divmod(self._next * num, den)
        positions, starts = self._positions[:count], self._starts[:count]
        np.add(self._steps[:count], phase, out=positions)
        np.floor_divide(positions, den, out=starts)
        np.remainder(positions, den, out=self._phases[:count])
        starts += start - self._ratio.half + 1 - self._first
        # Two calls, as one that broadcasts would take memory for a buffer of its own.
        np.copyto(self._index[:count], starts[:, np.newaxis])
        self._index[:count] += self._taps[:count]
        # mode="clip" only spares a copy: every index is in range.
        np.take(self._input.held, self._index[:count], 0, self._windows[:count], "clip")
        np.take(self._bank, self._phases[:count], 0, self._filters[:count], "clip")
        np.matmul(self._filters[:count], self._windows[:count], out=self._mixed[:count])
        self._next += count

    def snapshot(self) -> "ResamplerState":
        """Returns a copy of all that the stream carries."""
        return ResamplerState(self._first, self._next, self._input.snapshot())

    def restore(self, state: "ResamplerState") -> None:
        """Goes on from a snapshot of a resampler like this one."""
        self._first, self._next = state.first, state.next
        self._input.restore(state.held)


@dataclass(frozen=True)
class ResamplerState:
    """All that a `Resampler` carries from one call to the next."""

    first: int
    next: int
    held: Samples


def _filter_bank(ratio: Ratio) -> NDArray[np.float32]:
    """Returns the filter for each fractional position, `(den, 2 * half)`.

    Tap i of filter p weighs the input frame at a distance of i - half + 1 - p / den. Each filter
    adds up to one, so a constant stays what it is.
    """
    cutoff = CUTOFF * min(1.0, ratio.den / ratio.num)
    taps = np.arange(2 * ratio.half) - ratio.half + 1.0
    bank = np.empty((ratio.den, 2 * ratio.half), np.float32)
    for first in range(0, ratio.den, _BANK_ROWS):
        phases = np.arange(first, min(first + _BANK_ROWS, ratio.den))
        distance = taps - phases[:, np.newaxis] / ratio.den
        inside = np.sqrt(1.0 - (distance / ratio.half) ** 2)
        filters = np.sinc(cutoff * distance) * np.i0(KAISER_BETA * inside)
        bank[first : first + _BANK_ROWS] = filters / filters.sum(axis=1, keepdims=True)
    return bank
