"""The step of `wavenet-frame`, written for the few hops of a block of sound.

It computes what `WaveNetFrame.step` computes, with fewer and larger operations. A small block is
bound by two things: the bytes of weights that it reads, and the number of operations, as each
costs a microsecond or two before it does anything. So

- everything is rows: (hops, numbers), or (hops * channels, numbers) around the transforms;
- the transforms' bins stay in the order that comes out (`export.dft`); the constants that read
  them are put into that order once, here;
- masks reach the bins, and bins the samples, by products with constants;
- what the masks add below 2 kHz goes into the synthesis as columns of its own:
  (u + iv)(x + iy) for a mask u + iv and a bin x + iy is four products that it sums.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from export.dft import MatrixDft, constant
from export.rows import FLOAT32, Arithmetic, Product, RowHead, RowStacks
from training.models.wavenet_frame import (
    FLOOR,
    HOP,
    LONG_BINS,
    LONG_WINDOW,
    LOW_BINS,
    WINDOW,
    WaveNetFrame,
)
from training.streaming import State
from training.transform import analysis_window, synthesis_matrices

_COLUMNS = 32  # of the short transform: two rows per hop
_LONG_COLUMNS = HOP


class FrameStep(nn.Module):
    """A folded `WaveNetFrame` as one step over a stream; a batch of one.

    Args:
        model: Without standardisation, see `export.fold`.
        arithmetic: Of the residual blocks and the head.
    """

    def __init__(self, model: WaveNetFrame, arithmetic: Arithmetic = FLOAT32) -> None:
        super().__init__()
        self.channels, self.hop = model.config.channels, model.hop
        self.stems, self.bands = len(model.config.stems), model.bands
        self.transform = MatrixDft(WINDOW, _COLUMNS, WINDOW // 2 + 1)
        self.long_transform = MatrixDft(LONG_WINDOW, _LONG_COLUMNS, LONG_BINS)
        self.window = constant(analysis_window(WINDOW, HOP).reshape(-1, _COLUMNS))
        self.long_window = constant(analysis_window(LONG_WINDOW, HOP).reshape(-1, _LONG_COLUMNS))

        place, places = self.transform.place, self.transform.places
        self.grouping = constant(_at(place, places, _array(model.grouping)))
        bands_of_bins = np.eye(self.bands)[_array(model.band_index)]
        self.spread = constant(_at(place, places, bands_of_bins).T)
        real, imag = synthesis_matrices(WINDOW, HOP)
        imag *= self.transform.sign[:, None]
        waves = np.stack([_at(place, places, real), _at(place, places, imag)])
        self.synthesis = constant(waves.reshape(2 * places, 2 * HOP))
        # x u, x v, y u, y v, each (LOW_BINS,); the place's sign of y is in `imag`
        real, imag, sign = real[:LOW_BINS], imag[:LOW_BINS], self.transform.sign[:LOW_BINS, None]
        self.low_synthesis = constant(np.concatenate([real, imag * sign, imag, -real * sign]))
        self.low_places: Tensor
        self.register_buffer("low_places", torch.tensor(place[:LOW_BINS]))

        self.entry = self._entry(model.entry)
        self.stacks = RowStacks(model.stacks, arithmetic)
        self.head = RowHead(model.head, arithmetic)

    def _entry(self, entry: nn.Conv2d) -> Product:
        """The entry convolution, reading the long transform's powers in their places."""
        assert entry.bias is not None
        weight = entry.weight.flatten(1).T  # (features, filters)
        bands, bins = torch.split(weight, [self.channels * self.bands, LONG_BINS])
        in_places = bins.new_zeros(self.long_transform.places, bins.shape[1])
        in_places[torch.tensor(self.long_transform.place)] = bins
        return Product(torch.cat([bands, in_places]), entry.bias)

    def initial_state(self) -> State:
        """Both channels' last 15 hops, their mean's last 63, the caches, the overlap-add's tail."""
        return [
            torch.zeros(1, self.channels, WINDOW - HOP),
            torch.zeros(1, LONG_WINDOW - HOP),
            *self.stacks.initial_state(),
            torch.zeros(1, self.channels, self.stems - 1, HOP),
        ]

    def forward(self, audio: Tensor, states: State) -> tuple[Tensor, ...]:
        """audio (1, channels, frames), states -> stems (1, stems, channels, frames), states."""
        history, long_history, *caches, tail = states
        hops = torch.arange(audio.shape[-1] // HOP)[:, None]

        extended = torch.cat([history, audio], dim=-1)
        frames = self._frames(extended, hops) * self.window
        spectrum = self.transform(frames)  # (hops * channels, 1, real | imag, places)
        long_extended = torch.cat([long_history, audio.mean(dim=1)], dim=-1)
        rows = long_extended.reshape(-1, _LONG_COLUMNS)
        long_frames = rows.index_select(0, (hops + torch.arange(len(self.long_window))).flatten())
        long_frames = long_frames.reshape(-1, *self.long_window.shape) * self.long_window
        long_spectrum = self.long_transform(long_frames)

        features = torch.cat([self._band_powers(spectrum), _power(long_spectrum).flatten(1)], dim=1)
        skip, next_caches = self.stacks(self.entry(torch.log(features + FLOOR)), caches)
        masks, low_masks = self._masks(self.head(skip))
        waves = self._synthesise(masks, low_masks, spectrum)

        # (hops, channels, stems - 1, 2 hops of samples): second halves wait for the next hop
        first, second = torch.split(waves, HOP, dim=-1)
        tails = torch.cat([tail, second], dim=0)
        others = (first + tails[:-1]).permute(2, 1, 0, 3)
        others = others.reshape(1, self.stems - 1, self.channels, -1)
        last = extended[..., WINDOW - 2 * HOP : -HOP] - others.sum(dim=1)
        return (
            torch.cat([others, last.unsqueeze(1)], dim=1),
            extended[..., -history.shape[-1] :],
            long_extended[..., -long_history.shape[-1] :],
            *next_caches,
            tails[-1:],
        )

    def _frames(self, extended: Tensor, hops: Tensor) -> Tensor:
        """The frame that ends with each hop, each channel: (hops * channels, rows, columns)."""
        per_hop, rows = HOP // _COLUMNS, WINDOW // _COLUMNS
        table = extended.reshape(-1, _COLUMNS)
        of_channel = torch.arange(self.channels) * (extended.shape[-1] // _COLUMNS)
        first = (per_hop * hops + of_channel).reshape(-1, 1)
        frames = table.index_select(0, (first + torch.arange(rows)).flatten())
        return frames.reshape(-1, rows, _COLUMNS)

    def _band_powers(self, spectrum: Tensor) -> Tensor:
        """Mean power of each band of each channel, (hops, channels * bands)."""
        power = torch.matmul(_power(spectrum).flatten(1), self.grouping)
        return power.reshape(-1, self.channels * self.bands)

    def _masks(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Masks of all stems but the last.

        Returns:
            One per band (hops * channels, stems - 1, 1, bands), and what is added to those of the
            low bins (hops * channels, stems - 1, 1, real | imag, LOW_BINS).
        """
        outputs = outputs.reshape(-1, self.channels, outputs.shape[-1] // self.channels)
        of_bands = self.stems * self.bands
        logits, low = torch.split(outputs, [of_bands, outputs.shape[-1] - of_bands], dim=-1)
        # softmax over the stems, spelt out: runtimes are slow at it along an inner axis
        logits = logits.reshape(-1, self.stems, 1, self.bands)
        powers = torch.exp(logits - logits.amax(dim=1, keepdim=True))
        masks = powers[:, :-1] / powers.sum(dim=1, keepdim=True)
        return masks, low.reshape(-1, self.stems - 1, 1, 2, LOW_BINS)

    def _synthesise(self, masks: Tensor, low_masks: Tensor, spectrum: Tensor) -> Tensor:
        """Masked spectra to windowed waves (hops, channels, stems - 1, 2 * hop)."""
        masked = torch.matmul(masks, self.spread) * spectrum
        low = spectrum.index_select(-1, self.low_places).reshape(-1, 1, 2, 1, LOW_BINS)
        waves = torch.matmul(masked.reshape(-1, len(self.synthesis)), self.synthesis)
        low_masked = (low * low_masks).reshape(-1, len(self.low_synthesis))
        waves = torch.addmm(waves, low_masked, self.low_synthesis)
        return waves.reshape(-1, self.channels, self.stems - 1, 2 * HOP)


def _power(spectrum: Tensor) -> Tensor:
    """(count, 1, real | imag, places) -> (count, 1, places)."""
    return (spectrum * spectrum).sum(dim=2)


def _array(buffer: Tensor | nn.Module) -> np.ndarray:
    assert isinstance(buffer, Tensor)
    return buffer.numpy()


def _at(place: np.ndarray, places: int, rows: np.ndarray) -> np.ndarray:
    """Rows of bins (bins, n) put to their places (places, n); zeros elsewhere."""
    moved = np.zeros((places, rows.shape[1]))
    moved[place] = rows
    return moved
