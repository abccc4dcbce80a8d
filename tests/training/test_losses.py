"""Every loss is lower for better estimates and can be differentiated where it matters."""

import pytest
import torch

from training.losses import LOSSES


@pytest.fixture
def reference() -> torch.Tensor:
    torch.manual_seed(0)
    reference = torch.randn(2, 4, 2, 6000) * 0.1
    reference[:, 3] = 0.0  # a stem that does not play
    return reference


@pytest.mark.parametrize("name", LOSSES)
def test_closer_estimates_cost_less(name: str, reference: torch.Tensor) -> None:
    noise = torch.randn_like(reference) * 0.1
    losses = [float(LOSSES[name](reference + k * noise, reference)) for k in (0.0, 0.3, 1.0, 3.0)]
    assert losses == sorted(losses)
    assert losses[0] < losses[1]


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_at_silence_and_at_the_goal(
    name: str, reference: torch.Tensor
) -> None:
    for start in (torch.zeros_like(reference), reference.clone()):
        estimate = start.requires_grad_()
        LOSSES[name](estimate, reference).backward()
        assert estimate.grad is not None
        assert torch.isfinite(estimate.grad).all()


def test_recipe_minds_what_is_added_to_a_silent_stem(reference: torch.Tensor) -> None:
    quiet = reference.clone()
    quiet[:, 3] += 1e-3 * torch.randn(2, 2, 6000)
    loud = reference.clone()
    loud[:, 3] += 1e-2 * torch.randn(2, 2, 6000)
    goal, a, b = (float(LOSSES["recipe"](e, reference)) for e in (reference, quiet, loud))
    assert goal < a < b


def test_difference_loss_follows_its_definition(reference: torch.Tensor) -> None:
    estimate = torch.randn_like(reference)
    a = [[(estimate[:, i] - reference[:, j]).abs().mean() for j in range(4)] for i in range(4)]
    diagonal = sum(a[i][i] for i in range(4)) / 4
    others = sum(a[i][j] for i in range(4) for j in range(4) if i != j) / 12
    expected = diagonal - 0.1 * others
    assert float(LOSSES["difference"](estimate, reference)) == pytest.approx(float(expected))
