"""The real DFT as two matrix products with a turn between them, which every runtime can run.

A frame of `size = rows * columns` samples is cut into rows, and the DFT falls apart (Cooley and
Tukey 1965) into one down the rows, a turn of each result, and one across the columns:

    X[g + rows q] = sum_c  W_columns^(c q)  W_size^(c g)  sum_r  W_rows^(r g)  x[columns r + c]

with W_n = exp(-2 pi i / n). The input is real, so g from 0 to rows / 2 gives all: X[-k] is the
conjugate of X[k]. Both products have one matrix for everything, 4 and 33 KB for 1,024 points.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class MatrixDft(nn.Module):
    """The lowest bins of the DFT of real frames, each at a place of its own.

    The results come in the order in which they are computed: bin k is found at `place[k]`, and its
    imaginary part times `sign[k]`. Whoever reads them puts this order into constants of their own.

    Args:
        size: Samples of a frame.
        columns: Samples of a row; divides `size`.
        bins: Bins that are wanted, from 0 on, at most `size // 2 + 1`.
    """

    def __init__(self, size: int, columns: int, bins: int) -> None:
        super().__init__()
        rows = size // columns
        self.groups = rows // 2 + 1
        k = np.arange(bins)
        mirrored = k % rows > rows // 2
        group = np.where(mirrored, -k % rows, k % rows)
        turn = np.where(mirrored, -k - group, k - group) // rows % columns
        turns = np.unique(turn)
        self.place: NDArray[np.int64] = group * len(turns) + np.searchsorted(turns, turn)
        self.sign: NDArray[np.float64] = np.where(mirrored, -1.0, 1.0)
        self.places = self.groups * len(turns)

        g, c = np.arange(self.groups), np.arange(columns)
        down = np.exp(-2j * np.pi * np.outer(g, np.arange(rows)) / rows)
        self.down = constant(np.stack([down.real, down.imag], axis=1).reshape(-1, rows))
        angle = 2 * np.pi * np.outer(g, c) / size
        # (groups, 1, cosine | sine, columns)
        self.turning = constant(np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None])
        angle = 2 * np.pi * np.outer(c, turns) / columns
        cosine, sine = np.cos(angle), np.sin(angle)
        # (a + ib) (cos - i sin) (cosine - i sine), from a cos, a sin, b cos, b sin, each (columns,)
        real = np.concatenate([cosine, -sine, sine, cosine])
        imag = np.concatenate([-sine, -cosine, cosine, -sine])
        self.across = constant(np.concatenate([real, imag], axis=1))

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (count, rows, columns) -> real and imaginary parts (count, 1, 2, places)."""
        groups, columns = self.groups, frames.shape[-1]
        halves = torch.matmul(self.down, frames).reshape(-1, groups, 2, 1, columns)
        turned = (halves * self.turning).reshape(-1, 4 * columns)
        spectrum = torch.matmul(turned, self.across).reshape(-1, groups, 2, self.places // groups)
        return spectrum.transpose(1, 2).reshape(-1, 1, 2, self.places)


def constant(values: NDArray[np.float64]) -> nn.Parameter:
    """A float32 matrix of a graph that is never trained."""
    return nn.Parameter(torch.tensor(values, dtype=torch.float32), requires_grad=False)
