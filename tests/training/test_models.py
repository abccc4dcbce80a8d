"""What every separator must hold, on small versions of each."""

import pytest
import torch

from training.config import WaveNetConfig
from training.models import Separator, build

SMALL = {
    "wavenet-frame": WaveNetConfig(filters=16, skip=16, stacks=2, blocks=4, head=(24,)),
    "wavenet-paper": WaveNetConfig(
        kind="wavenet-paper", filters=8, skip=8, stacks=2, blocks=5, head=(12, 10)
    ),
    "wavenet-frame-mono-relu": WaveNetConfig(
        filters=16, skip=8, stacks=1, blocks=3, channels=1, activation="relu", stems=("a", "b")
    ),
}


@pytest.fixture(params=SMALL)
def model(request: pytest.FixtureRequest) -> Separator:
    torch.manual_seed(0)
    separator = build(SMALL[request.param]).eval()
    audio = torch.randn(2, separator.config.channels, 100 * separator.hop) * 0.1
    separator.fit_features(audio)
    with torch.no_grad():
        for parameter in separator.parameters():  # far from the tame start of training
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return separator


def noise(model: Separator, hops: int) -> torch.Tensor:
    return torch.randn(1, model.config.channels, hops * model.hop) * 0.2


@pytest.mark.parametrize("split", [[1] * 40, [7, 3, 30], [40], [1, 38, 1]], ids=len)
def test_streamed_equals_offline(model: Separator, split: list[int]) -> None:
    audio = noise(model, 40)
    state = model.initial_state()
    outputs = []
    with torch.inference_mode():
        for block in audio.split([hops * model.hop for hops in split], dim=-1):
            stems, state = model.step(block, state)
            outputs.append(stems)
        torch.testing.assert_close(torch.cat(outputs, -1), model(audio), atol=1e-5, rtol=0)


def test_stems_add_up_to_the_late_mixture(model: Separator) -> None:
    audio = noise(model, 60)
    with torch.inference_mode():
        total = model(audio).sum(dim=1)
    late = torch.nn.functional.pad(audio, (model.latency, 0))[..., : audio.shape[-1]]
    torch.testing.assert_close(total, late, atol=1e-5, rtol=0)


def test_output_never_depends_on_later_input(model: Separator) -> None:
    audio = noise(model, 60)
    changed = audio.clone()
    changed[..., 40 * model.hop :] = 0.5
    with torch.inference_mode():
        a, b = model(audio), model(changed)
    assert torch.equal(a[..., : 40 * model.hop], b[..., : 40 * model.hop])


def test_receptive_field_is_neither_more_nor_less_than_said(model: Separator) -> None:
    hops = -(-model.receptive_field // model.hop) + 10
    audio = noise(model, hops)
    changed = audio.clone()
    changed[..., : 8 * model.hop] *= -0.5  # further back than the last hop's receptive field
    with torch.inference_mode():
        a, b = model(audio), model(changed)
    reach = 8 * model.hop + model.receptive_field
    assert torch.equal(a[..., reach:], b[..., reach:])
    assert not torch.equal(a[..., : 12 * model.hop], b[..., : 12 * model.hop])


def test_paper_configuration_has_the_published_size() -> None:
    from training.config import preset

    with torch.device("meta"):
        model = build(preset("wavenet-paper").model)
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert 5.2e6 < weights < 6.2e6
    assert model.stacks.context == 4 * 2 * 1023  # type: ignore[operator, union-attr]


def test_every_stem_learns_to_be_told_apart() -> None:
    """A few steps on one mixture of tones must beat the mixture by far: gradients reach all."""
    torch.manual_seed(0)
    model = build(WaveNetConfig(filters=16, skip=16, stacks=1, blocks=3, head=(24,)))
    time = torch.arange(64 * 200) / 44100
    tones = [torch.sin(2 * torch.pi * f * time) * 0.1 for f in (110, 523, 1250, 3100, 8000)]
    references = torch.stack(tones)[None, :, None].expand(1, 5, 2, -1)
    mixture = references.sum(dim=1)
    model.fit_features(mixture)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    late = references[..., : -model.latency]

    def error() -> torch.Tensor:
        difference = model(mixture)[..., model.latency :] - late
        return difference[..., 4096:].square().mean(dim=(0, 2, 3))

    model.eval()
    before = error().detach()
    for _ in range(40):
        optimiser.zero_grad()
        error().sum().backward()
        optimiser.step()
    assert (error() < 0.1 * before).all()
