"""What every streaming separator offers to the trainer and to the export."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from training.config import WaveNetConfig
from training.streaming import State


class Separator(nn.Module, ABC):
    """A causal separator with an offline and a streaming form.

    Attributes:
        config: What it was built from.
        hop: Frames that it consumes per step; blocks are multiples of this.
        latency: Frame `i` of the output belongs to frame `i - latency` of the input.
        receptive_field: Frames of input that one frame of output depends on.
    """

    config: WaveNetConfig
    hop: int
    latency: int
    receptive_field: int

    @abstractmethod
    def forward(self, audio: Tensor, channel: int | None = None) -> Tensor:
        """Separate an excerpt from a standing start.

        Args:
            audio: Mixture (batch, channels, frames), frames a multiple of `hop`.
            channel: Give only this channel of the stems. All channels are heard all the same;
                in training one channel per step teaches nearly as much at half the cost.

        Returns:
            Stems (batch, stems, channels, frames), `latency` frames late; they add up to the
            mixture that many frames late.
        """

    @abstractmethod
    def initial_state(self, batch: int = 1) -> State:
        """The state of a stream that has not begun: zeros."""

    @abstractmethod
    def step(self, audio: Tensor, state: State) -> tuple[Tensor, State]:
        """Separate the next block of a stream; shapes as in `forward`, any multiple of `hop`."""

    def fit_features(self, audio: Tensor) -> None:
        """Set input normalisation from typical mixtures (batch, channels, frames)."""
