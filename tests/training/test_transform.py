"""The low-delay transform gives its input back, block by block as at once."""

import numpy as np
import pytest
import torch

from training.transform import Analysis, analysis_window, synthesis_matrices, synthesis_window

HOP = 64


@pytest.mark.parametrize("size", [128, 1024, 4096])
def test_analysis_times_synthesis_adds_up_to_one(size: int) -> None:
    product = analysis_window(size, HOP)[-2 * HOP :] * synthesis_window(size, HOP)
    np.testing.assert_allclose(product[:HOP] + product[HOP:], 1.0, atol=1e-12)


@pytest.mark.parametrize("size", [256, 1024])
def test_untouched_spectrum_gives_the_input_back_one_hop_later(size: int) -> None:
    torch.manual_seed(0)
    audio = torch.randn(1, 2, 50 * HOP)
    real, imag = Analysis(size, HOP, size // 2 + 1)(audio)
    to_real, to_imag = (torch.tensor(m, dtype=torch.float32) for m in synthesis_matrices(size, HOP))
    waves = real @ to_real + imag @ to_imag
    late = torch.nn.functional.pad(waves[..., HOP:], (0, 0, 1, 0))[..., :-1, :]
    output = (waves[..., :HOP] + late).flatten(-2)
    torch.testing.assert_close(output[..., HOP:], audio[..., :-HOP], atol=2e-6, rtol=0)
    assert output[..., :HOP].abs().max() < 2e-6


@pytest.mark.parametrize(("size", "bins"), [(128, 65), (1024, 513), (4096, 256)])
def test_streamed_equals_offline(size: int, bins: int) -> None:
    torch.manual_seed(0)
    analysis = Analysis(size, HOP, bins)
    audio = torch.randn(2, 2, 30 * HOP)
    history = torch.zeros(2, 2, size - HOP)
    parts = []
    for block in audio.split([HOP, 7 * HOP, 22 * HOP], dim=-1):
        extended = torch.cat([history, block], dim=-1)
        parts.append(analysis.step(extended))
        history = extended[..., -history.shape[-1] :]
    for streamed, offline in zip(zip(*parts, strict=True), analysis(audio), strict=True):
        torch.testing.assert_close(torch.cat(streamed, dim=2), offline, atol=1e-6, rtol=0)
