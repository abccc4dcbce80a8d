"""What a training run is made of: frozen dataclasses, checked when made, saved as JSON.

`preset(name)` gives the configurations that are named in the README; every field may be replaced.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.data.midi import STEMS


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


@dataclass(frozen=True)
class WaveNetConfig:
    """A WaveNet separator: the gated residual blocks and what stands around them.

    Attributes:
        kind: "wavenet-frame" (over frames of a short-time transform, hop 64) or "wavenet-paper"
            (over samples, hop 1).
        stems: Names of the outputs.
        channels: Audio channels.
        sample_rate: Hz.
        filters: Width `k` of the residual stream.
        stacks: How often the dilations 1, 2, 4, ... are gone through.
        blocks: Residual blocks per stack; the last one's dilation is `2 ** (blocks - 1)`.
        kernel: Taps of the dilated convolutions.
        skip: Width of the sum of the skip outputs.
        head: Width of the layers between the skip sum and the output.
        activation: "gated" (tanh x sigmoid, what the report's code does) or "relu" (what its text
            says).
    """

    kind: str = "wavenet-frame"
    stems: tuple[str, ...] = STEMS
    channels: int = 2
    sample_rate: int = 44100
    filters: int = 128
    stacks: int = 2
    blocks: int = 9
    kernel: int = 3
    skip: int = 128
    head: tuple[int, ...] = (256,)
    activation: str = "gated"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stems", tuple(self.stems))
        object.__setattr__(self, "head", tuple(self.head))
        _require(self.kind in ("wavenet-frame", "wavenet-paper"), f"Unknown model {self.kind!r}.")
        _require(self.activation in ("gated", "relu"), f"Unknown activation {self.activation!r}.")
        _require(len(self.stems) >= 2, "A separator needs two stems or more.")
        _require(self.channels in (1, 2), f"channels is {self.channels}, must be 1 or 2.")
        sizes = (self.filters, self.stacks, self.blocks, self.kernel, self.skip, *self.head)
        _require(min(sizes) >= 1, "All widths and counts of a model must be 1 or more.")
        _require(self.blocks <= 16, f"{self.blocks} blocks: dilations above 2^15 are a mistake.")


@dataclass(frozen=True)
class DataConfig:
    """Where excerpts come from and how batches are cut from them.

    Attributes:
        midi: Folder of MIDI songs.
        soundfonts: Folder of soundfonts.
        drums: Folder of drum takes (MIDI), or "".
        batch_size: Examples per step.
        seconds: Length of an example.
        excerpt_seconds: Length of an excerpt in the pool.
        pool_size: Excerpts in the pool.
        fresh_per_step: Excerpts that are replaced after each step.
        coherent: Share of examples whose stems come from one moment of one song.
        workers: Rendering processes.
    """

    midi: str = ""
    soundfonts: str = ""
    drums: str = ""
    batch_size: int = 4
    seconds: float = 3.0
    excerpt_seconds: float = 8.0
    pool_size: int = 256
    fresh_per_step: float = 1.0
    coherent: float = 0.5
    workers: int = 1

    def __post_init__(self) -> None:
        _require(self.batch_size >= 1, f"batch_size is {self.batch_size}, must be 1 or more.")
        _require(self.pool_size >= 1, f"pool_size is {self.pool_size}, must be 1 or more.")
        _require(self.workers >= 1, f"workers is {self.workers}, must be 1 or more.")
        _require(self.fresh_per_step >= 0, "fresh_per_step must not be negative.")
        _require(0 < self.seconds <= self.excerpt_seconds, "seconds must fit in excerpt_seconds.")
        _require(0 <= self.coherent <= 1, f"coherent is {self.coherent}, must be 0 to 1.")


@dataclass(frozen=True)
class TrainConfig:
    """A whole run.

    Attributes:
        model: The separator.
        data: The material.
        steps: Optimiser steps in the run; the learning rate follows a cosine over them.
        learning_rate: After the warm-up.
        final_learning_rate: At the end.
        warmup_steps: Steps of linear rise.
        weight_decay: AdamW's.
        clip: Largest norm of the gradient.
        ema: Decay of the running average of the weights that is exported.
        context_seconds: Start of each example that only fills the receptive field: no loss there.
        loss: Name of the loss (see `training.losses`).
        seed: Of weights and data.
        checkpoint_minutes: Time between checkpoints.
    """

    model: WaveNetConfig = field(default_factory=WaveNetConfig)
    data: DataConfig = field(default_factory=DataConfig)
    steps: int = 4000
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    warmup_steps: int = 100
    weight_decay: float = 1e-4
    clip: float = 5.0
    ema: float = 0.998
    context_seconds: float = 0.5
    loss: str = "recipe"
    seed: int = 0
    checkpoint_minutes: float = 5.0

    def __post_init__(self) -> None:
        _require(self.steps >= 1, f"steps is {self.steps}, must be 1 or more.")
        _require(0 < self.learning_rate < 1, f"learning_rate {self.learning_rate} is not sane.")
        _require(0 <= self.ema < 1, f"ema is {self.ema}, must be 0 to below 1.")
        _require(
            0 <= self.context_seconds < self.data.seconds,
            "context_seconds must be shorter than the examples.",
        )

    def to_json(self) -> str:
        """The configuration as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Build from what `to_json` wrote.

        Raises:
            ValueError: A field is unknown or its value is refused.
        """
        try:
            values = dict(values)
            values["model"] = WaveNetConfig(**values.get("model", {}))
            values["data"] = DataConfig(**values.get("data", {}))
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"The configuration does not fit this version: {error}.") from error


_SMALL = WaveNetConfig(filters=64, skip=64, head=(128,))
_SHORT = WaveNetConfig(blocks=6)
_PAPER = WaveNetConfig(
    kind="wavenet-paper", filters=128, stacks=4, blocks=10, skip=128, head=(512, 256)
)


def preset(name: str) -> TrainConfig:
    """A named configuration, or the JSON file at that path.

    Raises:
        ValueError: No such preset and no such file.
    """
    presets = {
        "wavenet-frame": TrainConfig(),
        "wavenet-frame-small": TrainConfig(model=_SMALL),  # a third of the cost
        "wavenet-frame-short": TrainConfig(model=_SHORT),  # 0.4 s of context instead of 3 s
        "wavenet-paper": TrainConfig(
            model=_PAPER,
            data=DataConfig(batch_size=12, seconds=(8189 + 16384) / 44100),
            learning_rate=1e-4,
            final_learning_rate=1e-4,
            context_seconds=8189 / 44100,
        ),
    }
    if name in presets:
        return presets[name]
    path = Path(name)
    if path.is_file():
        return TrainConfig.from_dict(json.loads(path.read_text()))
    raise ValueError(f"No configuration {name!r}: choose {', '.join(presets)} or a JSON file.")
