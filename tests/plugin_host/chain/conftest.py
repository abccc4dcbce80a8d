"""Chains of real effects: pedalboard's own, and VST3 plugins of Debian's package zam-plugins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import HostConfig
from engine.rack import Rack, Watcher
from plugin_host.chain_presets import chains_from

STEMS = ("drums", "bass", "other")


@pytest.fixture
def vst3() -> Callable[[str], str]:
    """Finds a plugin of zam-plugins; without it the test skips here and fails in CI."""

    def find(name: str) -> str:
        path = Path("/usr/lib/vst3") / f"{name}.vst3"
        if not path.exists():
            reason = "zam-plugins is not installed (see tests/system-packages.sh)"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        return str(path)

    return find


class Faults(Watcher):
    """Remembers what was bypassed."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def bypass(self, index: int, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def load_rack() -> Callable[..., Rack]:
    """Loads chains as the engine does: `load_rack({"drums": [Reverb()]}, block_size=64)`."""

    def load(chains: dict[str, Any], block_size: int = 256, channels: int = 2,
             sample_rate: int = 44_100) -> Rack:  # fmt: skip
        config = HostConfig(sample_rate, block_size, channels)
        makers = chains_from(chains).load(STEMS)
        return Rack.load(makers, STEMS, config, watcher=Faults())

    return load


@pytest.fixture
def play() -> Callable[..., np.ndarray]:
    """Sends audio `(channels, frames)` through a stem's chain: `play(rack, audio, [256, 64])`."""

    def run(rack: Rack, audio: np.ndarray, sizes: list[int], stem: str = "drums") -> np.ndarray:
        heard, position, turn = [], 0, 0
        stems = np.zeros((len(STEMS), *audio.shape), np.float32)
        stems[STEMS.index(stem)] = audio
        while position < audio.shape[1]:
            frames = sizes[turn % len(sizes)]
            block = stems[..., position : position + frames].copy()
            rack.process_stems(block)
            heard.append(block)
            position, turn = position + frames, turn + 1
        assert rack.watcher.sentences == []
        return np.concatenate(heard, axis=-1)[STEMS.index(stem)]

    return run


@pytest.fixture
def impulses() -> np.ndarray:
    """Stereo, 40,000 frames; one impulse a channel, at frames 9,000 and 9,100."""
    audio = np.zeros((2, 40_000), np.float32)
    audio[0, 9_000] = audio[1, 9_100] = 0.05
    return audio
