"""The DFT of the exported graphs is the FFT, in an order of its own."""

import numpy as np
import pytest
import torch

from export.dft import MatrixDft


@pytest.mark.parametrize(
    ("size", "columns", "bins"),
    [(1024, 32, 513), (4096, 64, 256), (1024, 64, 100), (128, 32, 65), (64, 64, 33), (16, 2, 9)],
)
def test_every_bin_is_found_at_its_place(size: int, columns: int, bins: int) -> None:
    frames = np.random.default_rng(0).standard_normal((5, size))
    transform = MatrixDft(size, columns, bins)
    rows = torch.tensor(frames, dtype=torch.float32).reshape(5, -1, columns)
    spectrum = transform(rows).numpy()
    assert spectrum.shape == (5, 1, 2, transform.places)
    assert len(set(transform.place)) == bins
    expected = np.fft.rfft(frames)[:, :bins]
    real, imag = spectrum[:, 0, 0, transform.place], spectrum[:, 0, 1, transform.place]
    np.testing.assert_allclose(real, expected.real, atol=size * 1e-7)
    np.testing.assert_allclose(imag * transform.sign, expected.imag, atol=size * 1e-7)
