"""Scores of estimated stems."""

from __future__ import annotations

import numpy as np

_EPSILON = 1e-12


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, equation 5).

    Args:
        estimate: (channels, frames).
        reference: The same shape, not silent.

    Returns:
        dB, over both channels at once.
    """
    e = estimate.astype(np.float64).ravel()
    r = reference.astype(np.float64).ravel()
    target = (e @ r) / max(float(r @ r), _EPSILON) * r
    noise = e - target
    ratio = (target @ target + _EPSILON) / (noise @ noise + _EPSILON)
    return float(10.0 * np.log10(ratio))


def si_sdr_improvement(estimate: np.ndarray, reference: np.ndarray, mixture: np.ndarray) -> float:
    """How many dB of SI-SDR an estimate gains over the mixture; all (channels, frames)."""
    return si_sdr(estimate, reference) - si_sdr(mixture, reference)
