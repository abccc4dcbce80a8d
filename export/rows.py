"""The residual blocks and the head over rows: one row of numbers per hop.

A block of sound is a few hops, so a step multiplies a few rows by many weights. A dilated
convolution becomes one product, with the taps of a hop side by side:

    cache, then x     rows (context + hops, filters)
    taps of hop t     rows t, t + d, t + 2d of these, (kernel * filters)

How numbers are kept and multiplied is an `Arithmetic`: float32 here, integers in `export.int8`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.streaming import GatedResidualBlock, State, WaveNetStacks


class Product(nn.Module):
    """Rows times a matrix, plus a bias.

    Args:
        weight: (inputs, outputs).
        bias: (outputs,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", weight.detach().contiguous())
        self.register_buffer("bias", bias.detach().clone())

    def forward(self, rows: Tensor) -> Tensor:
        """(hops, inputs) -> (hops, outputs)."""
        return torch.addmm(self.bias, rows, self.weight)


@dataclass(frozen=True)
class Format:
    """How numbers of one kind are kept, and what multiplies them.

    Attributes:
        keep: Turns numbers into what is kept.
        product: Makes what multiplies the kept ones, from a weight and a bias as of `Product`.
    """

    keep: Callable[[Tensor], Tensor]
    product: Callable[[Tensor, Tensor], nn.Module] = Product


@dataclass(frozen=True)
class Arithmetic:
    """The formats of the residual blocks and the head.

    Attributes:
        stream: The residual stream, as caches and taps hold it. It is added up in float32.
        gated: What the gates let pass.
        rectified: What the head's rectifiers let pass; to keep is to rectify.
        silence: What stands for 0 in a cache.
        cache_dtype: Of a cache.
    """

    stream: Format = Format(nn.Identity())
    gated: Format = Format(nn.Identity())
    rectified: Format = Format(torch.relu)
    silence: int = 0
    cache_dtype: torch.dtype = torch.float32


FLOAT32 = Arithmetic()


class RowBlock(nn.Module):
    """A residual block; see `training.streaming.GatedResidualBlock`."""

    def __init__(self, block: GatedResidualBlock, arithmetic: Arithmetic) -> None:
        super().__init__()
        dilated, filters = block.dilated.conv, block.filters
        assert dilated.bias is not None
        assert block.project.bias is not None
        self.dilation, self.context = dilated.dilation[1], block.dilated.context
        # (outputs, filters, 1, kernel) -> (kernel * filters, outputs)
        weight, bias = dilated.weight.squeeze(2).permute(2, 1, 0).flatten(0, 1), dilated.bias
        product = arithmetic.stream.product
        # One product each: a runtime can give it the function that follows.
        self.candidate = product(weight[:, :filters], bias[:filters])
        self.gate = product(weight[:, filters:], bias[filters:]) if block.gated else None
        self.project: nn.Module | None = None
        if not block.last:
            weight, bias = block.project.weight[:filters], block.project.bias[:filters]
            self.project = arithmetic.gated.product(weight.flatten(1).T, bias)

    def forward(self, taps: Tensor) -> Tensor:
        """Taps (hops, kernel * filters) -> what passes the gate (hops, filters)."""
        candidate: Tensor = self.candidate(taps)
        if self.gate is None:
            return torch.relu(candidate)
        return torch.tanh(candidate) * torch.sigmoid(self.gate(taps))


class RowStacks(nn.Module):
    """All residual blocks and the skip sum; see `training.streaming.WaveNetStacks`."""

    def __init__(self, stacks: WaveNetStacks, arithmetic: Arithmetic) -> None:
        super().__init__()
        self.keep_stream, self.keep_gated = arithmetic.stream.keep, arithmetic.gated.keep
        self.silence, self.cache_dtype = arithmetic.silence, arithmetic.cache_dtype
        blocks = [block for block in stacks.blocks if isinstance(block, GatedResidualBlock)]
        self.filters, self.kernel = blocks[0].filters, blocks[0].dilated.conv.kernel_size[1]
        self.blocks = nn.ModuleList(RowBlock(block, arithmetic) for block in blocks)
        weights, biases = zip(*(block.skip_projection() for block in blocks), strict=True)
        weight = torch.cat(weights, dim=1).flatten(1).T
        self.skip = arithmetic.gated.product(weight, torch.stack(biases).sum(dim=0))

    def initial_state(self) -> State:
        """One cache (1, context, filters) per block."""
        shapes = [(1, block.context, self.filters) for block in self._blocks()]
        return [torch.full(shape, self.silence, dtype=self.cache_dtype) for shape in shapes]

    def forward(self, x: Tensor, caches: Sequence[Tensor]) -> tuple[Tensor, State]:
        """Rows (hops, filters) and caches -> skip sum (hops, skip) and the next caches."""
        hops = torch.arange(x.shape[0]).unsqueeze(1)
        rows_of = {
            d: (hops + torch.arange(0, self.kernel * d, d)).flatten()
            for d in sorted({block.dilation for block in self._blocks()})
        }
        x = x.unsqueeze(0)
        gated, next_caches = [], []
        for block, cache in zip(self._blocks(), caches, strict=True):
            extended = torch.cat([cache, self.keep_stream(x)], dim=1)
            next_caches.append(extended[:, -block.context :])
            taps = extended.index_select(1, rows_of[block.dilation])
            z = self.keep_gated(block(taps.reshape(-1, self.kernel * self.filters)))
            gated.append(z)
            if block.project is not None:
                x = x + block.project(z)
        return self.skip(torch.cat(gated, dim=1)), next_caches

    def _blocks(self) -> list[RowBlock]:
        return [block for block in self.blocks if isinstance(block, RowBlock)]


class RowHead(nn.Module):
    """The rectified layers between the skip sum and the output."""

    def __init__(self, head: nn.Sequential, arithmetic: Arithmetic) -> None:
        super().__init__()
        self.rectify = arithmetic.rectified.keep
        self.products = nn.ModuleList(
            arithmetic.rectified.product(layer.weight.flatten(1).T, layer.bias)
            for layer in head
            if isinstance(layer, nn.Conv2d) and layer.bias is not None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(hops, skip) -> (hops, outputs)."""
        for product in self.products:
            x = product(self.rectify(x))
        return x
