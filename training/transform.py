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

import math

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
    """Windowed real DFT of the last `size` frames at every hop, lowest `bins` bins.

    `forward` uses the FFT. `step` uses matrix products, which every runtime can run: the DFT of
    `size = rows * hop` points falls apart (Cooley and Tukey 1965) into one of `rows` points down
    the hops and one of `hop` points across them, a sixth of the full matrix for 1,024 points:

        X[k] = sum_c  W_size^(c k)  sum_r  W_rows^(r k)  x[hop r + c]

    The inner sum only depends on k mod rows, and is real-input: `rows // 2 + 1` of them suffice.
    """

    def __init__(self, size: int, hop: int, bins: int) -> None:
        super().__init__()
        self.size, self.hop, self.bins, self.rows = size, hop, bins, size // hop
        window = analysis_window(size, hop)
        self.register_buffer("window", torch.tensor(window, dtype=torch.float32), False)
        inner, outer, index = _factorised_dft(size, hop, bins)
        self.register_buffer("inner", torch.tensor(inner, dtype=torch.float32), False)
        self.register_buffer("outer", torch.tensor(outer, dtype=torch.float32), False)
        self.register_buffer("index", torch.tensor(index), False)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Analyse a whole excerpt.

        Args:
            audio: (batch, channels, frames), frames a multiple of `hop`.

        Returns:
            Real and imaginary parts, (batch, channels, hops, bins).
        """
        padded = nn.functional.pad(audio, (self.size - self.hop, 0))
        frames = padded.unfold(-1, self.size, self.hop) * self.window
        spectrum = torch.fft.rfft(frames)[..., : self.bins]
        return spectrum.real.contiguous(), spectrum.imag.contiguous()

    def step(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Analyse the newest hops of a stream.

        Args:
            rows: (batch, channels, self.rows - 1 + hops, hop), audio cut into hops.

        Returns:
            Real and imaginary parts, (batch, channels, hops, bins).
        """
        batch, channels, total, hop = rows.shape
        hops = total - (self.rows - 1)
        starts = torch.arange(hops, device=rows.device)[:, None]
        offsets = torch.arange(self.rows, device=rows.device)[None]
        frames = rows.index_select(2, (starts + offsets).flatten())
        frames = frames.unflatten(2, (-1, self.rows)) * self.window.view(self.rows, hop)
        # frames (batch, channels, hops, rows, hop); down the rows first
        halves = torch.matmul(frames.transpose(-1, -2), self.inner)
        # (batch, channels, hops, hop, 2 * groups) -> (batch, channels, groups, hops, hop * 2)
        groups = self.outer.shape[0]
        halves = halves.view(batch, channels, hops, hop, groups, 2).permute(0, 1, 4, 2, 3, 5)
        spectrum = torch.matmul(halves.reshape(batch, channels, groups, hops, hop * 2), self.outer)
        spectrum = spectrum.permute(0, 1, 3, 2, 4).reshape(batch, channels, hops, -1)
        spectrum = spectrum.index_select(-1, self.index)
        return spectrum[..., : self.bins], spectrum[..., self.bins :]


def _factorised_dft(size: int, hop: int, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The constants of `Analysis.step`.

    Returns:
        inner: (rows, groups * 2), real and imaginary parts of the `rows`-point DFT side by side.
        outer: (groups, hop * 2, width), from the inner sums of a group to its bins.
        index: (2 * bins,), where the real, then the imaginary part of each bin comes out.
    """
    rows = size // hop
    groups = rows // 2 + 1
    phase = np.exp(-2j * np.pi * np.outer(np.arange(rows), np.arange(groups)) / rows)
    inner = np.stack([phase.real, phase.imag], axis=-1).reshape(rows, groups * 2)

    members: list[list[int]] = [[] for _ in range(groups)]
    for k in range(bins):
        residue = k % rows
        members[min(residue, rows - residue)].append(k)
    width = max(len(group) for group in members)
    outer = np.zeros((groups, hop, 2, 2, width))
    place = np.zeros((2, bins), np.int64)
    columns = np.arange(hop)
    for g, group in enumerate(members):
        for i, k in enumerate(group):
            twiddle = np.exp(-2j * math.pi * columns * k / size)
            sign = 1.0 if k % rows == g else -1.0  # the other residue sees the conjugate
            outer[g, :, 0, 0, i], outer[g, :, 1, 0, i] = twiddle.real, -sign * twiddle.imag
            outer[g, :, 0, 1, i], outer[g, :, 1, 1, i] = twiddle.imag, sign * twiddle.real
            place[0, k] = g * 2 * width + i
            place[1, k] = g * 2 * width + width + i
    return inner, outer.reshape(groups, hop * 2, 2 * width), place.reshape(-1)
