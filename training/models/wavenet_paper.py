"""`wavenet-paper`: the WaveNet separator of the INFO8010 report, over samples, made causal.

Four stacks of ten gated residual blocks, dilations 1 to 512, kernel 3, 128 filters; the skip sum
passes convolutions of 512 and 256 filters (kernel 3) and one 1x1 convolution per stem (section VI
and figure 1). Receptive field of the blocks 8,189 frames. A model for a GPU.

What the report leaves open is closed here: padding only on the left (latency 0), no division by a
chunk's own peak (it looks ahead), and a projection that makes the stems add up to the mixture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.config import WaveNetConfig
from training.models.separator import Separator
from training.streaming import CausalConv, State, WaveNetStacks


class WaveNetPaper(Separator):
    """See the module's text."""

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__()
        self.config = config
        self.hop, self.latency = 1, 0
        self.entry = CausalConv(config.channels, config.filters, config.kernel)
        self.stacks = WaveNetStacks(
            config.filters,
            config.skip,
            config.kernel,
            config.stacks,
            config.blocks,
            config.activation,
        )
        widths = (config.skip, *config.head)
        self.head = nn.ModuleList(
            CausalConv(a, b, config.kernel) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        self.exit = nn.Conv2d(widths[-1], len(config.stems) * config.channels, 1)
        contexts = [self.entry.context, self.stacks.context, *(c.context for c in self.head)]
        self.receptive_field = sum(contexts) + 1

    def forward(self, audio: Tensor, channel: int | None = None) -> Tensor:
        """See `Separator.forward`."""
        x = torch.relu(self.stacks(self.entry(audio.unsqueeze(2))))
        for layer in self.head:
            x = torch.relu(layer(x))
        stems = self._consistent(self.exit(x), audio)
        return stems if channel is None else stems[:, :, channel : channel + 1]

    def initial_state(self, batch: int = 1) -> State:
        """One cache per convolution with more than one tap."""
        return [
            self.entry.initial_state(batch),
            *self.stacks.initial_state(batch),
            *(layer.initial_state(batch) for layer in self.head),
        ]

    def step(self, audio: Tensor, state: State) -> tuple[Tensor, State]:
        """See `Separator.step`."""
        depth = len(self.stacks.blocks)
        x, entry = self.entry.step(audio.unsqueeze(2), state[0])
        x, caches = self.stacks.step(x, state[1 : 1 + depth])
        x = torch.relu(x)
        for layer, cache in zip(self.head, state[1 + depth :], strict=True):
            x, cache = layer.step(x, cache)
            x = torch.relu(x)
            caches.append(cache)
        return self._consistent(self.exit(x), audio), [entry, *caches]

    def _consistent(self, outputs: Tensor, audio: Tensor) -> Tensor:
        """Share what is missing to the mixture equally among the stems (arXiv 1811.08521)."""
        shape = (len(self.config.stems), self.config.channels)
        stems = outputs.squeeze(2).unflatten(1, shape)
        missing = audio.unsqueeze(1) - stems.sum(dim=1, keepdim=True)
        return stems + missing / shape[0]
