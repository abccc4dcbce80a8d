"""Streamed output equals offline output, whatever the kernel, dilation and blocks."""

import pytest
import torch

from training.streaming import CausalConv, GatedResidualBlock, WaveNetStacks

FRAMES = 157
SPLITS = [[1] * FRAMES, [7, 64, 65, 21], [FRAMES], [1, 1, 128, 27]]


@pytest.mark.parametrize("split", SPLITS, ids=len)
@pytest.mark.parametrize("dilation", [1, 2, 16, 64])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_streamed_convolution_equals_offline(kernel: int, dilation: int, split: list[int]) -> None:
    torch.manual_seed(0)
    layer = CausalConv(3, 5, kernel, dilation)
    x = torch.randn(2, 3, 1, FRAMES)
    state = layer.initial_state(2)
    outputs = []
    for block in x.split(split, dim=-1):
        y, state = layer.step(block, state)
        outputs.append(y)
    torch.testing.assert_close(torch.cat(outputs, -1), layer(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("split", SPLITS, ids=len)
@pytest.mark.parametrize("activation", ["gated", "relu"])
def test_streamed_stacks_equal_offline(activation: str, split: list[int]) -> None:
    torch.manual_seed(0)
    stacks = WaveNetStacks(8, 6, 3, stacks=2, blocks=4, activation=activation)
    x = torch.randn(1, 8, 1, FRAMES)
    state = stacks.initial_state(1)
    outputs = []
    for block in x.split(split, dim=-1):
        y, state = stacks.step(block, state)
        outputs.append(y)
    torch.testing.assert_close(torch.cat(outputs, -1), stacks(x), atol=1e-6, rtol=0)


def test_step_leaves_the_state_it_was_given_alone() -> None:
    layer = CausalConv(2, 2, 3, 4)
    state = torch.randn(1, 2, 1, 8)
    before = state.clone()
    layer.step(torch.randn(1, 2, 1, 5), state)
    assert torch.equal(state, before)


def test_output_never_depends_on_later_input() -> None:
    torch.manual_seed(0)
    stacks = WaveNetStacks(4, 4, 3, stacks=1, blocks=4, activation="gated")
    x = torch.randn(1, 4, 1, 60)
    changed = x.clone()
    changed[..., 40:] += 1.0
    a, b = stacks(x), stacks(changed)
    assert torch.equal(a[..., :40], b[..., :40])
    assert not torch.equal(a[..., 40], b[..., 40])


def test_context_is_what_the_dilations_add_up_to() -> None:
    stacks = WaveNetStacks(1, 1, 3, stacks=4, blocks=10, activation="gated")
    assert stacks.context + 1 + 4 == 8189  # with the report's entry and second head convolution


def test_gate_is_tanh_times_sigmoid_and_relu_is_relu() -> None:
    x = torch.randn(1, 2, 1, 9)
    gated = GatedResidualBlock(2, 3, 3, 1, "gated", last=False)
    f, g = gated.dilated(x).chunk(2, dim=1)
    z = torch.tanh(f) * torch.sigmoid(g)
    projected = gated.project(z)
    residual, skip = gated(x)
    torch.testing.assert_close(residual, x + projected[:, :2])
    torch.testing.assert_close(skip, projected[:, 2:])
    relu = GatedResidualBlock(2, 3, 3, 1, "relu", last=True)
    torch.testing.assert_close(relu(x)[1], relu.project(torch.relu(relu.dilated(x))))
