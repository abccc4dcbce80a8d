"""Level meters: peak and RMS, for as many signals as there are rows.

The peak rises at once and falls by 24 dB a second. The RMS is the root of the mean square, smoothed
with a time constant of 300 ms, as a VU meter has it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.fifo import Samples

FALL_DB_PER_SECOND = 24.0
RMS_SECONDS = 0.3

_SILENCE = 1e-10
"""-200 dBFS; what falls below counts as 0, or a meter would never come to rest."""


class Meters:
    """Peak and RMS of several signals.

    Args:
        rows: how many signals.
        sample_rate: Hz.

    Attributes:
        values: float64 `(rows, 2)`: peak and RMS, linear, full scale is 1.0; always finite.
    """

    def __init__(self, rows: int, sample_rate: int) -> None:
        self.values: NDArray[np.float64] = np.zeros((rows, 2), np.float64)
        self._powers = np.zeros(rows, np.float64)  # smoothed mean squares
        # Exponents per frame, so that a block of any size counts for as long as it lasts.
        self._fall = -FALL_DB_PER_SECOND / 20.0 * math.log(10.0) / sample_rate
        self._forget = -1.0 / (RMS_SECONDS * sample_rate)

    def measure(self, row: int, audio: Samples) -> None:
        """Measures the next block of one signal, or of several at once.

        Samples that are not finite count as 0. Allocates nothing that stays.

        Args:
            row: of the signal, or of the first of them.
            audio: `(channels, frames)`; or `(signals, channels, frames)`, one row each.
        """
        signals = audio if audio.ndim == 3 else audio[np.newaxis]
        frames = signals.shape[-1]
        if not frames:
            return
        power = _mean_squares(signals, np.float32)
        if not np.isfinite(power).all():
            signals = np.nan_to_num(signals, nan=0.0, posinf=0.0, neginf=0.0)
            power = _mean_squares(signals, np.float64)  # of numbers that float32 cannot square
        peak = np.maximum(signals.max((1, 2)), -signals.min((1, 2)))

        rows = slice(row, row + len(signals))
        peaks, rms, powers = self.values[rows, 0], self.values[rows, 1], self._powers[rows]
        np.multiply(peaks, math.exp(self._fall * frames), out=peaks)
        np.maximum(peaks, peak, out=peaks)
        peaks[peaks < _SILENCE] = 0.0
        kept = math.exp(self._forget * frames)
        np.multiply(powers, kept, out=powers)
        np.add(powers, (1.0 - kept) * power, out=powers)
        np.sqrt(powers, out=rms)
        rms[rms < _SILENCE] = 0.0


def _mean_squares(signals: Samples, dtype: type[np.floating[Any]]) -> NDArray[np.float64]:
    """Returns the mean square of each of `(signals, channels, frames)`, summed up in a dtype."""
    sums: NDArray[np.floating[Any]] = np.einsum("scf,scf->s", signals, signals, dtype=dtype)
    return sums.astype(np.float64) / math.prod(signals.shape[1:])
