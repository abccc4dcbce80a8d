r"""A short-time transform with a long look back and almost no delay.

The analysis window is asymmetric: a slow rise over most of it, a fall over the last hop. Only the
last two hops are synthesised, so a frame is complete one hop after its samples arrived, however
long the window is:

    analysis    .-'''''''''''''''''''''\        `size` frames
    synthesis                        /\         the last 2 hops; analysis x synthesis = Hann

Hann windows half overlapped add up to one: an untouched spectrum gives the input back, one hop
later. (Mauler and Martin 2007 describe the construction.)
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def analysis_window(size: int, hop: int) -> np.ndarray:
    """float64 (size,): sine rise over `size - hop` frames, cosine fall over the last `hop`."""
    rise = np.sin(0.5 * np.pi * (np.arange(size - hop) + 0.5) / (size - hop))
    fall = np.cos(0.5 * np.pi * (np.arange(hop) + 0.5) / hop)
    return np.concatenate([rise, fall])


def synthesis_window(size: int, hop: int) -> np.ndarray:
    """float64 (2 * hop,): what makes analysis x synthesis a Hann window on the last two hops."""
    hann = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)) ** 2
    return hann / analysis_window(size, hop)[-2 * hop :]


def synthesis_matrices(size: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Inverse real DFT, cut to the last two hops and windowed, as matrices.

    Returns:
        float64 (bins, 2 * hop) for the real and for the imaginary parts of a spectrum.
    """
    bins = size // 2 + 1
    identity = np.eye(bins)
    window = synthesis_window(size, hop)
    real = np.fft.irfft(identity, n=size)[:, -2 * hop :] * window
    imag = np.fft.irfft(1j * identity, n=size)[:, -2 * hop :] * window
    return real, imag


class Analysis(nn.Module):
    """Windowed real DFT of the last `size` frames at every hop, lowest `bins` bins."""

    def __init__(self, size: int, hop: int, bins: int) -> None:
        super().__init__()
        self.size, self.hop, self.bins = size, hop, bins
        window = analysis_window(size, hop)
        self.register_buffer("window", torch.tensor(window, dtype=torch.float32), False)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Analyse a whole excerpt, with silence before it.

        Args:
            audio: (batch, channels, frames), frames a multiple of `hop`.

        Returns:
            Real and imaginary parts, (batch, channels, hops, bins).
        """
        return self.step(nn.functional.pad(audio, (self.size - self.hop, 0)))

    def step(self, extended: Tensor) -> tuple[Tensor, Tensor]:
        """Analyse the newest hops of a stream; as `forward`, but for what came before them.

        Args:
            extended: (batch, channels, size - hop + frames), the frames and those before them.
        """
        windowed = extended.unfold(-1, self.size, self.hop) * self.window
        spectrum = torch.fft.rfft(windowed)[..., : self.bins]
        return spectrum.real.contiguous(), spectrum.imag.contiguous()
