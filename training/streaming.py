"""Causal layers in two forms that agree: offline over a whole excerpt, and streamed block by block.

Every streaming layer is a pure function `y, next_state = layer.step(x, state)` beside its offline
`forward(x)`. States start as zeros, which is what the offline form pads with on the left.

Activations are `(batch, channels, 1, frames)`: ONNX Runtime and oneDNN have their fastest
kernels for two-dimensional convolutions, and one shape serves training and export alike.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: What a stream carries from one block to the next: one tensor per cache, in a fixed order.
State = list[Tensor]


class CausalConv(nn.Module):
    """Dilated convolution whose output at a frame depends on that frame and earlier ones.

    With kernel 3 and dilation d, output t is made from

        t - 2d        t - d         t
          o - - - - - - o - - - - - o

    so `2 * d` frames of input are carried from block to block.
    """

    def __init__(self, channels: int, filters: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, (1, kernel), dilation=(1, dilation))
        self.context = (kernel - 1) * dilation  # frames

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, 1, frames) -> (batch, filters, 1, frames), zeros before the start."""
        y: Tensor = self.conv(nn.functional.pad(x, (self.context, 0)))
        return y

    def initial_state(self, batch: int) -> Tensor:
        """Zeros (batch, channels, 1, context)."""
        weight = self.conv.weight
        return weight.new_zeros(batch, self.conv.in_channels, 1, self.context)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One block of any number of frames; returns the output and the next state."""
        extended = torch.cat([state, x], dim=-1)
        return self.conv(extended), extended[..., -self.context :]


class GatedResidualBlock(nn.Module):
    """The residual block of WaveNet: dilated convolution, gate, residual and skip outputs.

    gated:  z = tanh(W_f * x) . sigmoid(W_g * x)      (van den Oord et al. 2016, equation 2)
    relu:   z = relu(W_f * x)                         (what the INFO8010 report's text says)

    The residual and the skip output are one 1x1 convolution, split afterwards.
    """

    def __init__(
        self, filters: int, skip: int, kernel: int, dilation: int, activation: str, last: bool
    ) -> None:
        super().__init__()
        self.filters = filters
        self.gated = activation == "gated"
        self.last = last  # nobody reads the last block's residual output: it has none
        self.dilated = CausalConv(filters, filters * (2 if self.gated else 1), kernel, dilation)
        self.project = nn.Conv2d(filters, skip + (0 if last else filters), 1)

    def _activate(self, dilated: Tensor) -> Tensor:
        if not self.gated:
            return torch.relu(dilated)
        candidate, gate = dilated.chunk(2, dim=1)
        return torch.tanh(candidate) * torch.sigmoid(gate)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, filters, 1, frames) -> the residual stream and the skip output, same frames."""
        projected = self.project(self._activate(self.dilated(x)))
        if self.last:
            return x, projected
        return x + projected[:, : self.filters], projected[:, self.filters :]

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One block: residual stream, what the skip output is made from, next state."""
        dilated, state = self.dilated.step(x, state)
        z = self._activate(dilated)
        if not self.last:
            weight, bias = self.project.weight[: self.filters], self.project.bias[: self.filters]
            x = x + nn.functional.conv2d(z, weight, bias)
        return x, z, state

    def skip_projection(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the 1x1 convolution from `z` to the skip output."""
        first = 0 if self.last else self.filters
        return self.project.weight[first:], self.project.bias[first:]


class WaveNetStacks(nn.Module):
    """Stacks of gated residual blocks, dilations 1, 2, 4, ... in each, and the skip sum."""

    def __init__(
        self, filters: int, skip: int, kernel: int, stacks: int, blocks: int, activation: str
    ) -> None:
        super().__init__()
        dilations = [2**i for i in range(blocks)] * stacks
        self.blocks = nn.ModuleList(
            GatedResidualBlock(filters, skip, kernel, dilation, activation, i == len(dilations) - 1)
            for i, dilation in enumerate(dilations)
        )
        self.context = sum(block.dilated.context for block in self.blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, filters, 1, frames) -> skip sum (batch, skip, 1, frames)."""
        total: Tensor | None = None
        for block in self.blocks:
            x, skip = block(x)
            total = skip if total is None else total + skip
        assert total is not None
        return total

    def initial_state(self, batch: int) -> State:
        """One cache per block."""
        return [block.dilated.initial_state(batch) for block in self.blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One block of frames: skip sum and the next caches.

        The sum of all skip projections is one projection of all `z` side by side: for the few
        frames of a block, one large product takes less time than many small ones and their sums.
        """
        gated, next_state = [], []
        for block, cache in zip(self.blocks, state, strict=True):
            x, z, cache = block.step(x, cache)
            gated.append(z)
            next_state.append(cache)
        weights, biases = zip(*(block.skip_projection() for block in self.blocks), strict=True)
        total = torch.stack(biases).sum(dim=0)
        return nn.functional.conv2d(
            torch.cat(gated, dim=1), torch.cat(weights, dim=1), total
        ), next_state
