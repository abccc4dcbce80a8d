"""The real-time engine: audio goes in block by block, stems come out, a constant time later.

    from engine import HostConfig, Separator

    separator = Separator.load("default")
    separator.prepare(HostConfig(sample_rate=48_000, block_size=128, channels=2))
    separator.process(block, out)        # (channels, frames) -> fills (stems, channels, frames)

Conventions: audio is float32, `(channels, frames)`, full scale ±1.0; stems are `(stems, channels,
frames)` in the order of `separator.stems`. `prepare` may allocate, `process` does not.

Contents: `separator` (the public face), `chain` (the live path: framing, resampling, model),
`offline` (the same over files), `artifact` and `manifest` (the model file), `catalog` (models by
name), `latency` (the ledger), `runtime` (what computes the graph), `processors` and `rack` (effects
on stems and mix), `desk` (from stems to what is heard).
"""

from engine.artifact import read_manifest
from engine.catalog import find_model, list_models
from engine.config import HostConfig
from engine.errors import AudioError, ConfigError, ModelError, StemwireError
from engine.latency import LatencyLedger
from engine.manifest import Manifest
from engine.separator import Separator

__all__ = [
    "AudioError",
    "ConfigError",
    "HostConfig",
    "LatencyLedger",
    "Manifest",
    "ModelError",
    "Separator",
    "StemwireError",
    "find_model",
    "list_models",
    "read_manifest",
]
