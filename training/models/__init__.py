"""Separators, one file each; `build` makes the one that a configuration names."""

from __future__ import annotations

from training.config import WaveNetConfig
from training.models.separator import Separator
from training.models.wavenet_frame import WaveNetFrame
from training.models.wavenet_paper import WaveNetPaper

__all__ = ["Separator", "WaveNetFrame", "WaveNetPaper", "build"]


def build(config: WaveNetConfig) -> Separator:
    """A freshly initialised model."""
    return {"wavenet-frame": WaveNetFrame, "wavenet-paper": WaveNetPaper}[config.kind](config)
