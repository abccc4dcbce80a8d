"""`wavenet-frame`: the gated WaveNet over frames of a low-delay transform. The default separator.

    audio -> transform -> log power per band ---.
          -> long transform, low bins, log power -+-> gated residual blocks -> masks per band
    masks x spectrum -> synthesis of the last two hops -> stems, one hop late

The blocks are those of the WaveNet report (INFO8010, section VI), but one step is a hop of 64
frames, so the same dilations see seconds instead of milliseconds at a fraction of the cost.

Masks are a softmax over the stems; below about 2 kHz a complex correction lets the stems also
differ in phase and cancel. The last stem is never synthesised: it is the mixture less the others,
so the stems add up to the mixture exactly.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from training.config import WaveNetConfig
from training.models.separator import Separator
from training.streaming import State, WaveNetStacks
from training.transform import Analysis, synthesis_matrices

HOP = 64
WINDOW = 1024
LONG_WINDOW = 4096
LOW_BINS = 48  # bins of the short transform with a complex mask: up to 2 kHz at 44.1 kHz
LONG_BINS = 256  # bins of the long transform that are looked at: up to 2.7 kHz
_FINE_HZ = 2700.0  # below: one band per bin; above: twelve bands per octave
_BANDS_PER_OCTAVE = 12
FLOOR = 1e-7  # power that counts as silence, for a full scale of 1


def band_of_bin(sample_rate: int) -> np.ndarray:
    """int64 (bins,): the band that each bin of the short transform belongs to."""
    bins = WINDOW // 2 + 1
    spacing = sample_rate / WINDOW
    bands = np.zeros(bins, np.int64)
    start = band = 0
    while start < bins:
        width = 1
        if start * spacing >= _FINE_HZ:
            width = max(1, round(start * (2.0 ** (1.0 / _BANDS_PER_OCTAVE) - 1.0)))
        bands[start : start + width] = band
        start += width
        band += 1
    return bands


class Standardise(nn.Module):
    """Features less their mean, over their spread, both fixed before training."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(features, 1, 1))
        self.register_buffer("scale", torch.ones(features, 1, 1))

    def fit(self, features: Tensor) -> None:
        """Take mean and spread from (batch, features, 1, hops)."""
        self.mean.copy_(features.mean(dim=(0, 3)).unsqueeze(-1))
        self.scale.copy_(1.0 / features.std(dim=(0, 3)).clamp_min(1.0).unsqueeze(-1))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, features, 1, hops), the same shape back."""
        return (features - self.mean) * self.scale


class WaveNetFrame(Separator):
    """See the module's text."""

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__()
        self.config = config
        self.hop = self.latency = HOP
        self.analysis = Analysis(WINDOW, HOP, WINDOW // 2 + 1)
        self.long_analysis = Analysis(LONG_WINDOW, HOP, LONG_BINS)
        bands = band_of_bin(config.sample_rate)
        self.bands = int(bands.max()) + 1
        grouping = np.eye(self.bands)[bands]
        self.register_buffer("band_index", torch.tensor(bands), False)
        # mean power of a band's bins, (bins, bands)
        self.register_buffer("grouping", _float(grouping / grouping.sum(axis=0)), False)
        real, imag = synthesis_matrices(WINDOW, HOP)
        self.register_buffer("synthesis_real", _float(real), False)
        self.register_buffer("synthesis_imag", _float(imag), False)

        features = config.channels * self.bands + LONG_BINS
        self.standardise: nn.Module = Standardise(features)
        self.entry = nn.Conv2d(features, config.filters, 1)
        self.stacks = WaveNetStacks(
            config.filters,
            config.skip,
            config.kernel,
            config.stacks,
            config.blocks,
            config.activation,
        )
        layers: list[nn.Module] = []
        width = config.skip
        for size in config.head:
            layers += [nn.ReLU(), nn.Conv2d(width, size, 1)]
            width = size
        outputs = config.channels * (
            len(config.stems) * self.bands + (len(config.stems) - 1) * 2 * LOW_BINS
        )
        layers += [nn.ReLU(), nn.Conv2d(width, outputs, 1)]
        self.head = nn.Sequential(*layers)
        self.receptive_field = self.stacks.context * HOP + LONG_WINDOW + HOP
        self._initialise()

    def _initialise(self) -> None:
        """Start from nearly equal masks and a residual stream that does not grow with depth."""
        depth = len(self.stacks.blocks)
        with torch.no_grad():
            for block in self.stacks.blocks:
                block.project.weight.mul_(1.0 / math.sqrt(depth))
                nn.init.zeros_(block.project.bias)
            self.head[-1].weight.mul_(0.1)
            nn.init.zeros_(self.head[-1].bias)

    def fit_features(self, audio: Tensor) -> None:
        """Set mean and scale of every feature from typical mixtures."""
        assert isinstance(self.standardise, Standardise)
        with torch.no_grad():
            self.standardise.fit(_log_powers(*self._analyse(audio)[1:], self.grouping))

    def forward(self, audio: Tensor, channel: int | None = None) -> Tensor:
        """See `Separator.forward`."""
        spectrum, power, long_power = self._analyse(audio)
        with torch.autocast(audio.device.type, torch.bfloat16, enabled=self.training):
            features = self.standardise(_log_powers(power, long_power, self.grouping))
            skip = self.stacks(self.entry(features))
            outputs = self.head(skip)
        outputs = outputs.squeeze(2).unflatten(1, (self.config.channels, -1))
        if channel is not None:
            only = slice(channel, channel + 1)
            audio, outputs = audio[:, only], outputs[:, only]
            spectrum = spectrum[0][:, only], spectrum[1][:, only]
        waves = self._synthesise(self._masks(outputs.float()), *spectrum)
        tails = nn.functional.pad(waves[..., HOP:], (0, 0, 1, 0))
        stems = (waves[..., :HOP] + tails[..., :-1, :]).flatten(-2)
        return _with_last(stems, nn.functional.pad(audio, (HOP, 0))[..., :-HOP])

    def initial_state(self, batch: int = 1) -> State:
        """Audio history, one cache per residual block, the tail of the overlap-add."""
        config = self.config
        like = self.grouping
        history = like.new_zeros(batch, config.channels, LONG_WINDOW - HOP)
        tail = like.new_zeros(batch, len(config.stems) - 1, config.channels, HOP)
        return [history, *self.stacks.initial_state(batch), tail]

    def step(self, audio: Tensor, state: State) -> tuple[Tensor, State]:
        """See `Separator.step`."""
        history, *caches, tail = state
        extended = torch.cat([history, audio], dim=-1)
        spectrum = self.analysis.step(extended[..., LONG_WINDOW - WINDOW :])
        long_spectrum = self.long_analysis.step(extended.mean(dim=1, keepdim=True))
        power, long_power = _power(spectrum), _power(long_spectrum)

        features = self.standardise(_log_powers(power, long_power, self.grouping))
        skip, caches = self.stacks.step(self.entry(features), caches)
        outputs = self.head(skip).squeeze(2).unflatten(1, (self.config.channels, -1))
        waves = self._synthesise(self._masks(outputs), *spectrum)
        # waves (batch, stems - 1, channels, hops, 2 * hop): second halves wait for the next hop
        tails = torch.cat([tail.unsqueeze(-2), waves[..., HOP:]], dim=-2)
        stems = (waves[..., :HOP] + tails[..., :-1, :]).flatten(-2)
        late = extended[..., history.shape[-1] - HOP : -HOP]
        next_history = extended[..., -history.shape[-1] :]
        return _with_last(stems, late), [next_history, *caches, tails[..., -1, :]]

    def _analyse(self, audio: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        with torch.no_grad():  # nothing to learn before the features
            spectrum = self.analysis(audio)
            long_spectrum = self.long_analysis(audio.mean(dim=1, keepdim=True))
            return spectrum, _power(spectrum), _power(long_spectrum)

    def _masks(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Masks of all stems but the last, from the head's output (batch, channels, -1, hops).

        Returns:
            Band masks (batch, stems - 1, channels, hops, bands), and the real and imaginary
            corrections of the low bins (batch, stems - 1, channels, hops, LOW_BINS).
        """
        stems = len(self.config.stems)
        logits, low = outputs.split([stems * self.bands, (stems - 1) * 2 * LOW_BINS], dim=2)
        # (batch, channels, stems * bands, hops) -> (batch, stems, channels, hops, bands)
        logits = logits.unflatten(2, (stems, self.bands)).permute(0, 2, 1, 4, 3)
        low = low.unflatten(2, (stems - 1, 2 * LOW_BINS)).permute(0, 2, 1, 4, 3)
        masks = torch.softmax(logits, dim=1)[:, :-1]
        return masks, low[..., :LOW_BINS], low[..., LOW_BINS:]

    def _synthesise(
        self, masks: tuple[Tensor, Tensor, Tensor], real: Tensor, imag: Tensor
    ) -> Tensor:
        """Masked spectra to windowed waves (batch, stems - 1, channels, hops, 2 * hop)."""
        bands, low_real, low_imag = masks
        real, imag = real.unsqueeze(1), imag.unsqueeze(1)
        low_real = bands[..., :LOW_BINS] + low_real
        x, y = real[..., :LOW_BINS], imag[..., :LOW_BINS]
        high = bands.index_select(-1, self.band_index[LOW_BINS:])
        masked_real = torch.cat([low_real * x - low_imag * y, high * real[..., LOW_BINS:]], -1)
        masked_imag = torch.cat([low_real * y + low_imag * x, high * imag[..., LOW_BINS:]], -1)
        return torch.matmul(masked_real, self.synthesis_real) + torch.matmul(
            masked_imag, self.synthesis_imag
        )


def _with_last(stems: Tensor, mixture: Tensor) -> Tensor:
    """Append the stem that is the mixture (batch, channels, frames) less all others."""
    last = mixture.unsqueeze(1) - stems.sum(dim=1, keepdim=True)
    return torch.cat([stems, last], dim=1)


def _log_powers(power: Tensor, long_power: Tensor, grouping: Tensor) -> Tensor:
    """Log powers (batch, features, 1, hops) of the bands of each channel and of the long bins."""
    bands = torch.matmul(power, grouping)
    # (batch, channels, hops, bands) -> (batch, channels * bands, hops)
    bands = bands.transpose(-1, -2).flatten(1, 2)
    features = torch.cat([bands, long_power.transpose(-1, -2).flatten(1, 2)], dim=1)
    return torch.log(features + FLOOR).unsqueeze(2)


def _power(spectrum: tuple[Tensor, Tensor]) -> Tensor:
    real, imag = spectrum
    return real.square() + imag.square()


def _float(matrix: np.ndarray) -> Tensor:
    return torch.tensor(matrix, dtype=torch.float32)
