"""Losses by name: `LOSSES[name](estimate, reference)`, both (batch, stems, channels, frames).

The first is the recipe that works here; the others are those of the WaveNet report (INFO8010,
section V).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]

_EPSILON = 1e-8
_SILENT_RMS = 1e-3  # a stem whose RMS is below this is compared with the mixture's level
_SNR_CEILING_DB = 30.0
_SILENT_CEILING_DB = 20.0
_SILENT_WEIGHT = 0.1  # see `recipe`


def recipe(estimate: Tensor, reference: Tensor) -> Tensor:
    """L1 over each stem's RMS + multi-resolution STFT + thresholded SNR.

    A stem that is silent has no level of its own: its error is measured against the mixture's. Its
    part of the SNR term is kept small. With the full weight and the same ceiling as the others, the
    term paid up to 30 dB for muting a stem that might be silent and cost 1 dB where it was not:
    over 3,000 steps the loss went on falling while piano and other lost up to 1 dB of SI-SDR on the
    very songs of the training.
    """
    level = _rms(reference)
    mixture_level = _rms(reference.sum(dim=1, keepdim=True))
    silent = level < _SILENT_RMS
    scale = torch.where(silent, mixture_level, level).clamp_min(_SILENT_RMS)
    l1 = ((estimate - reference).abs().mean(dim=(-1, -2)) / scale).mean()
    snr = _negative_snr(estimate, reference, silent, mixture_level).mean()
    return l1 + 0.5 * multi_resolution_stft(estimate, reference, scale) + 0.1 * snr


def _rms(audio: Tensor) -> Tensor:
    return audio.square().mean(dim=(-1, -2)).add(_EPSILON**2).sqrt()


def _negative_snr(
    estimate: Tensor, reference: Tensor, silent: Tensor, mixture_level: Tensor
) -> Tensor:
    """Negative SNR in dB, which stops to reward beyond a ceiling (arXiv 2011.00803, equation 2).

    For silent stems, the energy of the estimate in dB below the mixture (equation 3 there), with a
    ceiling and a weight of its own.
    """
    ceiling = torch.where(silent, _SILENT_CEILING_DB, _SNR_CEILING_DB)
    floor = 10.0 ** (-ceiling / 10.0)
    error = (estimate - reference).square().mean(dim=(-1, -2))
    signal = torch.where(silent, mixture_level.square(), reference.square().mean(dim=(-1, -2)))
    ratio = 10.0 * torch.log10((error + floor * signal + _EPSILON) / (signal + _EPSILON))
    return torch.where(silent, _SILENT_WEIGHT * ratio, ratio)


def multi_resolution_stft(
    estimate: Tensor, reference: Tensor, scale: Tensor, sizes: tuple[int, ...] = (2048, 512)
) -> Tensor:
    """Mean distance of square-rooted STFT magnitudes, each stem over its level `scale`.

    Args:
        estimate: (batch, stems, channels, frames).
        reference: The same shape.
        scale: (batch, stems), level of each stem.
        sizes: Window lengths; the hop is half of each.
    """
    total = estimate.new_zeros(())
    gain = (1.0 / scale)[..., None, None]
    for size in sizes:
        window = torch.hann_window(size, device=estimate.device)
        magnitudes = []
        for audio in (estimate, reference):
            flat = (audio * gain).flatten(0, 2)
            spectrum = torch.stft(
                flat, size, size // 2, window=window, center=False, return_complex=True
            )
            power = torch.view_as_real(spectrum).square().sum(-1) / size
            # the square root of the magnitude hears quiet partials without the log's noise floor
            magnitudes.append((power + 1e-4).pow(0.25))
        total = total + (magnitudes[0] - magnitudes[1]).abs().mean()
    return total / len(sizes)


def mse(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error (report, section V)."""
    return (estimate - reference).square().mean()


def mae(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute error (report, section V)."""
    return (estimate - reference).abs().mean()


def spectrogram_mae(estimate: Tensor, reference: Tensor) -> Tensor:
    """L2 distance of linear magnitude spectrograms plus the mean absolute error (section V)."""
    window = torch.hann_window(1024, device=estimate.device)
    magnitudes = [
        torch.stft(
            audio.flatten(0, 2), 1024, 256, window=window, center=False, return_complex=True
        ).abs()
        for audio in (estimate, reference)
    ]
    return (magnitudes[0] - magnitudes[1]).square().mean() + mae(estimate, reference)


def difference(estimate: Tensor, reference: Tensor, weight: float = 0.1) -> Tensor:
    """MAE minus `weight` times the distance to the other stems' references (section V).

    With a_ij = |estimate_i - reference_j|: the diagonal is made small, the rest large.
    """
    distances = (estimate.unsqueeze(2) - reference.unsqueeze(1)).abs().mean(dim=(0, -1, -2))
    stems = distances.shape[0]
    diagonal = distances.diagonal().mean()
    others = (distances.sum() - distances.diagonal().sum()) / (stems * (stems - 1))
    return diagonal - weight * others


LOSSES: dict[str, Loss] = {
    "recipe": recipe,
    "mse": mse,
    "mae": mae,
    "spectrogram+mae": spectrogram_mae,
    "difference": difference,
}
